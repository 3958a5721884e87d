import { MAX_BREADTH } from '../messages/header-name.ts';
import type { SipRequest } from '../messages/message.ts';

/** What a request without the field has (RFC 5393 §5.3.3.1). */
const FIRST_BREADTH = 60;

/** On how many branches at a time a request may still be (RFC 5393 §5.3.1); one that cannot be read counts as none given. */
export function maxBreadth(request: SipRequest): number {
  const value = request.header(MAX_BREADTH);
  return value !== undefined && /^\d{1,6}$/.test(value)
    ? Math.min(Number(value), FIRST_BREADTH)
    : FIRST_BREADTH;
}

/**
 * What each of so many parallel branches may have of it (RFC 5393 §5.3.3); undefined when there is not one for each,
 * which is answered with 440.
 */
export function breadthOfBranch(breadth: number, branches: number): number | undefined {
  const share = Math.floor(breadth / Math.max(branches, 1));
  return share >= 1 ? share : undefined;
}
