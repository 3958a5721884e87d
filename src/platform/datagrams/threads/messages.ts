import type { DatagramLimits } from '../datagrams.ts';
import type { FlowRoom } from '../flows/flow-memory.ts';
import type { SlottedFlow } from '../flows/flow-relay.ts';

export type Side = 'clients' | 'peers';

/** What a thread is started with. */
export interface ThreadStart {
  readonly index: number;
  /** Where descriptors are to be had. */
  readonly pipe: string;
  readonly room: FlowRoom;
  readonly memory: SharedArrayBuffer;
  /** A moment by the clock of whoever started it, and by the system's (`process.hrtime`), in milliseconds. */
  readonly clock: { readonly now: number; readonly system: number };
  readonly limits: Readonly<Record<Side, DatagramLimits>>;
  /** Between two signs of life, milliseconds. */
  readonly lifeSignMs: number;
  /** Octets that may wait for the receivers. */
  readonly waitingBytes: number;
}

/** Followed in order; the number of the last one is written into the shared memory. */
export type ThreadCommand =
  | { readonly kind: 'open-flow'; readonly flow: SlottedFlow }
  | { readonly kind: 'close-flow'; readonly slot: number }
  | { readonly kind: 'close-socket'; readonly id: number };

export interface ThreadCommands {
  readonly last: number;
  readonly commands: readonly ThreadCommand[];
}

/** Datagrams for receivers, see `batch.ts`. */
export interface ThreadBatch {
  readonly batch: ArrayBuffer;
}

/** The word that goes with a descriptor. */
export function wordOf(id: number, side: Side): string {
  return `${id} ${side}`;
}
export function readWord(word: string): { id: number; side: Side } {
  const [id, side] = word.split(' ');
  return { id: Number(id), side: side === 'clients' ? 'clients' : 'peers' };
}

export function systemMilliseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}
