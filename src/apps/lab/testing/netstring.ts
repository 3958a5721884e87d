/** A text as a netstring: its length in bytes, a colon, the text, a comma. */
export function encodeNetstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}

/** Takes netstrings out of a stream of bytes. */
export class NetstringReader {
  readonly #handle: (text: string) => void;
  #pending = Buffer.alloc(0);

  constructor(handle: (text: string) => void) {
    this.#handle = handle;
  }

  push(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const colon = this.#pending.indexOf(':');
      if (colon < 0) return;
      const length = Number(this.#pending.toString('latin1', 0, colon));
      const end = colon + 1 + length;
      if (!Number.isSafeInteger(length)) throw new Error('not a netstring');
      if (this.#pending.length <= end) return;
      const text = this.#pending.toString('utf8', colon + 1, end);
      this.#pending = this.#pending.subarray(end + 1);
      this.#handle(text);
    }
  }
}
