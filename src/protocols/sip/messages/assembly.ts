import { Buffer } from 'node:buffer';
import type { FieldLine } from './field-line.ts';
import { refuseLineBreak } from './header-value.ts';

/** Shorter stretches are copied octet by octet: for them a call into native code is what costs. */
const SHORT = 48;
const CR = 0x0d;
const LF = 0x0a;
const FIRST_ROOM = 4_096;
/** Room beyond this is not kept for the next message. */
const MOST_KEPT = 1 << 17;

/** Where a message grows, used over and over. */
let spare: Buffer | undefined;

/** Puts a new message together from stretches of an old one and new text, with one allocation at the end. */
export class Assembly {
  readonly #source: Buffer;
  #room: Buffer;
  #length = 0;
  /** The stretch of the source that is to be copied next: neighbours become one. */
  #start = 0;
  #end = 0;

  constructor(source: Buffer) {
    this.#source = source;
    this.#room = spare ?? Buffer.allocUnsafeSlow(FIRST_ROOM);
    // Of two at a time each has its own.
    spare = undefined;
  }

  /** Adds `source[start..end)` as it is. */
  copy(start: number, end: number): void {
    if (start === this.#end) {
      this.#end = end;
      return;
    }
    this.#flush();
    this.#start = start;
    this.#end = end;
  }
  text(text: string): void {
    this.#flush();
    // UTF-8 has at most three octets for what is one unit of a text.
    this.#need(text.length * 3);
    const room = this.#room;
    const from = this.#length;
    let at = 0;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) break;
      room[from + at] = code;
    }
    this.#length += at;
    if (at < text.length) this.#length += room.write(text.slice(at), this.#length);
  }
  octets(octets: Uint8Array): void {
    this.#flush();
    const { length } = octets;
    this.#need(length);
    const room = this.#room;
    const from = this.#length;
    if (length > SHORT) room.set(octets, from);
    else for (let at = 0; at < length; at++) room[from + at] = octets[at]!;
    this.#length += length;
  }
  /** A field line that was made before, with `text` in its place. */
  line(line: FieldLine, text: string): void {
    this.octets(line.begin);
    if (text !== '') {
      refuseLineBreak(text);
      this.text(text);
    }
    this.octets(line.end);
  }
  lineEnd(): void {
    this.#flush();
    this.#need(2);
    this.#room[this.#length] = CR;
    this.#room[this.#length + 1] = LF;
    this.#length += 2;
  }

  /** Once, at the end. */
  toBytes(): Buffer {
    this.#flush();
    const bytes = Buffer.allocUnsafe(this.#length);
    this.#room.copy(bytes, 0, 0, this.#length);
    if (this.#room.length <= MOST_KEPT) spare = this.#room;
    return bytes;
  }

  #flush(): void {
    const length = this.#end - this.#start;
    if (length > 0) {
      this.#need(length);
      if (length > SHORT) this.#source.copy(this.#room, this.#length, this.#start, this.#end);
      else this.#copyShort();
      this.#length += length;
    }
    this.#start = 0;
    this.#end = 0;
  }
  #copyShort(): void {
    const room = this.#room;
    const source = this.#source;
    const shift = this.#length - this.#start;
    for (let at = this.#start; at < this.#end; at++) room[at + shift] = source[at]!;
  }
  #need(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#room.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#room.length * 2));
    this.#room.copy(larger, 0, 0, this.#length);
    this.#room = larger;
  }
}
