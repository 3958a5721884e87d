/** What workers say to one another. Connections are named by their numbers, which no two workers give. */
export type WorkerFrame =
  /** The first of each side: who speaks. */
  | { readonly type: 'hello'; readonly body: unknown }
  /** Of the worker that has the connection: messages of it will follow. */
  | { readonly type: 'lent'; readonly connection: number; readonly body: unknown }
  /** `request`: what its final response is announced by, 0 where nobody waits for one. */
  | {
      readonly type: 'message';
      readonly connection: number;
      readonly request: number;
      readonly bytes: Buffer;
    }
  | { readonly type: 'closed'; readonly connection: number }
  /** Of the worker that handles the messages: what the connection is to send, and the requests that this answers for good. */
  | {
      readonly type: 'send';
      readonly connection: number;
      readonly answered: readonly number[];
      readonly bytes: Uint8Array;
    }
  /** An INVITE gets a provisional response. */
  | { readonly type: 'ringing'; readonly connection: number; readonly body: unknown }
  /** The connection is to end. */
  | { readonly type: 'end'; readonly connection: number }
  /** A question, its answer, and what needs none. */
  | { readonly type: 'ask'; readonly number: number; readonly body: unknown }
  | { readonly type: 'answer'; readonly number: number; readonly body: unknown }
  | { readonly type: 'tell'; readonly body: unknown };

const types = [
  'hello',
  'lent',
  'message',
  'closed',
  'send',
  'ringing',
  'end',
  'ask',
  'answer',
  'tell',
] as const;
const LENGTH_BYTES = 4;
const NUMBER_BYTES = 6;
const HEAD_BYTES = LENGTH_BYTES + 1 + NUMBER_BYTES;
const COUNT_BYTES = 4;
/** Far above the longest message that a document may allow. */
const LONGEST = 8 * 1024 * 1024;
const NO_NUMBERS: readonly number[] = [];

/**
 * Octets of a frame: length of what follows (32 bits), type (8), number (48), then what it carries. With a message that is the
 * number of the request (48) first, and with what is to be sent how many requests it answers (32) and their numbers.
 */
export function encodeFrame(frame: WorkerFrame): Uint8Array[] {
  const payload = payloadOf(frame);
  const requests = requestsOf(frame);
  const counted = frame.type === 'send' ? COUNT_BYTES : 0;
  const head = Buffer.allocUnsafe(HEAD_BYTES + counted + requests.length * NUMBER_BYTES);
  head.writeUInt32BE(head.length - LENGTH_BYTES + payload.length, 0);
  head[LENGTH_BYTES] = types.indexOf(frame.type);
  const number = 'connection' in frame ? frame.connection : 'number' in frame ? frame.number : 0;
  head.writeUIntBE(number, LENGTH_BYTES + 1, NUMBER_BYTES);
  if (counted > 0) head.writeUInt32BE(requests.length, HEAD_BYTES);
  let at = HEAD_BYTES + counted;
  for (const request of requests) at = head.writeUIntBE(request, at, NUMBER_BYTES);
  return payload.length === 0 ? [head] : [head, payload];
}

function payloadOf(frame: WorkerFrame): Uint8Array {
  if ('bytes' in frame) return frame.bytes;
  return 'body' in frame ? Buffer.from(JSON.stringify(frame.body ?? null)) : Buffer.alloc(0);
}
function requestsOf(frame: WorkerFrame): readonly number[] {
  if (frame.type === 'message') return [frame.request];
  return frame.type === 'send' ? frame.answered : NO_NUMBERS;
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
  const number = bytes.readUIntBE(1, NUMBER_BYTES);
  const payload = bytes.subarray(HEAD_BYTES - LENGTH_BYTES);
  switch (type) {
    case undefined:
      return undefined;
    case 'message':
      return messageOf(number, payload);
    case 'send':
      return sendOf(number, payload);
    case 'end':
    case 'closed':
      return { type, connection: number };
    default:
      return withBody(type, number, payload);
  }
}

function messageOf(connection: number, payload: Buffer): WorkerFrame | undefined {
  if (payload.length < NUMBER_BYTES) return undefined;
  const request = payload.readUIntBE(0, NUMBER_BYTES);
  return { type: 'message', connection, request, bytes: payload.subarray(NUMBER_BYTES) };
}
function sendOf(connection: number, payload: Buffer): WorkerFrame | undefined {
  const count = payload.length < COUNT_BYTES ? Number.POSITIVE_INFINITY : payload.readUInt32BE(0);
  const end = COUNT_BYTES + count * NUMBER_BYTES;
  if (payload.length < end) return undefined;
  const answered: number[] = [];
  for (let at = COUNT_BYTES; at < end; at += NUMBER_BYTES)
    answered.push(payload.readUIntBE(at, NUMBER_BYTES));
  return { type: 'send', connection, answered, bytes: payload.subarray(end) };
}

function withBody(
  type: 'hello' | 'lent' | 'ringing' | 'ask' | 'answer' | 'tell',
  number: number,
  payload: Buffer,
): WorkerFrame | undefined {
  let body: unknown;
  try {
    body = JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
  if (type === 'lent' || type === 'ringing') return { type, connection: number, body };
  return type === 'ask' || type === 'answer' ? { type, number, body } : { type, body };
}
