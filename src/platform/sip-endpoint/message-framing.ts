import type { Monotonic } from '#kernel';
import { type FramerEvent, parseSipMessage, type SipLimits } from '#protocols/sip';

/** What a flow needs of whoever cuts its octets into messages: `SipStreamFramer` on a stream. */
export interface Framing {
  /** When the message that has begun must be complete; undefined between messages. */
  readonly deadline: Monotonic | undefined;
  push(chunk: Buffer, now: Monotonic): FramerEvent[];
}

const LINE_ENDS = /^(?:\r\n)+$/;
/** Longer than any keep-alive. */
const MOST_LINE_ENDS = 16;

/**
 * The framing of a transport that keeps messages apart (RFC 7118 §5): one SIP message each, no more and no less. The
 * body goes to its end; a Content-Length that says otherwise ends the flow, for then two parsers would disagree.
 */
export class MessageFraming implements Framing {
  readonly deadline = undefined;
  readonly #limits: SipLimits;

  constructor(limits: SipLimits) {
    this.#limits = limits;
  }

  push(chunk: Buffer): FramerEvent[] {
    if (chunk.length <= MOST_LINE_ENDS && LINE_ENDS.test(chunk.toString('latin1'))) {
      return chunk.length >= 4 ? [{ type: 'ping' }] : [];
    }
    const parsed = parseSipMessage(chunk, this.#limits);
    if (parsed.ok) {
      if (parsed.value.bytes.length === chunk.length) return [{ type: 'message', message: parsed.value }];
      return [{ type: 'close', reason: 'content-length' }];
    }
    const { error } = parsed;
    if (error.kind === 'unknown') return [{ type: 'close', reason: error.reason }];
    const fatal = error.reason === 'body-too-short';
    if (error.kind === 'request') return [{ type: 'bad-request', fatal, ...error }];
    return [{ type: 'bad-response', fatal, reason: error.reason }];
  }
}
