import assert from 'node:assert/strict';
import {
  type AddressPair,
  addresses,
  type EdgeName,
  edgeNames,
  type Family,
  ofFamily,
} from '../network/addresses.ts';
import type { Elsewhere } from '../programs/outside.ts';
import type { Perimeter, User } from '../programs/perimeter.ts';

/** Sends an instant message and asserts that it arrived, from whom and what. */
export async function sendMessage(perimeter: Perimeter, from: User, to: User, text: string): Promise<void> {
  const [sender, receiver] = [await perimeter.signedIn(from), await perimeter.signedIn(to)];
  await perimeter.phoneOf(from).call('message', { user: sender, to: receiver, text });
  await hears(perimeter, to, sender, text);
}

async function hears(perimeter: Perimeter, person: User, from: string, text: string): Promise<void> {
  const user = await perimeter.signedIn(person);
  const message = await perimeter.phoneOf(person).call('nextMessage', { user });
  assert.deepEqual(message, { from: `sip:${from}`, text });
}

/** How somebody elsewhere writes to a person here. */
interface Inward {
  /** `user@domain` */
  readonly from: string;
  readonly to: User;
  readonly edge: EdgeName;
  readonly family: Family;
}

/** Somebody elsewhere writes to a person here, by one edge; asserts that it arrived, from whom and what. */
export async function writeInward(
  perimeter: Perimeter,
  { kamailio, at }: Elsewhere,
  { from, to, edge, family }: Inward,
): Promise<void> {
  const receiver = await perimeter.signedIn(to);
  const text = `from ${from} to ${to} by ${edge}`;
  const bracketed = (pair: AddressPair) => (family === 4 ? pair.v4 : `[${pair.v6}]`);
  const status = await kamailio.sends({
    from: `sip:${from}`,
    to: `sip:${receiver}`,
    edge: `${bracketed(addresses[edge].access)}:5061`,
    socket: bracketed(at),
    text,
  });
  assert.equal(status, '200', `${edge} took the message of ${from}`);
  await hears(perimeter, to, from, text);
}

/** Messages are sent until each edge has carried one; the chance that this many all go by one edge is one in 2^23. */
const MOST_MESSAGES = 24;

/**
 * A person here writes to somebody elsewhere until both edges have carried it there: asserts that they come from their
 * Access addresses of this family, show their certificate, and say that the sender is verified. Gives those addresses.
 */
export async function writeOutward(
  perimeter: Perimeter,
  { kamailio }: Elsewhere,
  { from, to, family }: { readonly from: User; readonly to: string; readonly family: Family },
): Promise<string[]> {
  const sender = await perimeter.signedIn(from);
  const access = edgeNames.map((edge) => ofFamily(addresses[edge].access, family)).sort();
  const sources = new Set<string>();
  for (let sent = 0; sent < MOST_MESSAGES && sources.size < access.length; sent++) {
    const text = `${from} to ${to}, ${sent}`;
    await perimeter.phoneOf(from).call('message', { user: sender, to, text });
    const line = await kamailio.took(text);
    assert.match(line, /verified=1 san=sip\.proof\.test level=ms-source-verified-user=verified/);
    sources.add(/src=(\S+)/.exec(line)?.[1] ?? '');
  }
  assert.deepEqual([...sources].sort(), access, `each edge wrote to ${to}`);
  return access;
}
