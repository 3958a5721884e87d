/*
 * Datagrams on their way from one thread to another, one behind the other: number of the socket (4 octets), length of
 * the data (4), port (2), length of the address (1), address, data.
 */

const HEADER = 11;

interface Kept {
  readonly id: number;
  readonly bytes: Buffer;
  readonly address: string;
  readonly port: number;
}

/** Collects what one turn of the event loop brings. */
export class BatchWriter {
  #kept: Kept[] = [];
  #size = 0;

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }
  /** @returns octets that it takes up */
  add(id: number, bytes: Buffer, address: string, port: number): number {
    this.#kept.push({ id, bytes, address, port });
    const size = batchedSize(bytes, address);
    this.#size += size;
    return size;
  }
  /** All of it, in memory that can be given away. */
  take(): ArrayBuffer {
    const batch = new ArrayBuffer(this.#size);
    const into = Buffer.from(batch);
    let at = 0;
    for (const { id, bytes, address, port } of this.#kept) {
      into.writeUInt32LE(id, at);
      into.writeUInt32LE(bytes.length, at + 4);
      into.writeUInt16LE(port, at + 8);
      into[at + 10] = address.length;
      into.write(address, at + HEADER, 'latin1');
      into.set(bytes, at + HEADER + address.length);
      at += batchedSize(bytes, address);
    }
    this.#kept = [];
    this.#size = 0;
    return batch;
  }
}

function batchedSize(bytes: Buffer, address: string): number {
  return HEADER + address.length + bytes.length;
}

/** Gives each datagram to `take`, which may keep the bytes. */
export function readBatch(
  batch: ArrayBuffer,
  take: (id: number, bytes: Buffer, address: string, port: number) => void,
): void {
  const from = Buffer.from(batch);
  let at = 0;
  while (at < from.length) {
    const length = from.readUInt32LE(at + 4);
    const data = at + HEADER + (from[at + 10] ?? 0);
    const address = from.toString('latin1', at + HEADER, data);
    const bytes = from.subarray(data, data + length);
    take(from.readUInt32LE(at), bytes, address, from.readUInt16LE(at + 8));
    at = data + length;
  }
}
