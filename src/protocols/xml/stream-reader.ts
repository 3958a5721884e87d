import type { Monotonic } from '#kernel';
import type { XmlElement } from './element.ts';
import { BLANK, GuardedParser, Refusal, type XmlProblem } from './guarded-parser.ts';
import type { XmlLimits } from './limits.ts';

/** The opening tag of the stream. */
export interface StreamRoot {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** The default namespace that it declares. */
  readonly content: string;
}

export type XmlEvent =
  | { readonly type: 'root'; readonly root: StreamRoot }
  | { readonly type: 'element'; readonly element: XmlElement }
  | { readonly type: 'end' }
  | { readonly type: 'problem'; readonly problem: XmlProblem };

/** The parser is given no more at a time, so that what is over a limit is noticed before much is made of it. */
const SLICE = 4096;

/**
 * Restricted XML of one stream in one direction: bytes in, whole stanzas out. Bytes are counted here from the first
 * one, everything else by the parser. After a problem nothing more comes out.
 */
export class XmlStreamReader {
  #limits: XmlLimits;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #parser: GuardedParser;
  #events: XmlEvent[] = [];
  #rootOpen = false;
  #over = false;
  /** Bytes since the last whole item. */
  #pending = 0;
  /** Of the slice being read: its text, and how far the last item that ended in it reached. */
  #mark = -1;
  #slice = '';
  #sliceBytes = 0;
  #sliceStart = 0;
  /** Code units given to the parser, whose `position` counts them too while it parses. */
  #fed = 0;
  #started: Monotonic | undefined;

  constructor(limits: XmlLimits) {
    this.#limits = limits;
    this.#parser = new GuardedParser(limits, 1, {
      around: ({ name, namespace, attributes }, content) => {
        this.#rootOpen = true;
        this.#itemEnds();
        this.#events.push({ type: 'root', root: { name, namespace, attributes, content } });
      },
      item: (element) => {
        this.#itemEnds();
        this.#events.push({ type: 'element', element });
      },
      aroundEnds: () => {
        this.#itemEnds();
        this.#events.push({ type: 'end' });
      },
    });
  }

  /** When the first byte of the item under way arrived; undefined between items. */
  get started(): Monotonic | undefined {
    return this.#started;
  }
  /** The rest of the item under way has not been asked for: its age is counted from now on. */
  hold(now: Monotonic): void {
    if (this.#started !== undefined) this.#started = now;
  }
  /** Bytes of the item under way. */
  get pending(): number {
    return this.#pending;
  }
  /** Other bounds from the next byte on. */
  allow(limits: XmlLimits): void {
    this.#limits = limits;
    this.#parser.allow(limits);
  }
  /** No more comes out, not even from bytes that were handed in already. */
  stop(): void {
    this.#over = true;
    this.#events = [];
  }

  /**
   * The events come one at a time, so that whoever stops the reader between two of them has stopped it in the middle
   * of the bytes.
   */
  *read(bytes: Uint8Array, now: Monotonic): Generator<XmlEvent, void> {
    for (let at = 0; at < bytes.length && !this.#over; at += SLICE) {
      this.#feed(bytes.subarray(at, at + SLICE), now);
      const events = this.#events;
      this.#events = [];
      for (const event of events) {
        if (this.#over && event.type !== 'problem') return;
        if (event.type === 'problem' || event.type === 'end') this.#over = true;
        yield event;
      }
    }
  }

  #feed(bytes: Uint8Array, now: Monotonic): void {
    const text = this.#decode(bytes);
    if (text === undefined) return;
    const idle = this.#started === undefined && this.#rootOpen;
    const slice = idle ? text.replace(/^[ \t\r\n]+/, '') : text;
    this.#slice = slice;
    this.#sliceBytes = bytes.length - (text.length - slice.length);
    if (this.#sliceBytes === 0) return;
    this.#sliceStart = this.#fed;
    this.#mark = -1;
    this.#started ??= now;
    this.#fed += slice.length;
    try {
      this.#parser.write(slice);
      this.#account(now);
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem;
      this.#events.push({ type: 'problem', problem: problem.problem });
    }
  }

  #decode(bytes: Uint8Array): string | undefined {
    try {
      return this.#decoder.decode(bytes, { stream: true });
    } catch {
      this.#events.push({ type: 'problem', problem: 'not-utf-8' });
      return undefined;
    }
  }

  /** What is left of the slice after the last whole item belongs to the next one. */
  #account(now: Monotonic): void {
    if (this.#mark < 0) {
      this.#pending += this.#sliceBytes;
    } else {
      const rest = this.#slice.slice(this.#mark);
      const blank = BLANK.test(rest);
      this.#pending = blank ? 0 : this.#bytesOf(rest);
      this.#started = blank ? undefined : now;
    }
    if (this.#pending > this.#limits.bytes) throw new Refusal('too-many-bytes');
  }
  #bytesOf(part: string): number {
    const ascii = this.#sliceBytes === this.#slice.length;
    return ascii ? part.length : Buffer.byteLength(part);
  }
  /** An item ended at the parser's position. */
  #itemEnds(): void {
    const end = this.#parser.position - this.#sliceStart;
    const begin = Math.max(this.#mark, 0);
    const before = this.#mark < 0 ? this.#pending : 0;
    if (before + this.#bytesOf(this.#slice.slice(begin, end)) > this.#limits.bytes) {
      throw new Refusal('too-many-bytes');
    }
    this.#mark = end;
  }
}
