import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgeListeners, parseEdgeDocument } from '#platform/topology';
import { allProfiles, edgeDocument } from '../programs/documents.ts';
import { readSockets, socketDifferences } from './sockets.ts';

const parsed = parseEdgeDocument(edgeDocument('edge1', { allowed: [], profiles: allProfiles }), {
  file: 'edge.yaml',
  files: 'unread',
});
assert.ok(parsed.ok);
const document = parsed.value;
const planned = edgeListeners(document).map(({ transport, address, port }) => {
  return { transport, address, port, holders: '7' };
});

test('the lines of ss are read', () => {
  const lines = `udp UNCONN 0 0 198.51.100.13:3478 0.0.0.0:* users:(("node",pid=7,fd=22),("node",pid=8,fd=2))
tcp LISTEN 0 1024 [2001:db8:51::11]:443 [::]:* users:(("node",pid=7,fd=23))
tcp LISTEN 0 511 *:8443 *:*
udp UNCONN 0 0 0.0.0.0%lo:53 0.0.0.0:*
`;
  assert.deepEqual(readSockets(lines), [
    { transport: 'udp', address: '198.51.100.13', port: 3478, holders: '7 8' },
    { transport: 'tcp', address: '2001:db8:51::11', port: 443, holders: '7' },
    { transport: 'tcp', address: '*', port: 8443, holders: '' },
    { transport: 'udp', address: '0.0.0.0', port: 53, holders: '' },
  ]);
});

test('the sockets of the plan and relayed addresses are no findings', () => {
  const relayed = { transport: 'udp', address: '198.51.100.13', port: 50_123, holders: '7' } as const;
  assert.deepEqual(socketDifferences(document, [...planned, relayed]), []);
});

test('wildcards, strays, services at the wrong interface and missing sockets are', () => {
  const stray = (address: string, port: number, transport: 'tcp' | 'udp' = 'tcp') => {
    return { transport, address, port, holders: '9' };
  };
  const [first, ...rest] = planned;
  assert.ok(first);
  const open = [
    ...rest,
    stray('::', 8443),
    stray('198.51.100.11', 5062),
    stray('198.51.100.12', 80),
    stray('10.45.16.11', 50_123, 'udp'),
  ];
  assert.deepEqual(socketDifferences(document, open), [
    'tcp [::]:8443 is bound to every address (process 9)',
    'tcp 198.51.100.11:5062 is no listener of the plan: int-05 belongs on the internal interface (process 9)',
    'tcp 198.51.100.12:80 is no listener of the plan (process 9)',
    'udp 10.45.16.11:50123 is no listener of the plan (process 9)',
    `tcp ${first.address}:${first.port} is planned and not there`,
  ]);
});
