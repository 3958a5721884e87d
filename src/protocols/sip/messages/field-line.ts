import { isToken } from './characters.ts';
import { type HeaderId, idOf, nameOf, UNKNOWN } from './header-name.ts';
import { refuseLineBreak } from './header-value.ts';

/**
 * A header field line whose octets are made and checked once, for what is added to many messages: making and checking
 * text again for each of them was a third of what it took to rewrite one (`bench:sip`).
 */
export class FieldLine {
  readonly id: HeaderId;
  /** In the usual spelling, if there is one. */
  readonly name: string;
  /** Name, colon and the begin of the value. */
  readonly begin: Uint8Array;
  /** The end of the value and of the line; between the two is room for what differs. */
  readonly end: Uint8Array;

  /**
   * Throws on a name or value that could not stand in a message, as {@link MessageEdit} does.
   * @param begin all of the value, or as far as what differs from message to message
   * @param end the value behind that
   */
  constructor(name: string, begin: string, end = '') {
    const id = idOf(name);
    if (id === UNKNOWN && !isToken(name)) throw new TypeError('not a header name');
    refuseLineBreak(begin);
    refuseLineBreak(end);
    this.id = id;
    this.name = id === UNKNOWN ? name : nameOf(id);
    this.begin = Buffer.from(`${this.name}: ${begin}`);
    this.end = Buffer.from(`${end}\r\n`);
  }
  /** The value with `text` between its two parts. */
  value(text: string): Buffer {
    const begin = this.begin.subarray(this.name.length + 2);
    return Buffer.concat([begin, Buffer.from(text), this.end.subarray(0, -2)]);
  }
}

/** The lines of a field whose value is a small number: each is made when it is first needed. */
export class NumberLines {
  readonly #name: string;
  readonly #most: number;
  readonly #lines: FieldLine[] = [];

  /** @param most beyond it, nothing is remembered */
  constructor(name: string, most: number) {
    this.#name = name;
    this.#most = most;
  }
  /** @param number not negative */
  of(number: number): FieldLine {
    const known = this.#lines[number];
    if (known !== undefined) return known;
    const line = new FieldLine(this.#name, String(number));
    // In order, so that the list has no holes, which would make it slow.
    while (this.#lines.length < number && number <= this.#most) {
      this.#lines.push(new FieldLine(this.#name, String(this.#lines.length)));
    }
    if (number <= this.#most) this.#lines.push(line);
    return line;
  }
}
