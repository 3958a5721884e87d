import { type EdgeDocument, parseEdgeDocument } from '#platform/topology';
import { virtualFiles } from '../../../platform/topology/testing/virtual-files.ts';

const text = `version: 1
host:
  name: edge1.corp.example
  stateDirectory: /nonexistent
  addresses: { access: [127.0.9.10], internal: [127.0.9.20] }
  certificates:
    access: { certificate: access.crt, key: access.key }
    internal: { certificate: internal.crt, key: internal.key }
  internalCa: ca.crt
policy:
  site: Test
  sipDomains: [example.com]
  names: { access: sip.example.com, webConferencing: conf.example.com, av: av.example.com }
  internalNetworks: [127.0.9.28/30, 127.0.9.32/32, 127.0.10.0/24, 10.45.0.0/16]
  avAuthentication: { callers: [pool.corp.example] }
  nextHop:
    name: pool.corp.example
    members:
      - { name: fe1.corp.example, address: 127.0.9.31 }
      - { name: fe2.corp.example, address: 127.0.9.32 }
  ports: { accessClients: 443, avTcp: 8443 }
  mediaCredentials: { keyFile: pool.media }
  limits:
    access: { connections: 1000, handshakes: 64, transactions: 10000 }
    av: { allocations: 100 }
`;

/** A document as the loader gives it, for tests. */
export function testDocument(): EdgeDocument {
  const document = parseEdgeDocument(text, { file: '/nonexistent/edge.yaml', files: virtualFiles });
  if (!document.ok) throw new Error(JSON.stringify(document.error));
  return document.value;
}
