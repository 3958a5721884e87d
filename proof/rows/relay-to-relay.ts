import assert from 'node:assert/strict';
import { addresses, type Family, ofFamily } from '../network/addresses.ts';
import { until } from '../network/command.ts';
import type { Perimeter } from '../programs/perimeter.ts';

/** Who sends: alice at the first edge's relay, or carol at the second one's. */
export type Direction = 'from edge1' | 'from edge2';

/**
 * Two clients outside, each with an allocation at another edge, each permitted to the other's relayed address. One sends
 * and the other answers; throws unless both were heard.
 */
export async function playRelayToRelay(
  perimeter: Perimeter,
  family: Family,
  direction: Direction,
): Promise<void> {
  const name = `${direction} IPv${family}`;
  const [alice, carol] = [perimeter.actor('alice'), perimeter.actor('carol')];
  const open = async (person: 'alice' | 'carol', edge: 'edge1' | 'edge2') => {
    const { username, password } = perimeter.files.relayCredential(person);
    const address = ofFamily(addresses[edge].av, family);
    const server = { address, port: 3478, username, password };
    const localAddress = ofFamily(addresses[person], family);
    const relayed = await perimeter.actor(person).call('openRelay', { name, server, localAddress });
    assert.equal(relayed.address, address);
    return relayed;
  };
  const [hers, theirs] = [await open('alice', 'edge1'), await open('carol', 'edge2')];
  await alice.call('connectRelay', { name, ...theirs });
  await carol.call('connectRelay', { name, ...hers });
  const [first, second] = direction === 'from edge1' ? [alice, carol] : [carol, alice];
  for (const [sender, receiver, text] of [
    [first, second, 'to the other relay'],
    [second, first, 'and back'],
  ] as const) {
    await sender.call('sendByRelay', { name, text });
    await until(
      `"${text}" had arrived`,
      async () => (await receiver.call('receivedByRelay', { name })).includes(text) || undefined,
    );
  }
  await Promise.all([alice.call('closeRelay', { name }), carol.call('closeRelay', { name })]);
}
