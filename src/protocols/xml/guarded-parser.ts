import { SaxesParser, type SaxesTagNS } from 'saxes';
import type { ForeignAttribute, XmlElement } from './element.ts';
import type { XmlLimits } from './limits.ts';

/** Why XML is refused; closed, for metrics. */
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

/** Thrown inside the parser's callbacks, so that it stops at once. */
export class Refusal extends Error {
  readonly problem: XmlProblem;
  constructor(problem: XmlProblem) {
    super(problem);
    this.problem = problem;
  }
}

/** What the parser tells its owner. Items are whole elements at a level that the owner has chosen. */
export interface GuardedEvents {
  /** An element around the items has been opened; `content` is the default namespace that it declares. */
  around(element: XmlElement, content: string): void;
  item(element: XmlElement): void;
  /** An element around the items has ended. */
  aroundEnds(): void;
}

interface OpenElement extends XmlElement {
  readonly attributes: Map<string, string>;
  readonly foreign: ForeignAttribute[];
  readonly children: (OpenElement | string)[];
}

export const BLANK = /^[ \t\r\n]*$/;
/** May stand in a name, but not first in it; the parser looks at a whole name only, prefix and all. */
const NO_NAME_START = /^(?:[-.0-9\u00b7\u203f\u2040]|[\u0300-\u036f])/;
const UNDEFINED_ENTITY = /undefined entity/i;

/**
 * A parser of restricted XML (RFC 6120 §11.1): no document types, comments, instructions or entities beyond the five,
 * UTF-8 and XML 1.0 only. The parser behind it has no limits of its own; all but bytes are counted here.
 */
export class GuardedParser {
  #limits: XmlLimits;
  readonly #events: GuardedEvents;
  /** How many elements stand around an item. */
  readonly #itemLevel: number;
  readonly #parser = new SaxesParser({ xmlns: true, position: false });
  readonly #open: OpenElement[] = [];
  #around = 0;
  #attributes = 0;
  #elements = 0;
  #declarations = 0;

  constructor(limits: XmlLimits, itemLevel: number, events: GuardedEvents) {
    this.#limits = limits;
    this.#itemLevel = itemLevel;
    this.#events = events;
    this.#listen();
  }

  /** Code units read so far, also while an event is told. */
  get position(): number {
    return this.#parser.position;
  }
  allow(limits: XmlLimits): void {
    this.#limits = limits;
  }
  /** Throws a `Refusal`. */
  write(text: string): void {
    this.#parser.write(text);
  }
  /** Nothing more comes; throws a `Refusal` when something is missing. */
  close(): void {
    this.#parser.close();
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
      if (encoding !== undefined && !/^(?:utf-8|us-ascii)$/i.test(encoding)) throw new Refusal('not-utf-8');
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
    if (this.#around < this.#itemLevel) {
      this.#around += 1;
      this.#startAfresh();
      this.#events.around(opened, tag.ns[''] ?? '');
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
    if (closed !== undefined && this.#open.length > 0) return;
    this.#startAfresh();
    if (closed === undefined) this.#events.aroundEnds();
    else this.#events.item(closed);
  }

  #startAfresh(): void {
    this.#elements = 0;
    this.#declarations = 0;
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
