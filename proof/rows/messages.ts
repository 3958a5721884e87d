import assert from 'node:assert/strict';
import type { Perimeter } from '../programs/perimeter.ts';
import type { Person } from '../programs/proof-files.ts';

type User = Exclude<Person, 'visitor'>;

/** Sends an instant message and asserts that it arrived, from whom and what. */
export async function sendMessage(perimeter: Perimeter, from: User, to: User, text: string): Promise<void> {
  const [sender, receiver] = [await perimeter.signedIn(from), await perimeter.signedIn(to)];
  await perimeter.actor(from).call('message', { user: sender, to: receiver, text });
  const message = await perimeter.actor(to).call('nextMessage', { user: receiver });
  assert.deepEqual(message, { from: `sip:${sender}`, text });
}
