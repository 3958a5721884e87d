import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEdgeDocument } from '#platform/topology';
import { addresses } from '../network/addresses.ts';
import { portsText } from '../observe/ports.ts';
import { allProfiles, edgeDocument } from '../programs/documents.ts';
import { plannedInbound, plannedOutbound, type Sender } from './planned.ts';

const parsed = parseEdgeDocument(edgeDocument('edge1', { allowed: [], profiles: allProfiles }), {
  file: 'edge.yaml',
  files: 'unread',
});
assert.ok(parsed.ok);
const document = parsed.value;
const { edge1, edge2, frontEnd, counterparts, bob, alice, partner, resolver } = addresses;
const PORT = 20_001;

function inbound(side: 'external' | 'internal', address: string): Record<string, string> {
  return text(plannedInbound(document, side, { address, port: PORT }));
}
function outbound(sender: Sender, destination: string): Record<string, string> {
  return text(plannedOutbound(document, 'edge1', sender, destination));
}
function text(ports: ReadonlyMap<string, ReadonlySet<number>>): Record<string, string> {
  return Object.fromEntries([...ports].map(([target, set]) => [target, portsText(set)]));
}

test('anybody outside reaches the outer addresses of every edge, of the own family', () => {
  const open = inbound('external', alice.v4);
  assert.deepEqual(open, {
    ...Object.fromEntries(
      [edge1, edge2].flatMap(({ access, webConferencing, av }) => [
        [`${access.v4} tcp`, '443, 5061, 5269'],
        [`${webConferencing.v4} tcp`, '443'],
        [`${av.v4} tcp`, '443, 50000-59999'],
        [`${av.v4} udp`, '3478, 50000-59999'],
      ]),
    ),
  });
  assert.deepEqual(inbound('external', bob.v4), {}, 'nobody inside comes from outside');
});

test('inside, each server reaches what is its own', () => {
  const of = (address: string) => inbound('internal', address);
  const edge = edge1.internal.v4;
  assert.deepEqual(of(bob.v4)[`${edge} tcp`], '443');
  assert.deepEqual(of(bob.v4)[`${edge} udp`], '3478');
  assert.deepEqual(of(frontEnd.v4)[`${edge} tcp`], '443, 5061-5062');
  assert.deepEqual(of(counterparts.v4)[`${edge} tcp`], '443, 4443, 8057, 23456, 50001-50003');
  assert.deepEqual(of(alice.v4), {});
});

test('an edge reaches the next hop inside, and outside what each address is for', () => {
  assert.deepEqual(outbound({ address: edge1.internal.v4, port: PORT }, frontEnd.v4), {
    [`${frontEnd.v4} tcp`]: '5061',
  });
  assert.deepEqual(outbound({ address: edge1.internal.v6, port: PORT }, frontEnd.v6), {
    [`${frontEnd.v6} tcp`]: '5061',
  });
  assert.deepEqual(outbound({ address: edge1.internal.v4, port: PORT }, bob.v4), {});
  assert.deepEqual(outbound({ address: edge1.access.v4, port: PORT }, frontEnd.v4), {});
  assert.deepEqual(outbound({ address: edge2.internal.v4, port: PORT }, frontEnd.v4), {}, 'not its address');
  const out = (address: string, port = PORT) => outbound({ address, port }, partner.v4);
  assert.deepEqual(out(edge1.access.v4), { [`${partner.v4} tcp`]: '80, 5061, 5269' });
  assert.deepEqual(out(edge1.webConferencing.v4), {});
  assert.deepEqual(out(edge1.av.v4), { [`${partner.v4} tcp`]: '443' });
  assert.deepEqual(out(edge1.av.v4, 3478)[`${partner.v4} udp`], '3478');
  assert.deepEqual(out(edge1.av.v4, 50_123), {
    [`${partner.v4} tcp`]: '443, 1024-65535',
    [`${partner.v4} udp`]: '1024-65535',
  });
  const asks = outbound({ address: edge1.access.v4, port: PORT }, resolver.v4);
  assert.deepEqual(asks, { [`${resolver.v4} tcp`]: '53, 80, 5061, 5269', [`${resolver.v4} udp`]: '53' });
});
