import { buildAck, buildCancel } from '../messages/build.ts';
import { sipLimits } from '../messages/limits.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { parseSipMessage } from '../messages/parse.ts';
import { NOTHING } from './transaction.ts';

/** What we sent may be longer than what we accept: headers were added to it. */
const ownLimits = { ...sipLimits, messageBytes: 1 << 20, headerLineBytes: 1 << 16, headers: 1000 };

/**
 * The ACK for a final response other than 2xx (RFC 3261 §17.1.1.3); empty when `invite` is no SIP request.
 */
export function ackFor(invite: Buffer, response: SipResponse): Buffer {
  const request = readRequest(invite);
  return request === undefined ? NOTHING : buildAck(request, response);
}

/** The CANCEL for a request of ours that is pending (RFC 3261 §9.1). */
export function cancelFor(sent: Buffer): Buffer | undefined {
  const request = readRequest(sent);
  return request === undefined ? undefined : buildCancel(request);
}

/** The To tag of a response that was built here or passed through. */
export function responseToTag(response: Buffer): string | undefined {
  const parsed = parseSipMessage(response, ownLimits);
  return parsed.ok ? parsed.value.to.tag : undefined;
}

/** Read again only when an INVITE fails or is given up, which spares every other request the trouble. */
function readRequest(sent: Buffer): SipRequest | undefined {
  const parsed = parseSipMessage(sent, ownLimits);
  return parsed.ok && parsed.value.kind === 'request' ? parsed.value : undefined;
}
