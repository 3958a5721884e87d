import { decodeOperation } from '../framing/operations.ts';
import { type ObjectBudget, ObservedObjects, pathOf } from './observed-objects.ts';
import type { Side, Weight } from './weight.ts';

/** An operation that passed; everything but its beginning is words of ours. */
export interface ObservedOperation {
  readonly from: Side;
  readonly weight: Weight;
  readonly operation: 'CONNECT' | 'DISCONNECT' | 'CALL' | 'PING' | 'PONG';
  readonly proxy: number;
  /** Where it hangs; `#` and its number when that is not known. Empty for PING and PONG. */
  readonly object: string;
  /** Empty when it is none that is known. */
  readonly interface: string;
  /** Of a CALL; `#` and its number when it has no name. */
  readonly method: string;
  /** Of the whole frame. */
  readonly bytes: number;
  /** The frame's beginning, from its length on, at most OBSERVED_BYTES. Borrowed. */
  readonly frame: Uint8Array;
}

/** Why a connection is followed no more; the bytes go on. */
export const followFaults = ['empty-frame', 'malformed', 'unexpected-operation'] as const;
export type FollowFault = (typeof followFaults)[number];

/** What is wanted: nothing, `signalling` only, or everything. */
export const INTEREST = { nothing: 0, signalling: 1, everything: 2 } as const;

export interface FollowerOptions {
  /** One of INTEREST; asked again with each piece that passes. */
  readonly interest: () => number;
  readonly tell: (operation: ObservedOperation) => void;
  /** Once. Nothing is told afterwards. */
  readonly lost: (fault: FollowFault, from: Side) => void;
  readonly objects: ObjectBudget;
}

/** Of a frame that is told, so much is kept. */
export const OBSERVED_BYTES = 1024;
/** As many as the service lets one connection have. */
const MOST_OBJECTS = 4096;
const LENGTH_BYTES = 2;
const HEAD_BYTES = 3;
const CALL_BYTES = 9;
const CALL = 3;
/** The longest frame that each of the others can be: names are bounded by the service, and so is a token. */
const LONGEST: Readonly<Record<number, number>> = { 1: OBSERVED_BYTES, 2: 8, 4: 7, 5: 7, 17: 1024, 18: 6 };
/** JOINED and REFUSED: the first that the service says, and known to whoever has let the participant in. */
const ANSWERS = 17;

/** One direction: what of a frame has not passed yet, and its beginning if that came in pieces. */
class Direction {
  readonly from: Side;
  /** Octets of the frame that is passing which nobody looks at. */
  skip = 0;
  begun = false;
  held = 0;
  /** So much has to be there before more can be said. */
  wanted = HEAD_BYTES;
  beginning: Uint8Array | undefined;

  constructor(from: Side) {
    this.from = from;
  }
}

/**
 * Follows the operations of one connection from between its ends (docs/protocols/psom.md §2 to §4), from behind its JOIN on.
 * Sans-IO: pieces as they pass in, operations out; nothing is held up or changed, and at most a frame's beginning is kept in each
 * direction. While nobody is interested only frames are counted off, and objects remembered.
 */
export class OperationFollower {
  readonly #options: FollowerOptions;
  readonly #objects: ObservedObjects;
  readonly #client = new Direction('client');
  readonly #server = new Direction('server');
  #interest = 0;
  #lost = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#objects = new ObservedObjects(MOST_OBJECTS, options.objects);
  }
  /** Objects that are known, the root included. */
  get objectCount(): number {
    return this.#objects.size;
  }
  get lost(): boolean {
    return this.#lost;
  }

  /** The connection has ended. */
  close(): void {
    this.#lost = true;
    this.#objects.clear();
  }
  push(from: Side, bytes: Uint8Array): void {
    if (this.#lost) return;
    this.#interest = this.#options.interest();
    const direction = from === 'client' ? this.#client : this.#server;
    let at = 0;
    while (at < bytes.length && !this.#lost) at += this.#step(direction, bytes, at);
  }

  /** Goes on by at least one octet, but for a fault. */
  #step(direction: Direction, bytes: Uint8Array, at: number): number {
    const there = bytes.length - at;
    if (direction.skip > 0) {
      const passed = Math.min(direction.skip, there);
      direction.skip -= passed;
      return passed;
    }
    if (direction.held > 0 || there < HEAD_BYTES) return this.#gather(direction, bytes, at);
    const total = LENGTH_BYTES + lengthAt(bytes, at);
    const needed = this.#needed(direction, bytes[at + LENGTH_BYTES] ?? 0, total);
    if (needed > there) return this.#gather(direction, bytes, at);
    const passed = Math.min(total, there);
    this.#handle(direction, bytes, at, total, needed);
    direction.skip = total - passed;
    return passed;
  }
  /** The beginning of a frame comes in pieces. */
  #gather(direction: Direction, bytes: Uint8Array, at: number): number {
    direction.beginning ??= new Uint8Array(OBSERVED_BYTES);
    const { beginning } = direction;
    const count = Math.min(direction.wanted - direction.held, bytes.length - at);
    beginning.set(bytes.subarray(at, at + count), direction.held);
    direction.held += count;
    if (direction.held < direction.wanted) return count;
    const total = LENGTH_BYTES + lengthAt(beginning, 0);
    const needed =
      direction.wanted > HEAD_BYTES
        ? direction.wanted
        : this.#needed(direction, beginning[LENGTH_BYTES] ?? 0, total);
    direction.wanted = needed;
    if (direction.held < needed) return count;
    this.#handle(direction, beginning, 0, total, needed);
    direction.skip = total - direction.held;
    direction.held = 0;
    direction.wanted = HEAD_BYTES;
    return count;
  }

  /** How much of the frame has to be there, at least its head; the connection is followed no more if it cannot be a frame. */
  #needed(direction: Direction, code: number, total: number): number {
    if (total === LENGTH_BYTES) return this.#fail('empty-frame', direction);
    if (code === CALL) {
      if (total < CALL_BYTES) return this.#fail('malformed', direction);
      return this.#interest === INTEREST.nothing ? HEAD_BYTES : Math.min(total, OBSERVED_BYTES);
    }
    const longest = LONGEST[code];
    if (longest === undefined || (code >= ANSWERS && (direction.begun || direction.from === 'client')))
      return this.#fail('unexpected-operation', direction);
    if (total > longest) return this.#fail('malformed', direction);
    return code >= ANSWERS ? HEAD_BYTES : total;
  }
  #fail(fault: FollowFault, { from }: Direction): number {
    if (!this.#lost) {
      this.close();
      this.#options.lost(fault, from);
    }
    return HEAD_BYTES;
  }

  /** `there` octets of the frame stand at `at`. */
  #handle(direction: Direction, bytes: Uint8Array, at: number, total: number, there: number): void {
    if (this.#lost) return;
    direction.begun = true;
    const code = bytes[at + LENGTH_BYTES] ?? 0;
    if (code >= ANSWERS) return;
    if (code !== CALL) this.#handleOther(direction, bytes.subarray(at, at + there));
    else if (this.#interest > INTEREST.nothing && there >= CALL_BYTES)
      this.#handleCall(direction.from, bytes, at, total, there);
  }
  #handleCall(from: Side, bytes: Uint8Array, at: number, total: number, there: number): void {
    const proxy = (lengthAt(bytes, at + 3) * 0x1_00_00 + lengthAt(bytes, at + 5)) >>> 0;
    const entry = this.#objects.find(proxy);
    const number = lengthAt(bytes, at + 7);
    const method = entry?.methods?.[from][number];
    const weight = method?.weight ?? (entry?.declared === undefined ? 'flow' : 'signalling');
    if (weight === 'flow' && this.#interest < INTEREST.everything) return;
    this.#options.tell({
      from,
      weight,
      operation: 'CALL',
      proxy,
      object: pathOf(entry, proxy),
      interface: entry?.declared?.name ?? '',
      method: method?.name ?? `#${number}`,
      bytes: total,
      frame: bytes.subarray(at, at + Math.min(there, OBSERVED_BYTES)),
    });
  }
  #handleOther(direction: Direction, frame: Uint8Array): void {
    const { from } = direction;
    const said = decodeOperation(frame.subarray(LENGTH_BYTES));
    if (said === undefined) {
      this.#fail('malformed', direction);
      return;
    }
    switch (said.kind) {
      case 'connect':
        this.#objects.connect(said.proxy, said.parent, said.name, said.interface);
        return this.#tellObject(from, 'CONNECT', said.proxy, frame);
      case 'disconnect':
        this.#tellObject(from, 'DISCONNECT', said.proxy, frame);
        return this.#objects.disconnect(said.proxy, from);
      default:
        if (this.#interest < INTEREST.everything) return;
        this.#options.tell({
          from,
          weight: 'flow',
          operation: said.kind === 'ping' ? 'PING' : 'PONG',
          ...{ proxy: 0, object: '', interface: '', method: '' },
          bytes: frame.length,
          frame,
        });
    }
  }
  #tellObject(from: Side, operation: 'CONNECT' | 'DISCONNECT', proxy: number, frame: Uint8Array): void {
    if (this.#interest === INTEREST.nothing) return;
    const entry = this.#objects.find(proxy);
    const about = { proxy, object: pathOf(entry, proxy), interface: entry?.declared?.name ?? '', method: '' };
    this.#options.tell({ from, weight: 'signalling', operation, ...about, bytes: frame.length, frame });
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
