import type { EdgeDocument } from '#platform/topology';

/** A document as the loader would give it, for tests. */
export function testDocument(): EdgeDocument {
  return {
    version: 1,
    host: {
      name: 'edge1.corp.example',
      stateDirectory: '/nonexistent',
      addresses: {
        access: ['127.0.9.10'],
        webConferencing: ['127.0.9.10'],
        av: ['127.0.9.10'],
        internal: ['127.0.9.20'],
      },
      certificates: {
        access: { certificate: 'access.pem', key: 'access.key' },
        internal: { certificate: 'internal.pem', key: 'internal.key' },
      },
      internalCa: 'ca.pem',
      administration: { socket: '/nonexistent/admin.sock', metrics: { address: '127.0.0.1', port: 9180 } },
    },
    policy: {
      site: 'Test',
      sipDomains: ['example.com'],
      names: { access: 'sip.example.com', webConferencing: 'conf.example.com', av: 'av.example.com' },
      internalNetworks: ['127.0.10.0/24', '10.45.0.0/16'],
      nextHop: {
        name: 'pool.corp.example',
        members: [
          { name: 'fe1.corp.example', address: '127.0.9.31', port: 5061 },
          { name: 'fe2.corp.example', address: '127.0.9.32', port: 5061 },
        ],
      },
      avAuthentication: { callers: ['pool.corp.example'] },
      ports: { accessClients: 443, accessInternal: 5061, avUdp: 3478, avAuthentication: 5062 },
      relay: {
        realm: 'example.com',
        ports: { first: 50000, last: 59999 },
        allowedPeers: [],
        allocationsPerUser: 12,
      },
      mediaCredentials: {
        keyFile: 'media.key',
        previousKeyFiles: [],
        lifetimeMinutes: 480,
        staticSecretFiles: [],
      },
      limits: {
        access: {
          connections: 1000,
          connectionsPerSource: 500,
          handshakes: 64,
          handshakeSeconds: 10,
          messageBytes: 65536,
          headerLineBytes: 8192,
          headers: 200,
          messageSeconds: 30,
          outboundBytes: 1_048_576,
          transactions: 10_000,
          keepAliveSeconds: 300,
          preSignIn: { messages: 20, bytes: 65536, seconds: 30 },
        },
        av: {
          allocations: 100,
          permissionsPerAllocation: 64,
          channelsPerAllocation: 64,
          lifetimeSeconds: 3600,
        },
        avAuthentication: { connections: 64 },
      },
    },
  };
}
