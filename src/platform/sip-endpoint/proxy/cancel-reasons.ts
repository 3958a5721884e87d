import { headerId, type SipRequest } from '#protocols/sip';

const REASON = headerId('Reason');
/** Of one CANCEL; each has a protocol of its own (RFC 3326 §2). */
const MOST_REASONS = 4;

/** Whoever rings in vain is told that nobody missed the call (RFC 3326 §3.1). */
export const ANSWERED_ELSEWHERE: readonly string[] = ['SIP;cause=200;text="Call completed elsewhere"'];

/** Why a request is given up, as Reason values; undefined when that is not said. */
export function reasonsOf(cancel: SipRequest): readonly string[] | undefined {
  return cancel.has(REASON) ? cancel.values(REASON).slice(0, MOST_REASONS) : undefined;
}
