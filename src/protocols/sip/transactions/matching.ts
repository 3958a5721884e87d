import type { SipRequest, SipResponse } from '../messages/message.ts';

/** What a branch parameter begins with when it is unique by itself (RFC 3261 §8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

/** Whether the request comes from an element older than RFC 3261, whose branch identifies nothing. */
export function isLegacy(request: SipRequest): boolean {
  const { branch } = request.topVia;
  return branch === undefined || branch.length === MAGIC_COOKIE.length || !startsWithCookie(branch);
}

/**
 * RFC 3261 §17.2.3 as one string: requests of one server transaction have the same key, `method` being
 * INVITE for an ACK and for finding what a CANCEL names (§9.2).
 */
export function serverKey(request: SipRequest, method: string, scope: string, legacy: boolean): string {
  const { host, port, branch } = request.topVia;
  const sentBy = port === undefined ? host : `${host}:${port}`;
  if (!legacy) return `${scope} ${method} ${branch} ${sentBy}`;
  const { callId, cseq, from, uri } = request;
  return `${scope} ${method} - ${sentBy} ${branch ?? ''} ${cseq.number} ${from.tag ?? ''} ${callId} ${uri}`;
}

/** RFC 3261 §17.1.3. */
export function clientKey(branch: string, method: string, scope: string): string {
  return `${scope} ${method} ${branch}`;
}

/** Undefined when the topmost Via cannot be ours. */
export function clientKeyOf(response: SipResponse, scope: string): string | undefined {
  const { branch } = response.topVia;
  if (branch === undefined || !startsWithCookie(branch)) return undefined;
  return clientKey(branch, response.cseq.method, scope);
}

/** Parameter values are compared without regard to case (RFC 3261 §7.3.1), the cookie among them. */
function startsWithCookie(branch: string): boolean {
  if (branch.startsWith(MAGIC_COOKIE)) return true;
  return branch.slice(0, MAGIC_COOKIE.length).toLowerCase() === 'z9hg4bk';
}
