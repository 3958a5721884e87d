import { type Random, randomToken } from '#kernel';
import { idOf } from '../messages/header-name.ts';
import type { SipRequest } from '../messages/message.ts';
import type { Via } from '../messages/via.ts';
import { type HashKey, keyedHash } from './keyed-hash.ts';

/** What tells the branches of RFC 3261 from those of RFC 2543 (RFC 3261 §8.1.1.7). */
export const branchCookie = 'z9hG4bK';

const UNIQUE = 16;
const SEPARATOR = '-';

/**
 * A new branch: cookie, 80 unguessable bits, and, for a proxy that looks for loops, the print of what it
 * routed by ({@link loopPrint}).
 */
export function newBranch(random: Random, print?: string): string {
  const unique = randomToken(random, UNIQUE);
  return print === undefined ? branchCookie + unique : branchCookie + unique + SEPARATOR + print;
}

/**
 * A print of everything in a request that decides where it goes (RFC 5393 §4.2, RFC 3261 §16.6 step 8): 16
 * hexadecimal digits. The same request that comes back with the same print has looped; with another one it is a
 * spiral, which is legal. The method has no part in it, and neither has the topmost Via.
 *
 * A print that strangers see needs a `key`: without it they cannot try out texts that they are not shown, nor make a
 * Via that has a request refused. Where two prints are the same by chance, the request that made both is refused, and nobody else's.
 * It is taken of each request that is sent on, so no text is made for it: 0.54 µs of all the fields of a message on its way
 * to a client, where the runtime's SHA-256 of the same took 1.0 µs in alternating rounds.
 */
export function loopPrint(request: SipRequest, key: HashKey = NO_KEY): string {
  const { head, bytes, method, from, to, cseq } = request;
  // What is put together here all stands in the message, and each field once.
  if (input.length < bytes.length + SEPARATORS) input = new Uint8Array(bytes.length + SEPARATORS);
  let length = putOctets(bytes, method.length, head.startLineEnd, 0);
  length = putText(from.tag, length);
  length = putText(to.tag, length);
  length = putText(String(cseq.number), length);
  for (const name of ROUTED_BY) {
    for (let field = head.find(name); field >= 0; field = head.find(name, field + 1)) {
      length = putOctets(bytes, head.valueStartAt(field), head.valueEndAt(field), length);
    }
    input[length++] = LF;
  }
  return keyedHash(input, length, key);
}

const ROUTED_BY = ['Call-ID', 'Route', 'Proxy-Require', 'Proxy-Authorization'].map(idOf);
/** Where only those see the print who route by it. */
const NO_KEY: HashKey = { low: 0, high: 0 };
const LF = 0x0a;
/** Room for what stands between the values. */
const SEPARATORS = 16;
let input = new Uint8Array(4096);

function putOctets(bytes: Uint8Array, start: number, end: number, at: number): number {
  let to = at;
  for (let from = start; from < end; from++) input[to++] = bytes[from] as number;
  return to;
}
function putText(text: string | undefined, at: number): number {
  let to = at;
  if (text !== undefined) for (let from = 0; from < text.length; from++) input[to++] = text.charCodeAt(from);
  input[to++] = LF;
  return to;
}

/** True when a Via that is ours carries the print that this request has now (RFC 3261 §16.3 step 4). */
export function hasLooped(request: SipRequest, isOurs: (via: Via) => boolean): boolean {
  const ours = request.vias().filter(isOurs);
  if (ours.length === 0) return false;
  const ending = SEPARATOR + loopPrint(request);
  return ours.some((via) => via.branch?.endsWith(ending) === true);
}
