import assert from 'node:assert/strict';
import { addresses, type EdgeName, type Family, ofFamily } from '../network/addresses.ts';
import { relayPorts } from '../programs/documents.ts';
import type { Perimeter } from '../programs/perimeter.ts';

const TEXT = 'through two edges by TCP 443';

export interface TcpRelayOrder {
  readonly name: string;
  readonly person: 'alice' | 'carol';
  readonly edge: EdgeName;
  readonly family: Family;
}

/** An allocation of TCP for somebody outside, at the outer 443 of one of our edges. */
export async function openTcpRelay(
  perimeter: Perimeter,
  { name, person, edge, family }: TcpRelayOrder,
): Promise<{ address: string; port: number }> {
  const address = ofFamily(addresses[edge].av, family);
  const { username, password } = perimeter.files.relayCredential(person);
  const relayed = await perimeter.actor(person).call('openTcpRelay', {
    name,
    server: { address, port: 443, username, password },
    localAddress: ofFamily(addresses[person], family),
  });
  assert.equal(relayed.address, address);
  assert.ok(relayed.port >= relayPorts.first && relayed.port <= relayPorts.last, `port ${relayed.port}`);
  return relayed;
}

/** A stream from alice, outside at one of our edges, to dora inside the other organisation, and back. */
export async function playTcpTunnel(perimeter: Perimeter, edge: EdgeName, family: Family): Promise<void> {
  const [alice, dora] = [perimeter.actor('alice'), perimeter.actor('dora')];
  const name = `tunnel by TCP, ${edge} ${family}`;
  const hers = await openTcpRelay(perimeter, { name, person: 'alice', edge, family });
  const theirs = await openTcpRelayForDora(perimeter, name, family);
  await dora.call('permitByTcpRelay', { name, ...hers });
  const asked = alice.call('askByTcpRelay', { name, ...theirs, text: TEXT });
  assert.equal(await dora.call('answerByTcpRelay', { name }), TEXT);
  assert.equal(await asked, TEXT);
  await Promise.all([alice.call('closeTcpRelay', { name }), dora.call('closeTcpRelay', { name })]);
}

/** An allocation of TCP for dora, at the inner 443 of the other organisation's edge. */
async function openTcpRelayForDora(
  perimeter: Perimeter,
  name: string,
  family: Family,
): Promise<{ address: string; port: number }> {
  const address = ofFamily(addresses.foreignEdge.internal, family);
  const { username, password } = perimeter.files.relayCredential('dora', 'foreign');
  const relayed = await perimeter.actor('dora').call('openTcpRelay', {
    name,
    server: { address, port: 443, username, password },
    localAddress: ofFamily(addresses.dora, family),
  });
  assert.equal(relayed.address, ofFamily(addresses.foreignEdge.av, family));
  return relayed;
}
