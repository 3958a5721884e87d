import type { Monotonic } from '#kernel';
import { classes, TOKEN } from './characters.ts';
import { HEAD_END, Head, scanHead, scanOpenHead } from './head.ts';
import type { SipLimits } from './limits.ts';
import type { SipMessage } from './message.ts';
import {
  contentLengthOf,
  makeMessage,
  type ParsedHead,
  parseHead,
  refusal,
  type SipParseError,
  type SipParseReason,
} from './parse.ts';
import { looksLikeSip } from './start-line.ts';

/**
 * Which side of the CRLF keep-alive this end is (RFC 5626 §4.4.1). Who accepted the connection answers: two
 * CRLF in a row are a ping. Who opened it asks: each CRLF is a pong.
 */
export type KeepAliveSide = 'answers' | 'asks';

export type FramerEvent =
  | { readonly type: 'message'; readonly message: SipMessage }
  /** At least one ping: answer with one CRLF. Pings that arrive together are reported, and answered, once. */
  | { readonly type: 'ping' }
  | { readonly type: 'pong' }
  /** A request that cannot be used. Send `response` if there is one; after a fatal one close the stream. */
  | ({ readonly type: 'bad-request'; readonly fatal: boolean } & SipParseError)
  /** A response that cannot be used: dropped. After a fatal one close the stream. */
  | { readonly type: 'bad-response'; readonly fatal: boolean; readonly reason: SipParseReason }
  | { readonly type: 'close'; readonly reason: FramerCloseReason };

export type FramerCloseReason = SipParseReason | 'message-timeout';

const CR = 0x0d;
const LF = 0x0a;
const SMALLEST_HOLD = 1024;

/**
 * Cuts a stream of octets into SIP messages (RFC 3261 §18.3, RFC 5626 §3.5.1). What it reports depends on the
 * octets only, not on how they were cut into chunks.
 *
 * A message that lies whole in one chunk is not copied: it borrows the chunk, which must not be changed.
 * Octets are looked at once, however small the chunks. After a `close` or a fatal event all further octets
 * are ignored.
 */
export class SipStreamFramer {
  readonly #limits: SipLimits;
  readonly #side: KeepAliveSide;
  readonly #steppedOver: number;
  #state: 'between' | 'head' | 'body' | 'skip' | 'closed' = 'between';
  #events: FramerEvent[] = [];
  #deadline: Monotonic | undefined;
  /** Octets of the message that is being received, unless it is still whole in the chunk. */
  #held: Buffer | undefined;
  #heldLength = 0;
  /** How many octets were searched for the end of the start line; Infinity once it was found good. */
  #startLineScanned = 0;
  /** The head of the message whose body is being received, and the length of both. */
  #pending: { readonly head: Head; readonly parsed: ParsedHead; readonly total: number } | undefined;
  #toSkip = 0;
  /** Line ends between messages: a CR that waits for its LF, and a CRLF that may be half of a ping. */
  #sawCr = false;
  #halfPing = false;

  /**
   * @param steppedOver octets: a refused message that is no longer than this is read to its end and thrown away,
   *   whatever the limits, and the stream goes on behind it
   */
  constructor(limits: SipLimits, side: KeepAliveSide = 'answers', steppedOver = limits.messageBytes) {
    this.#limits = limits;
    this.#side = side;
    this.#steppedOver = steppedOver;
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }
  /** When the message that has begun must be complete; undefined between messages. */
  get deadline(): Monotonic | undefined {
    return this.#deadline;
  }
  /** Octets kept for a message that is not complete. */
  get heldBytes(): number {
    return this.#held?.length ?? 0;
  }

  push(chunk: Buffer, now: Monotonic): FramerEvent[] {
    this.#expire(now);
    let at = 0;
    while (at < chunk.length && this.#state !== 'closed') {
      if (this.#state === 'between') at = this.#between(chunk, at, now);
      else if (this.#state === 'head') at = this.#inHead(chunk, at);
      else if (this.#state === 'body') at = this.#inBody(chunk, at);
      else at = this.#skip(chunk, at);
    }
    return this.#take();
  }

  /** Call when {@link deadline} has passed. */
  checkDeadline(now: Monotonic): FramerEvent[] {
    this.#expire(now);
    return this.#take();
  }

  #expire(now: Monotonic): void {
    if (this.#deadline !== undefined && now >= this.#deadline) this.#close('message-timeout');
  }

  #take(): FramerEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  /** Line ends before a start line are keep-alives or are ignored (RFC 3261 §7.5). */
  #between(chunk: Buffer, from: number, now: Monotonic): number {
    for (let at = from; at < chunk.length; at++) {
      const octet = chunk[at]!;
      if (this.#sawCr) {
        if (octet !== LF) return this.#close('line-break');
        this.#sawCr = false;
        this.#deadline = undefined;
        this.#lineEnd();
      } else if (octet === CR) {
        this.#sawCr = true;
        this.#deadline ??= now + this.#limits.messageMs;
      } else {
        if ((classes[octet]! & TOKEN) === 0) return this.#close('not-sip');
        this.#state = 'head';
        this.#startLineScanned = 0;
        this.#halfPing = false;
        this.#deadline = now + this.#limits.messageMs;
        return at;
      }
    }
    return chunk.length;
  }

  #lineEnd(): void {
    if (this.#side === 'asks') {
      this.#report('pong');
    } else if (this.#halfPing) {
      this.#halfPing = false;
      this.#report('ping');
    } else {
      this.#halfPing = true;
    }
  }

  /** A flood of keep-alives in one chunk must not become a flood of answers. */
  #report(type: 'ping' | 'pong'): void {
    if (this.#events.at(-1)?.type !== type) this.#events.push({ type });
  }

  #inHead(chunk: Buffer, at: number): number {
    if (this.#held === undefined) {
      const next = this.#wholeHead(chunk, at);
      if (next >= 0) return next;
      if (!this.#checkStartLine(chunk, at, chunk.length)) return chunk.length;
      const blank = chunk.indexOf(HEAD_END, at);
      const end = blank < 0 ? chunk.length : blank + 4;
      if (end - at > this.#limits.messageBytes) return this.#close('message-too-large');
      if (blank < 0) return this.#hold(chunk, at, chunk.length);
      const scan = scanHead(chunk, at, end, this.#limits);
      const last = Math.min(end + Math.max(scan.contentLength, 0), chunk.length);
      const bytes = at === 0 && last === chunk.length ? chunk : chunk.subarray(at, last);
      return this.#headComplete(new Head(bytes, end - at, scan), last - end, chunk, end);
    }
    const next = this.#extendHead(chunk, at);
    const held = this.#held;
    const length = this.#heldLength;
    const complete = endsWith(held, 0, length, HEAD_END);
    if (!this.#checkStartLine(held, 0, length)) return chunk.length;
    if (length > this.#limits.messageBytes) return this.#close('message-too-large');
    if (!complete) return next;
    return this.#headComplete(
      new Head(held, length, scanHead(held, 0, length, this.#limits)),
      0,
      chunk,
      next,
    );
  }

  /**
   * Nearly every head lies whole in one chunk and has nothing to object to: then it is read once, and what is searched for
   * elsewhere is found on the way. Otherwise -1, and nothing has happened yet.
   */
  #wholeHead(chunk: Buffer, at: number): number {
    const limits = this.#limits;
    if (this.#startLineScanned > 0) return -1;
    const scan = scanOpenHead(chunk, at, Math.min(chunk.length, at + limits.messageBytes), limits);
    if (scan === undefined || scan.problem !== undefined) return -1;
    const lineEnd = at + scan.startLineEnd + 1;
    if (scan.startLineEnd + 2 > limits.headerLineBytes || !isPlainStartLine(chunk, at, lineEnd)) return -1;
    const { end } = scan;
    const last = Math.min(end + Math.max(scan.contentLength, 0), chunk.length);
    const bytes = at === 0 && last === chunk.length ? chunk : chunk.subarray(at, last);
    return this.#headComplete(new Head(bytes, end - at, scan), last - end, chunk, end);
  }

  /** Moves octets up to the end of the head, and no further, behind the held ones. */
  #extendHead(chunk: Buffer, at: number): number {
    const before = this.#heldLength;
    const straddle = Math.min(at + 3, chunk.length);
    this.#hold(chunk, at, straddle);
    const blank = this.#held!.subarray(0, this.#heldLength).indexOf(HEAD_END, Math.max(before - 3, 0));
    if (blank >= 0) {
      this.#heldLength = blank + 4;
      return at + this.#heldLength - before;
    }
    const later = chunk.indexOf(HEAD_END, at);
    // One octet beyond the limit is enough to know that it is exceeded.
    const room = at + this.#limits.messageBytes + 1 - before;
    const end = Math.min(later < 0 ? chunk.length : later + 4, Math.max(room, straddle));
    return this.#hold(chunk, straddle, end);
  }

  /** Looks at the first line as soon as it is there, so that HTTP or noise is not waited for. */
  #checkStartLine(bytes: Buffer, start: number, end: number): boolean {
    if (this.#startLineScanned === Infinity) return true;
    const limit = Math.min(this.#limits.headerLineBytes, this.#limits.messageBytes);
    const found = bytes.indexOf(LF, start + this.#startLineScanned);
    const lineEnd = found < 0 || found >= end ? end : found;
    // The line end counts, and there is at least its last octet to come where it has not been found.
    if (lineEnd - start + 1 > limit) {
      this.#close('start-line-too-long');
      return false;
    }
    this.#startLineScanned = lineEnd === end ? lineEnd - start : Infinity;
    if (lineEnd === end) return true;
    if (isPlainStartLine(bytes, start, lineEnd)) return true;
    if (looksLikeSip(bytes.toString('latin1', start, lineEnd).replace(/\r$/, ''))) return true;
    this.#close('not-sip');
    return false;
  }

  /**
   * The head is followed in its memory by `more` octets that are `chunk` from `next` on.
   * Returns how far the chunk is used up.
   */
  #headComplete(head: Head, more: number, chunk: Buffer, next: number): number {
    const { bytes, end: length } = head;
    const parsed = parseHead(head, this.#limits);
    if (!parsed.ok) return this.#badHead(head, parsed.error, next);
    const { contentLength, line } = parsed.value;
    if (contentLength === undefined) {
      return this.#badHead(head, refusal('content-length-missing', head, line, this.#limits), next);
    }
    const total = length + contentLength;
    if (total > this.#limits.messageBytes) {
      return this.#badHead(head, refusal('message-too-large', head, line, this.#limits), next);
    }
    if (contentLength <= more || contentLength === 0) {
      const whole = bytes.length === total ? head : head.moved(bytes.subarray(0, total));
      this.#messageComplete(makeMessage(whole, parsed.value));
      return next + contentLength;
    }
    const held = Buffer.allocUnsafe(total);
    bytes.copy(held, 0, 0, length);
    this.#held = held;
    this.#heldLength = length;
    this.#pending = { head, parsed: parsed.value, total };
    this.#state = 'body';
    return chunk.length === next ? next : this.#inBody(chunk, next);
  }

  #inBody(chunk: Buffer, at: number): number {
    const { head, parsed, total } = this.#pending!;
    const end = Math.min(chunk.length, at + total - this.#heldLength);
    this.#heldLength += chunk.copy(this.#held!, this.#heldLength, at, end);
    if (this.#heldLength === total) this.#messageComplete(makeMessage(head.moved(this.#held!), parsed));
    return end;
  }

  #messageComplete(message: SipMessage): void {
    this.#events.push({ type: 'message', message });
    this.#reset('between');
  }

  /** A bad message whose end is known is stepped over; otherwise the stream is lost. */
  #badHead(head: Head, error: SipParseError, next: number): number {
    if (error.kind === 'unknown') return this.#close(error.reason);
    const contentLength = contentLengthOf(head);
    const framed = typeof contentLength === 'number' && head.end + contentLength <= this.#steppedOver;
    const fatal = !framed;
    this.#events.push(
      error.kind === 'request'
        ? { type: 'bad-request', fatal, ...error }
        : { type: 'bad-response', fatal, reason: error.reason },
    );
    if (!framed) {
      this.#reset('closed');
    } else if (contentLength === 0) {
      this.#reset('between');
    } else {
      const deadline = this.#deadline;
      this.#reset('skip');
      this.#deadline = deadline;
      this.#toSkip = contentLength;
    }
    return next;
  }

  #skip(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#toSkip);
    this.#toSkip -= end - at;
    if (this.#toSkip === 0) this.#reset('between');
    return end;
  }

  /**
   * Keeps `chunk[start..end)`; the room doubles, so that many small chunks cost no more than one large, but not beyond
   * what a message may have.
   */
  #hold(chunk: Buffer, start: number, end: number): number {
    const needed = this.#heldLength + end - start;
    if (this.#held === undefined || needed > this.#held.length) {
      const enough = Math.min(Math.max(needed * 2, SMALLEST_HOLD), this.#limits.messageBytes + 1);
      const larger = Buffer.allocUnsafe(Math.max(needed, enough));
      this.#held?.copy(larger, 0, 0, this.#heldLength);
      this.#held = larger;
    }
    this.#heldLength += chunk.copy(this.#held, this.#heldLength, start, end);
    return end;
  }

  #close(reason: FramerCloseReason): number {
    if (this.#state !== 'closed') this.#events.push({ type: 'close', reason });
    this.#reset('closed');
    return Number.MAX_SAFE_INTEGER;
  }

  #reset(state: 'between' | 'skip' | 'closed'): void {
    this.#state = state;
    this.#deadline = undefined;
    this.#held = undefined;
    this.#heldLength = 0;
    this.#pending = undefined;
    this.#sawCr = false;
    this.#halfPing = false;
  }
}

const VERSION_END = Buffer.from(' SIP/2.0\r');
const STATUS_START = Buffer.from('SIP/2.0 ');

/** Nearly every first line ends or begins like this; the others get a slower look. */
function isPlainStartLine(bytes: Buffer, start: number, lf: number): boolean {
  return (
    endsWith(bytes, start, lf, VERSION_END) ||
    (lf - start > STATUS_START.length && endsWith(bytes, start, start + STATUS_START.length, STATUS_START))
  );
}

function endsWith(bytes: Buffer, start: number, end: number, ending: Buffer): boolean {
  const from = end - ending.length;
  if (from < start) return false;
  for (let i = 0; i < ending.length; i++) {
    if (bytes[from + i] !== ending[i]) return false;
  }
  return true;
}
