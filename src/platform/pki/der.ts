/** One DER element: views into the bytes it was read from. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The input is not DER, or not the structure that was asked for. Caught at the door of this room. */
export class DerError extends Error {}

/** Universal tags used in certificates (X.690). */
export const DerTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  ia5String: 0x16,
  sequence: 0x30,
  set: 0x31,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  /** Context-specific, constructed, number n. */
  explicit: (n: number) => 0xa0 | n,
  /** Context-specific, primitive, number n. */
  implicit: (n: number) => 0x80 | n,
} as const;

/** Strict reader over one level of DER: definite minimal lengths, single-byte tags, nothing beyond the end. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get done(): boolean {
    return this.#offset >= this.#bytes.length;
  }
  /** The tag of the next element without consuming it; undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#offset];
  }
  next(): DerElement {
    const tag = this.#byte();
    if ((tag & 0x1f) === 0x1f) throw new DerError('long tags are not used in certificates');
    const length = this.#length();
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new DerError('an element reaches beyond its container');
    const content = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return { tag, content };
  }
  /** The next element with its tag and length in front, as it was signed. */
  whole(): Uint8Array {
    const begin = this.#offset;
    this.next();
    return this.#bytes.subarray(begin, this.#offset);
  }
  /** The next element, which must have this tag. */
  expect(tag: number): Uint8Array {
    const element = this.next();
    if (element.tag !== tag) throw new DerError(`tag ${element.tag} where ${tag} is expected`);
    return element.content;
  }
  /** Consumes and returns the next element if it has this tag. */
  optional(tag: number): Uint8Array | undefined {
    return this.peek() === tag ? this.next().content : undefined;
  }
  /** A reader over the SEQUENCE that comes next. */
  sequence(): DerReader {
    return new DerReader(this.expect(DerTag.sequence));
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw new DerError('the bytes end inside an element');
    this.#offset += 1;
    return byte;
  }
  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count < 1 || count > 3) throw new DerError('indefinite or oversized length');
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    if (length < (count === 1 ? 0x80 : 2 ** (8 * (count - 1)))) throw new DerError('length is not minimal');
    return length;
  }
}

/** An OBJECT IDENTIFIER in dotted decimal. */
export function readOid(content: Uint8Array): string {
  if (content.length === 0 || content.length > 64) throw new DerError('object identifier of impossible size');
  const arcs: number[] = [];
  let arc = 0;
  for (const [index, byte] of content.entries()) {
    if (arc === 0 && byte === 0x80) throw new DerError('object identifier is not minimal');
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER) throw new DerError('object identifier arc is too large');
    if ((byte & 0x80) === 0) {
      arcs.push(arc);
      arc = 0;
    } else if (index === content.length - 1) throw new DerError('object identifier is cut');
  }
  const first = arcs[0]!;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...arcs.slice(1)].join('.');
}

const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** A UTCTime or GeneralizedTime in the one form of RFC 5280 §4.1.2.5, in milliseconds since 1970. */
export function readTime({ tag, content }: DerElement): number {
  const text = Buffer.from(content.subarray(0, 20)).toString('latin1');
  const century = Number(text.slice(0, 2)) < 50 ? '20' : '19';
  const full = tag === DerTag.utcTime ? `${century}${text}` : tag === DerTag.generalizedTime ? text : '';
  const [, year, month, day, hour, minute, second] = (TIME.exec(full) ?? []).map(Number);
  if (year === undefined) throw new DerError('bad time');
  const time = Date.UTC(year, month! - 1, day, hour, minute, second);
  const date = new Date(time);
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day || date.getUTCHours() !== hour)
    throw new DerError('bad time');
  return time;
}

/** An INTEGER of any size as lower-case hex; serial numbers have at most 20 octets (RFC 5280 §4.1.2.2), some more. */
export function readSerial(content: Uint8Array): string {
  if (content.length < 1 || content.length > 32) throw new DerError('serial number of impossible size');
  return Buffer.from(content).toString('hex');
}

/** A BIT STRING of whole octets, such as a signature. */
export function readBits(content: Uint8Array): Uint8Array {
  if (content.length < 1 || content[0] !== 0) throw new DerError('bad bit string');
  return content.subarray(1);
}

/** A BOOLEAN; DER knows only 0x00 and 0xff. */
export function readBoolean(content: Uint8Array): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError('bad boolean');
  return content[0] === 0xff;
}

/** A non-negative INTEGER of at most 31 bits. */
export function readSmallInteger(content: Uint8Array): number {
  if (content.length < 1 || content.length > 4 || content[0]! >= 0x80) throw new DerError('bad integer');
  if (content.length > 1 && content[0] === 0 && content[1]! < 0x80) throw new DerError('bad integer');
  return content.reduce((value, byte) => value * 256 + byte, 0);
}
