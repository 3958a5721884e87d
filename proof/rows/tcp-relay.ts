import assert from 'node:assert/strict';
import { addresses, type EdgeName, type Family, ofFamily } from '../network/addresses.ts';
import { relayPorts } from '../programs/documents.ts';
import type { Perimeter } from '../programs/perimeter.ts';

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

/** An allocation of TCP for dora, at the inner 443 of the other organisation's edge. */
export async function openTcpRelayForDora(
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
