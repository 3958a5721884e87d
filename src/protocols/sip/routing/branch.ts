import { hash } from 'node:crypto';
import { type Random, randomToken } from '#kernel';
import type { SipRequest } from '../messages/message.ts';
import type { Via } from '../messages/via.ts';

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
 * A print of everything in a request that decides where it goes (RFC 5393 §4.2, RFC 3261 §16.6 step 8). The
 * same request that comes back with the same print has looped; with another one it is a spiral, which is
 * legal.
 */
export function loopPrint(request: SipRequest): string {
  const fields = [
    request.uri,
    request.callId,
    request.from.tag ?? '',
    request.to.tag ?? '',
    String(request.cseq.number),
    request.values('Route').join(),
    request.values('Proxy-Require').join(),
    request.values('Proxy-Authorization').join(),
  ];
  return hash('sha256', fields.join('\n'), 'hex').slice(0, 16);
}

/** True when a Via that is ours carries the print that this request has now (RFC 3261 §16.3 step 4). */
export function hasLooped(request: SipRequest, isOurs: (via: Via) => boolean): boolean {
  const ours = request.vias().filter(isOurs);
  if (ours.length === 0) return false;
  const ending = SEPARATOR + loopPrint(request);
  return ours.some((via) => via.branch?.endsWith(ending) === true);
}
