import { ByteReader, ByteWriter, MOST_LENGTH } from './bytes.ts';

/** What `JOIN` shows: a conference token from SIP, or the resume token of a session that broke off. */
export type JoinKind = 'conference' | 'resume';

/** Why an object was disconnected; `confirmed` answers the other side's DISCONNECT. */
export type DisconnectReason =
  | 'confirmed'
  | 'closed'
  | 'no-such-child'
  | 'unknown-interface'
  | 'other-interface'
  | 'too-deep'
  | 'too-many'
  | 'not-allowed';

/** Why a join was refused. */
export type JoinRefusal =
  | 'version'
  | 'token'
  | 'expired'
  | 'used'
  | 'no-service'
  | 'locked'
  | 'removed'
  | 'ended'
  | 'full'
  | 'slow-down';

/** One operation, as it stands in a frame (docs/protocols/psom.md). */
export type Operation =
  | {
      readonly kind: 'connect';
      readonly parent: number;
      readonly proxy: number;
      readonly name: string;
      readonly interface: string;
      readonly version: number;
      readonly serverHash: bigint;
      readonly clientHash: bigint;
    }
  | { readonly kind: 'disconnect'; readonly proxy: number; readonly reason: DisconnectReason }
  /** `parameters` are the bytes after the method; whoever knows the interface reads them. Borrowed from the frame. */
  | {
      readonly kind: 'call';
      readonly proxy: number;
      readonly method: number;
      readonly parameters: Uint8Array;
    }
  | { readonly kind: 'ping' | 'pong'; readonly cookie: number }
  | { readonly kind: 'join'; readonly version: number; readonly show: JoinKind; readonly token: string }
  | { readonly kind: 'joined'; readonly resumeToken: string }
  | { readonly kind: 'refused'; readonly reason: JoinRefusal; readonly retrySeconds: number };

const CODES = {
  connect: 1,
  disconnect: 2,
  call: 3,
  ping: 4,
  pong: 5,
  join: 16,
  joined: 17,
  refused: 18,
} as const satisfies Record<Operation['kind'], number>;

const JOIN_KINDS: readonly JoinKind[] = ['conference', 'resume'];
const DISCONNECT_REASONS: readonly DisconnectReason[] = [
  'confirmed',
  'closed',
  'no-such-child',
  'unknown-interface',
  'other-interface',
  'too-deep',
  'too-many',
  'not-allowed',
];
const REFUSALS: readonly JoinRefusal[] = [
  'version',
  'token',
  'expired',
  'used',
  'no-service',
  'locked',
  'removed',
  'ended',
  'full',
  'slow-down',
];

/** A frame: its length (2 bytes, of what follows), the code of the operation (1 byte), its fields. */
export function encodeOperation(operation: Exclude<Operation, { kind: 'call' }>): Uint8Array {
  return encodeFrame(CODES[operation.kind], (writer) => writeFields(writer, operation));
}

/** A CALL whose parameters `write` adds. @throws RangeError when the frame would be longer than 65,537 bytes */
export function encodeCall(proxy: number, method: number, write: (writer: ByteWriter) => void): Uint8Array {
  return encodeFrame(CODES.call, (writer) => {
    writer.uint32(proxy);
    writer.uint16(method);
    write(writer);
  });
}

/** Of one frame at a time; what is written is copied out. */
const scratch = new ByteWriter();
/** More than the longest frame has, with what a caller may try beyond it. Bytes. */
const KEPT_SCRATCH = 4 * MOST_LENGTH;

function encodeFrame(code: number, write: (writer: ByteWriter) => void): Uint8Array {
  scratch.reset(KEPT_SCRATCH);
  scratch.uint16(0);
  scratch.uint8(code);
  write(scratch);
  const length = scratch.length - 2;
  if (length > MOST_LENGTH) throw new RangeError(`a frame of ${length} bytes has no place in the format`);
  scratch.uint16At(0, length);
  return scratch.view().slice();
}

function writeFields(writer: ByteWriter, operation: Exclude<Operation, { kind: 'call' }>): void {
  switch (operation.kind) {
    case 'connect':
      writer.uint32(operation.parent);
      writer.uint32(operation.proxy);
      writer.string(operation.name);
      writer.string(operation.interface);
      writer.uint16(operation.version);
      writer.uint64(operation.serverHash);
      writer.uint64(operation.clientHash);
      return;
    case 'disconnect':
      writer.uint32(operation.proxy);
      writer.uint8(DISCONNECT_REASONS.indexOf(operation.reason));
      return;
    case 'ping':
    case 'pong':
      writer.uint32(operation.cookie);
      return;
    case 'join':
      writer.uint16(operation.version);
      writer.uint8(JOIN_KINDS.indexOf(operation.show));
      writer.string(operation.token);
      return;
    case 'joined':
      writer.string(operation.resumeToken);
      return;
    case 'refused':
      writer.uint8(REFUSALS.indexOf(operation.reason));
      writer.uint16(operation.retrySeconds);
  }
}

/** What a frame's body (code and fields) says; undefined for anything that `encodeOperation` would not write. */
export function decodeOperation(body: Uint8Array): Operation | undefined {
  const reader = new ByteReader(body);
  const code = reader.uint8();
  if (code === CODES.call) return decodeCall(reader, body);
  const operation = readFields(reader, code);
  return reader.complete ? operation : undefined;
}

function decodeCall(reader: ByteReader, body: Uint8Array): Operation | undefined {
  const proxy = reader.uint32();
  const method = reader.uint16();
  if (reader.failed) return undefined;
  return { kind: 'call', proxy, method, parameters: body.subarray(1 + 4 + 2) };
}

function readFields(reader: ByteReader, code: number): Operation | undefined {
  switch (code) {
    case CODES.connect:
      return {
        kind: 'connect',
        parent: reader.uint32(),
        proxy: reader.uint32(),
        name: reader.string(),
        interface: reader.string(),
        version: reader.uint16(),
        serverHash: reader.uint64(),
        clientHash: reader.uint64(),
      };
    case CODES.disconnect: {
      const proxy = reader.uint32();
      const reason = DISCONNECT_REASONS[reader.uint8()];
      return reason === undefined ? undefined : { kind: 'disconnect', proxy, reason };
    }
    case CODES.ping:
      return { kind: 'ping', cookie: reader.uint32() };
    case CODES.pong:
      return { kind: 'pong', cookie: reader.uint32() };
    default:
      return readJoining(reader, code);
  }
}

function readJoining(reader: ByteReader, code: number): Operation | undefined {
  switch (code) {
    case CODES.join: {
      const version = reader.uint16();
      const show = JOIN_KINDS[reader.uint8()];
      const token = reader.string();
      return show === undefined ? undefined : { kind: 'join', version, show, token };
    }
    case CODES.joined:
      return { kind: 'joined', resumeToken: reader.string() };
    case CODES.refused: {
      const reason = REFUSALS[reader.uint8()];
      const retrySeconds = reader.uint16();
      return reason === undefined ? undefined : { kind: 'refused', reason, retrySeconds };
    }
    default:
      return undefined;
  }
}
