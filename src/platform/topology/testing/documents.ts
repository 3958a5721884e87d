/** A small edge.yaml without mistakes, for tests that change one thing in it. */
export const goodEdge = `version: 1
host:
  name: edge1.example.com
  stateDirectory: /var/lib/edge
  addresses:
    access: [192.0.2.10]
    webConferencing: [192.0.2.20]
    av: [192.0.2.30]
    internal: [10.45.16.10]
  certificates:
    access: { certificate: access.crt, key: access.key }
    internal: { certificate: internal.crt, key: internal.key }
  internalCa: ca.crt
  administration:
    metrics: { address: 127.0.0.1, port: 9180 }
policy:
  site: Head office
  sipDomains: [example.com]
  names: { access: sip.example.com, webConferencing: webconf.example.com, av: av.example.com }
  internalNetworks: [10.45.0.0/16]
  nextHop:
    name: pool.example.com
    members:
      - { name: fe1.example.com, address: 10.45.32.11, port: 5061 }
  ports: { accessClients: 443, accessInternal: 5061, avUdp: 3478, avAuthentication: 5062 }
  relay:
    ports: { first: 50000, last: 59999 }
    allowedPeers: []
  mediaCredentials: { keyFile: pool.media }
  limits:
    access: { messageBytes: 65536, headerLineBytes: 8192 }
`;

/** A small internal.yaml without mistakes. */
export const goodInternal = `version: 1
host:
  name: fe1.example.com
  stateDirectory: /var/lib/internal
  addresses: { internal: [10.45.32.11] }
  certificates:
    internal: { certificate: internal.crt, key: internal.key }
  internalCa: ca.crt
  administration:
    metrics: { address: 127.0.0.1, port: 9181 }
frontEnd:
  sipDomains: [example.com]
  port: 5061
  edges:
    - { name: edge1.example.com, address: 10.45.16.10 }
  registrar: { minExpiresSeconds: 60, defaultExpiresSeconds: 3600, maxExpiresSeconds: 7200 }
  limits: { messageBytes: 65536, headerLineBytes: 8192 }
`;

/** The text with one piece replaced; the piece must be there. */
export function edited(text: string, piece: string, replacement: string): string {
  if (!text.includes(piece)) throw new Error(`"${piece}" is not in the document`);
  return text.replace(piece, () => replacement);
}
