/** What workers say to one another. Connections are named by their numbers, which no two workers give. */
export type WorkerFrame =
  /** The first of each side: who speaks. */
  | { readonly type: 'hello'; readonly body: unknown }
  /** Of the worker that has the connection: messages of it will follow. */
  | { readonly type: 'lent'; readonly connection: number; readonly body: unknown }
  | { readonly type: 'message'; readonly connection: number; readonly bytes: Buffer }
  | { readonly type: 'closed'; readonly connection: number }
  /** Of the worker that handles the messages: what the connection is to send, and that it is to end. */
  | { readonly type: 'send'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly type: 'end'; readonly connection: number }
  /** A question, its answer, and what needs none. */
  | { readonly type: 'ask'; readonly number: number; readonly body: unknown }
  | { readonly type: 'answer'; readonly number: number; readonly body: unknown }
  | { readonly type: 'tell'; readonly body: unknown };

const types = ['hello', 'lent', 'message', 'closed', 'send', 'end', 'ask', 'answer', 'tell'] as const;
const LENGTH_BYTES = 4;
const HEAD_BYTES = 11;
/** Far above the longest message that a document may allow. */
const LONGEST = 8 * 1024 * 1024;

/** Octets of a frame: length of what follows (32 bits), type (8), number (48), then what it carries. */
export function encodeFrame(frame: WorkerFrame): Uint8Array[] {
  const payload = payloadOf(frame);
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt32BE(HEAD_BYTES - LENGTH_BYTES + payload.length, 0);
  head[LENGTH_BYTES] = types.indexOf(frame.type);
  const number = 'connection' in frame ? frame.connection : 'number' in frame ? frame.number : 0;
  head.writeUIntBE(number, LENGTH_BYTES + 1, 6);
  return payload.length === 0 ? [head] : [head, payload];
}

function payloadOf(frame: WorkerFrame): Uint8Array {
  if ('bytes' in frame) return frame.bytes;
  return 'body' in frame ? Buffer.from(JSON.stringify(frame.body ?? null)) : Buffer.alloc(0);
}

/** Reads frames out of a stream; undefined when what came is none. */
export class FrameStream {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): WorkerFrame[] | undefined {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: WorkerFrame[] = [];
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(at);
      if (length < HEAD_BYTES - LENGTH_BYTES || length > LONGEST) return undefined;
      const end = at + LENGTH_BYTES + length;
      if (bytes.length < end) break;
      const frame = decode(bytes.subarray(at + LENGTH_BYTES, end));
      if (frame === undefined) return undefined;
      frames.push(frame);
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}

function decode(bytes: Buffer): WorkerFrame | undefined {
  const type = types[bytes[0] ?? types.length];
  const number = bytes.readUIntBE(1, 6);
  const payload = bytes.subarray(HEAD_BYTES - LENGTH_BYTES);
  switch (type) {
    case undefined:
      return undefined;
    case 'message':
    case 'send':
      return { type, connection: number, bytes: payload };
    case 'end':
    case 'closed':
      return { type, connection: number };
    default:
      return withBody(type, number, payload);
  }
}

function withBody(
  type: 'hello' | 'lent' | 'ask' | 'answer' | 'tell',
  number: number,
  payload: Buffer,
): WorkerFrame | undefined {
  let body: unknown;
  try {
    body = JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
  if (type === 'lent') return { type, connection: number, body };
  return type === 'ask' || type === 'answer' ? { type, number, body } : { type, body };
}
