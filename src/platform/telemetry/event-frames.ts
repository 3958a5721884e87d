import {
  type EventLevel,
  type LogNote,
  type LogRecord,
  logLevels,
  type ProviderName,
  providerNames,
  readNote,
  readRecord,
} from '#protocols/log-query';

/**
 * How events travel from a service to the supervisor and on to whoever collects them. Frame: length of the rest (32 bits,
 * little endian), a type, content. Both ends are of one version and on one host, but a service may have been taken over,
 * so that whatever comes is checked and bounded.
 */
export const capturedProtocols = ['sip', 'stun', 'ms-turn', 'xmpp', 'psom'] as const;
export type CapturedProtocol = (typeof capturedProtocols)[number];

/** A message as it was on the wire. */
export interface Capture {
  readonly time: number;
  readonly provider: ProviderName;
  readonly protocol: CapturedProtocol;
  readonly level: EventLevel;
  readonly direction: 'in' | 'out';
  /** See {@link peerLabel}. */
  readonly peer: Uint8Array;
  /** Its beginning. */
  readonly bytes: Uint8Array;
  /** Octets of the whole message. */
  readonly length: number;
}

export type FramedItem =
  | { readonly type: 'record'; readonly record: LogRecord }
  /** Of an event that nobody asks for, but for whoever watches the edge. */
  | { readonly type: 'note'; readonly note: LogNote }
  | { readonly type: 'capture'; readonly capture: Capture }
  /** Events that were not kept because the ring was full. */
  | { readonly type: 'lost'; readonly count: number }
  /** Everything before this was emitted before somebody asked. */
  | { readonly type: 'mark'; readonly number: number }
  /** The frames from here on are this service's. */
  | { readonly type: 'service'; readonly name: string };

const TYPES = ['record', 'capture', 'lost', 'mark', 'service', 'note'] as const;
const CAPTURE_TYPE = TYPES.indexOf('capture');
const HEAD_BYTES = 5;
const CAPTURE_HEAD_BYTES = 4 + 8 + 4 + 1;
/** Longer than any record or capture can be. */
const FRAME_BYTES = 262_144;
/** Of a note that may be kept as it is: what it says takes hardly less room. */
const SHORT_NOTE_BYTES = 2_048;
const LABEL_BYTES = 255;
const DIRECTIONS = ['in', 'out'] as const;

const PROVIDER_PLACES = placesOf(providerNames);
const PROTOCOL_PLACES = placesOf(capturedProtocols);
const LEVEL_PLACES = placesOf(logLevels);

/** Who a connection is with: its id within the service, and both ends. */
export interface PeerOfMessage {
  readonly connection: string;
  readonly local: string;
  readonly remote: string;
}

/** An end of a connection. */
export interface EventEndpoint {
  readonly address: string;
  readonly port: number;
}
/** `192.0.2.1:5061`, `[2001:db8::1]:5061` */
export function eventEndpoint({ address, port }: EventEndpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Made once a connection, so that keeping a message copies a few octets and makes no text. */
export function peerLabel(
  connection: number | string,
  ends: { readonly local: EventEndpoint; readonly remote: EventEndpoint },
): Uint8Array {
  const text = `${connection}\n${eventEndpoint(ends.local)}\n${eventEndpoint(ends.remote)}`;
  return Buffer.from(text, 'latin1').subarray(0, LABEL_BYTES);
}
export function readPeerLabel(label: Uint8Array): PeerOfMessage {
  const [connection = '', local = '', remote = ''] = Buffer.from(label).toString('latin1').split('\n');
  return { connection, local, remote };
}

export function encodeFrames(items: readonly FramedItem[]): Buffer {
  const texts = items.map((item) => (item.type === 'capture' ? undefined : textOf(item)));
  let length = 0;
  for (const [at, item] of items.entries()) {
    const text = texts[at];
    length += HEAD_BYTES + (text === undefined ? captureBytes(item) : Buffer.byteLength(text));
  }
  const frames = Buffer.allocUnsafe(length);
  let offset = 0;
  for (const [at, item] of items.entries()) {
    const text = texts[at];
    if (item.type === 'capture') {
      const { time, peer, bytes, length } = item.capture;
      offset = writeCapture(frames, offset, captureMark(item.capture), time, peer, bytes, length);
    }
    if (text === undefined) continue;
    const bytes = frames.write(text, offset + HEAD_BYTES);
    frames.writeUInt32LE(bytes + 1, offset);
    frames[offset + 4] = TYPES.indexOf(item.type);
    offset += HEAD_BYTES + bytes;
  }
  return frames;
}

function captureBytes(item: FramedItem): number {
  return item.type === 'capture' ? captureFrameBytes(item.capture) - HEAD_BYTES : 0;
}
/** Octets of a capture's frame, its head included. */
export function captureFrameBytes({ peer, bytes }: Pick<Capture, 'peer' | 'bytes'>): number {
  return CAPTURE_FRAME_BYTES + peer.length + bytes.length;
}
/** Octets of a capture's frame before those of its peer and of the message. */
export const CAPTURE_FRAME_BYTES = HEAD_BYTES + CAPTURE_HEAD_BYTES;

/** What a message is, as the four octets that its frame has of it. */
export function captureMark(of: Pick<Capture, 'provider' | 'protocol' | 'level' | 'direction'>): number {
  return (
    PROVIDER_PLACES[of.provider] |
    (PROTOCOL_PLACES[of.protocol] << 8) |
    (LEVEL_PLACES[of.level] << 16) |
    (of.direction === 'in' ? 0 : 1 << 24)
  );
}

/**
 * Writes a capture's frame, for which there must be room. Octet by octet where there are few: what is called here is called
 * between two messages of a process whose caches hold something else.
 *
 * @param mark see {@link captureMark}
 * @param time whole milliseconds
 * @param length of the whole message, of which `bytes` is the beginning
 * @returns the offset behind it
 */
export function writeCapture(
  into: Uint8Array,
  at: number,
  mark: number,
  time: number,
  peer: Uint8Array,
  bytes: Uint8Array,
  length: number,
): number {
  const end = at + CAPTURE_FRAME_BYTES + peer.length + bytes.length;
  put(into, at, end - at - 4);
  into[at + 4] = CAPTURE_TYPE;
  put(into, at + 5, mark);
  put(into, at + 9, time >>> 0);
  put(into, at + 13, Math.floor(time / 2 ** 32));
  put(into, at + 17, length);
  into[at + 21] = peer.length;
  into.set(peer, at + CAPTURE_FRAME_BYTES);
  into.set(bytes, end - bytes.length);
  return end;
}
/** 32 bits, little endian. */
function put(into: Uint8Array, at: number, value: number): void {
  into[at] = value;
  into[at + 1] = value >>> 8;
  into[at + 2] = value >>> 16;
  into[at + 3] = value >>> 24;
}
/** Where each name stands in its list. */
function placesOf<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, place) => [name, place])) as Record<Name, number>;
}
function textOf(item: Exclude<FramedItem, { type: 'capture' }>): string {
  if (item.type === 'record') return JSON.stringify(item.record);
  if (item.type === 'note') return JSON.stringify(item.note);
  if (item.type === 'lost') return String(item.count);
  return item.type === 'mark' ? String(item.number) : item.name;
}
/** One frame as it came; `bytes` has its head too, so that it can be handed on as it is. */
export interface Frame {
  readonly type: FramedItem['type'];
  readonly bytes: Buffer;
}

/** Cuts a stream of octets into frames. After a frame that nobody could have written it is `broken`, and gives no more. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #broken = false;

  get broken(): boolean {
    return this.#broken;
  }
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    if (this.#broken) return frames;
    let bytes = this.#rest.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= HEAD_BYTES) {
      const length = bytes.readUInt32LE(0);
      const type = TYPES[bytes[4] ?? TYPES.length];
      if (length < 1 || length > FRAME_BYTES || type === undefined) {
        this.#broken = true;
        this.#rest = Buffer.alloc(0);
        return frames;
      }
      if (bytes.length < length + 4) break;
      frames.push({ type, bytes: bytes.subarray(0, length + 4) });
      bytes = bytes.subarray(length + 4);
    }
    this.#rest = Buffer.from(bytes);
    return frames;
  }
}

/** What a frame says; undefined when it says nothing that makes sense. */
export function readFrame({ type, bytes }: Frame): FramedItem | undefined {
  const content = bytes.subarray(HEAD_BYTES);
  switch (type) {
    case 'record': {
      const record = recordIn(content);
      return record === undefined ? undefined : { type, record };
    }
    case 'note': {
      const note = readNoteText(content.toString('utf8'));
      return note === undefined ? undefined : { type, note };
    }
    case 'capture': {
      const capture = captureIn(content);
      return capture === undefined ? undefined : { type, capture };
    }
    case 'lost': {
      const count = numberIn(content);
      return count === undefined ? undefined : { type, count };
    }
    case 'mark': {
      const number = numberIn(content);
      return number === undefined ? undefined : { type, number };
    }
    case 'service':
      return { type, name: content.toString('utf8', 0, 64) };
  }
}

function recordIn(content: Buffer): LogRecord | undefined {
  try {
    return readRecord(JSON.parse(content.toString('utf8')));
  } catch {
    return undefined;
  }
}
/** A short note as it came, to be read with {@link readNoteText} once somebody asks; undefined for anything else. */
export function noteText({ type, bytes }: Frame): string | undefined {
  return type === 'note' && bytes.length <= SHORT_NOTE_BYTES ? bytes.toString('utf8', HEAD_BYTES) : undefined;
}
/** What it says; undefined when it says nothing that makes sense. */
export function readNoteText(text: string): LogNote | undefined {
  try {
    return readNote(JSON.parse(text));
  } catch {
    return undefined;
  }
}
function numberIn(content: Buffer): number | undefined {
  const number = Number(content.toString('latin1', 0, 20));
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
function captureIn(content: Buffer): Capture | undefined {
  if (content.length < CAPTURE_HEAD_BYTES) return undefined;
  const provider = providerNames[content[0] ?? 255];
  const protocol = capturedProtocols[content[1] ?? 255];
  const level = logLevels[content[2] ?? 255];
  const direction = DIRECTIONS[content[3] ?? 255];
  const time = content.readUInt32LE(4) + content.readUInt32LE(8) * 2 ** 32;
  const end = CAPTURE_HEAD_BYTES + (content[16] ?? 0);
  if (provider === undefined || protocol === undefined || level === undefined || direction === undefined)
    return undefined;
  if (time > 8.64e15 || content.length < end) return undefined;
  const peer = content.subarray(CAPTURE_HEAD_BYTES, end);
  return {
    time,
    provider,
    protocol,
    level,
    direction,
    peer,
    bytes: content.subarray(end),
    length: content.readUInt32LE(12),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
