import { buildAck, buildCancel } from '../messages/build.ts';
import { Head, scanHead } from '../messages/head.ts';
import { sipLimits } from '../messages/limits.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { makeMessage, parseHead, parseSipMessage } from '../messages/parse.ts';
import { NOTHING } from './transaction.ts';

/** What we sent may be longer than what we accept: headers were added to it. */
const ownLimits = { ...sipLimits, messageBytes: 1 << 20, headerLineBytes: 1 << 16, headers: 1000 };

const most = Number.POSITIVE_INFINITY;
/** For what was found good before. */
const unlimited = { ...sipLimits, messageBytes: most, headerLineBytes: most, headers: most };

/**
 * The ACK for a final response other than 2xx (RFC 3261 §17.1.1.3); empty when `invite` is no SIP request.
 */
export function ackFor(invite: Buffer, response: SipResponse): Buffer {
  const request = readSent(invite);
  return request === undefined ? NOTHING : buildAck(request, response);
}

/** The CANCEL for a request of ours that is pending (RFC 3261 §9.1). */
export function cancelFor(sent: Buffer, reasons: readonly string[]): Buffer | undefined {
  const request = readSent(sent);
  return request === undefined ? undefined : buildCancel(request, reasons);
}

/** The To tag of a response that was built here or passed through. */
export function responseToTag(response: Buffer): string | undefined {
  const parsed = parseSipMessage(response, ownLimits);
  return parsed.ok ? parsed.value.to.tag : undefined;
}

/** What is kept of a request that is only remembered, for {@link readHead}. */
export function headOf({ head }: SipRequest): string {
  return head.text(0, head.end);
}

/**
 * A request of which only the head was kept; whatever its Content-Length says, it has no body.
 * @throws when `text` is not the head of a request that was parsed before
 */
export function readHead(text: string): SipRequest {
  const bytes = Buffer.from(text);
  const head = new Head(bytes, bytes.length, scanHead(bytes, 0, bytes.length, unlimited));
  const parsed = parseHead(head, unlimited);
  const message = parsed.ok ? makeMessage(head, parsed.value) : undefined;
  if (message?.kind !== 'request') throw new TypeError('not the head of a request');
  return message;
}

/**
 * A request that we sent; undefined when it is none. Read again only when an INVITE fails or is given up, which spares
 * every other request the trouble.
 */
export function readSent(sent: Buffer): SipRequest | undefined {
  const parsed = parseSipMessage(sent, ownLimits);
  return parsed.ok && parsed.value.kind === 'request' ? parsed.value : undefined;
}
