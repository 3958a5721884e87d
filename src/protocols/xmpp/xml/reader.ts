import { SaxesParser, type SaxesTagNS } from 'saxes';
import type { Monotonic } from '#kernel';
import type { ForeignAttribute, XmlElement } from './element.ts';
import type { XmlLimits } from './limits.ts';

/** Why the XML of a stream is refused; closed, for metrics. */
export const xmlProblems = [
  'not-well-formed',
  'not-utf-8',
  'doctype',
  'comment',
  'processing-instruction',
  'entity',
  'xml-version',
  'text-between-stanzas',
  'too-many-bytes',
  'too-deep',
  'too-many-attributes',
  'too-many-elements',
  'too-many-namespaces',
  'name-too-long',
] as const;

export type XmlProblem = (typeof xmlProblems)[number];

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

class Refusal extends Error {
  readonly problem: XmlProblem;
  constructor(problem: XmlProblem) {
    super(problem);
    this.problem = problem;
  }
}

interface OpenElement extends XmlElement {
  readonly attributes: Map<string, string>;
  readonly foreign: ForeignAttribute[];
  readonly children: (OpenElement | string)[];
}

const BLANK = /^[ \t\r\n]*$/;
/** May stand in a name, but not first in it; the parser looks at a whole name only, prefix and all. */
const NO_NAME_START = /^(?:[-.0-9\u00b7\u203f\u2040]|[\u0300-\u036f])/;
const UNDEFINED_ENTITY = /undefined entity/i;
/** The parser is given no more at a time, so that what is over a limit is noticed before much is made of it. */
const SLICE = 4096;

/**
 * Restricted XML (RFC 6120 §11.1) of one stream in one direction: bytes in, whole stanzas out. The parser behind it has
 * no limits of its own; every one is counted here, from the first byte. After a problem nothing more comes out.
 */
export class XmlStreamReader {
  #limits: XmlLimits;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #parser = new SaxesParser({ xmlns: true, position: false });
  readonly #open: OpenElement[] = [];
  #events: XmlEvent[] = [];
  #rootOpen = false;
  #over = false;
  #attributes = 0;
  #elements = 0;
  #declarations = 0;
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
    this.#listen();
  }

  /** When the first byte of the item under way arrived; undefined between items. */
  get started(): Monotonic | undefined {
    return this.#started;
  }
  /** Bytes of the item under way. */
  get pending(): number {
    return this.#pending;
  }
  /** Other bounds from the next byte on. */
  allow(limits: XmlLimits): void {
    this.#limits = limits;
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
    this.#elements = 0;
    this.#declarations = 0;
  }

  #listen(): void {
    const parser = this.#parser;
    const refuse = (problem: XmlProblem) => () => {
      throw new Refusal(problem);
    };
    parser.on('error', (error) => {
      throw new Refusal(UNDEFINED_ENTITY.test(error.message) ? 'entity' : 'not-well-formed');
    });
    parser.on('doctype', refuse('doctype'));
    parser.on('comment', refuse('comment'));
    parser.on('processinginstruction', refuse('processing-instruction'));
    parser.on('xmldecl', ({ version, encoding }) => {
      if (version !== '1.0') throw new Refusal('xml-version');
      if (encoding !== undefined && !/^utf-8$/i.test(encoding)) throw new Refusal('not-utf-8');
    });
    parser.on('opentagstart', ({ name }) => this.#handleTagStart(name));
    parser.on('attribute', ({ name }) => this.#handleAttribute(name));
    parser.on('opentag', (tag) => this.#handleOpen(tag));
    parser.on('text', (text) => this.#handleText(text));
    parser.on('cdata', (text) => this.#handleText(text));
    parser.on('closetag', () => this.#handleClose());
  }

  #handleTagStart(name: string): void {
    this.#attributes = 0;
    this.#elements += 1;
    if (this.#elements > this.#limits.elements) throw new Refusal('too-many-elements');
    if (this.#open.length >= this.#limits.depth) throw new Refusal('too-deep');
    this.#checkName(name);
  }
  #handleAttribute(name: string): void {
    this.#attributes += 1;
    if (this.#attributes > this.#limits.attributes) throw new Refusal('too-many-attributes');
    this.#checkName(name);
    if (name !== 'xmlns' && !name.startsWith('xmlns:')) return;
    this.#declarations += 1;
    if (this.#declarations > this.#limits.declarations) throw new Refusal('too-many-namespaces');
  }

  /** What is behind a prefix is a name of its own, since it may be written again without the prefix. */
  #checkName(name: string): void {
    if (name.length > this.#limits.nameLength) throw new Refusal('name-too-long');
    if (NO_NAME_START.test(name.slice(name.indexOf(':') + 1))) throw new Refusal('not-well-formed');
  }

  #handleOpen(tag: SaxesTagNS): void {
    const opened = openElement(tag);
    if (!this.#rootOpen) {
      this.#rootOpen = true;
      this.#itemEnds();
      const { name, namespace, attributes } = opened;
      this.#events.push({
        type: 'root',
        root: { name, namespace, attributes, content: tag.ns[''] ?? '' },
      });
      return;
    }
    this.#open.at(-1)?.children.push(opened);
    this.#open.push(opened);
  }

  #handleText(text: string): void {
    const inside = this.#open.at(-1);
    if (inside !== undefined) appendText(inside.children, text);
    else if (!BLANK.test(text)) throw new Refusal('text-between-stanzas');
  }

  #handleClose(): void {
    const closed = this.#open.pop();
    if (closed === undefined) {
      this.#itemEnds();
      this.#events.push({ type: 'end' });
    } else if (this.#open.length === 0) {
      this.#itemEnds();
      this.#events.push({ type: 'element', element: closed });
    }
  }
}

/** Pieces of one text stay one text, wherever the transport cut it. */
function appendText(children: (OpenElement | string)[], text: string): void {
  const last = children.length - 1;
  const before = children[last];
  if (typeof before === 'string') children[last] = before + text;
  else children.push(text);
}

function openElement(tag: SaxesTagNS): OpenElement {
  const attributes = new Map<string, string>();
  const foreign: ForeignAttribute[] = [];
  for (const key in tag.attributes) {
    const attribute = tag.attributes[key]!;
    if (attribute.uri === '') attributes.set(attribute.local, attribute.value);
    else if (attribute.name === 'xml:lang') attributes.set('xml:lang', attribute.value);
    else if (attribute.prefix !== 'xmlns' && attribute.name !== 'xmlns') {
      foreign.push({ namespace: attribute.uri, name: attribute.local, value: attribute.value });
    }
  }
  return { name: tag.local, namespace: tag.uri, attributes, foreign, children: [] };
}
