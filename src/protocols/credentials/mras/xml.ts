import { SaxesParser, type SaxesTagNS } from 'saxes';
import { err, ok, type Result } from '#kernel';

export interface XmlLimits {
  /** Bytes of the whole document. */
  readonly bytes: number;
  /** Elements inside one another, the root included. */
  readonly depth: number;
  /** Attributes of one element, namespace declarations included. */
  readonly attributes: number;
  /** Elements of the whole document. */
  readonly elements: number;
}

export interface XmlElement {
  readonly name: string;
  readonly namespace: string;
  /** Attributes that are in no namespace. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Text directly inside, CDATA included. */
  readonly text: string;
}

/** `too-large`: over a limit of size or count; `malformed`: everything else that is refused. */
export type XmlProblem = 'too-large' | 'malformed';

interface OpenElement {
  name: string;
  namespace: string;
  attributes: Map<string, string>;
  children: OpenElement[];
  text: string;
}

/** Thrown inside the parser's callbacks to stop it at once. */
class Refusal extends Error {
  readonly problem: XmlProblem;
  constructor(problem: XmlProblem) {
    super(problem);
    this.problem = problem;
  }
}

/**
 * Reads one whole document into a small tree. Refused besides what is not well-formed: document types, processing
 * instructions, comments, encodings other than UTF-8, and whatever is over a limit (the parser has none).
 */
export function readXml(document: Uint8Array, limits: XmlLimits): Result<XmlElement, XmlProblem> {
  if (document.length > limits.bytes) return err('too-large');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(document);
  } catch {
    return err('malformed');
  }
  try {
    return ok(new TreeReader(limits).read(text));
  } catch (error) {
    if (error instanceof Refusal) return err(error.problem);
    throw error;
  }
}

class TreeReader {
  readonly #limits: XmlLimits;
  readonly #open: OpenElement[] = [];
  #root: OpenElement | undefined;
  #elements = 0;
  #attributes = 0;

  constructor(limits: XmlLimits) {
    this.#limits = limits;
  }

  read(text: string): XmlElement {
    const parser = new SaxesParser({ xmlns: true, position: false });
    const refuse = (): never => {
      throw new Refusal('malformed');
    };
    parser.on('error', refuse);
    parser.on('doctype', refuse);
    parser.on('comment', refuse);
    parser.on('processinginstruction', refuse);
    parser.on('xmldecl', ({ version, encoding }) => {
      // XML 1.1 would let in control characters, which an answer in XML 1.0 could not echo.
      if (version !== '1.0') refuse();
      if (encoding !== undefined && !/^(utf-8|us-ascii)$/i.test(encoding)) refuse();
    });
    parser.on('opentagstart', () => {
      this.#attributes = 0;
    });
    parser.on('attribute', () => {
      this.#attributes += 1;
      if (this.#attributes > this.#limits.attributes) throw new Refusal('too-large');
    });
    parser.on('opentag', (tag) => this.#handleOpen(tag));
    parser.on('text', (piece) => this.#handleText(piece));
    parser.on('cdata', (piece) => this.#handleText(piece));
    parser.on('closetag', () => this.#open.pop());
    parser.write(text).close();
    return this.#root ?? refuse();
  }

  #handleOpen(tag: SaxesTagNS): void {
    this.#elements += 1;
    if (this.#elements > this.#limits.elements) throw new Refusal('too-large');
    if (this.#open.length >= this.#limits.depth) throw new Refusal('malformed');
    const attributes = new Map<string, string>();
    for (const attribute of Object.values(tag.attributes)) {
      if (attribute.uri === '') attributes.set(attribute.local, attribute.value);
    }
    const element: OpenElement = { name: tag.local, namespace: tag.uri, attributes, children: [], text: '' };
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
    this.#open.push(element);
  }

  #handleText(piece: string): void {
    const inside = this.#open.at(-1);
    if (inside !== undefined) inside.text += piece;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** For text and for attribute values in either quotation mark. The input must consist of XML characters. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\t\n\r]/g, (character) => escapes[character] ?? character);
}
