/**
 * Puts a new message together from stretches of an old one and new text, with one allocation at the end.
 *
 * Neighbouring stretches and neighbouring texts are joined as they come: each write into a buffer crosses
 * into native code, and for a small message the crossings are what costs.
 */
export class Assembly {
  readonly #source: Buffer;
  readonly #pieces: (Stretch | string | Uint8Array)[] = [];
  #last: Stretch | undefined;
  #text = '';
  #length = 0;

  constructor(source: Buffer) {
    this.#source = source;
  }

  /** Adds `source[start..end)` as it is. */
  copy(start: number, end: number): void {
    if (start === end) return;
    this.#length += end - start;
    if (this.#text === '' && this.#last?.end === start) {
      this.#last.end = end;
      return;
    }
    this.#flush();
    this.#last = new Stretch(start, end);
    this.#pieces.push(this.#last);
  }
  text(text: string): void {
    this.#text += text;
  }
  octets(octets: Uint8Array): void {
    this.#flush();
    this.#length += octets.length;
    this.#pieces.push(octets);
  }

  toBytes(): Buffer {
    this.#flush();
    const bytes = Buffer.allocUnsafe(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') {
        at += bytes.write(piece, at);
      } else if (piece instanceof Stretch) {
        at += this.#source.copy(bytes, at, piece.start, piece.end);
      } else {
        bytes.set(piece, at);
        at += piece.length;
      }
    }
    return bytes;
  }

  #flush(): void {
    this.#last = undefined;
    if (this.#text === '') return;
    this.#length += Buffer.byteLength(this.#text);
    this.#pieces.push(this.#text);
    this.#text = '';
  }
}

class Stretch {
  start: number;
  end: number;
  constructor(start: number, end: number) {
    this.start = start;
    this.end = end;
  }
}
