/**
 * What the threads of a relay share: when flows end, what passed, and what may pass. One thread writes the counts of a
 * flow, the one that runs it; its end is written by whoever opened it. Budgets are taken from by all, by Atomics.
 * Memory that was never touched takes no room, so it is as large as it may ever have to be.
 */

/** Of a flow, each a float64: end, packets, octets, over budget. */
export const FLOW_WORDS = 4;
export const ENDS = 0;
export const PACKETS = 1;
export const OCTETS = 2;
export const OVER_BUDGET = 3;

/** Of a budget, each an int32: bits that may pass, milliseconds of the last refill, bits a millisecond, most bits. */
export const BUDGET_WORDS = 4;
const BITS = 0;
const FILLED = 1;
const RATE = 2;
const BURST = 3;
/** 256 MiB: more is not saved up, whatever was asked for. */
const MOST_BITS = 0x7fff_ffff;
/** Threads read the clock one after the other; a refill that seems to come from later than this is from long ago. */
const SKEW_MS = 10_000;

/** Of a thread, each an int32: octets that wait for the receivers, the last commands that were followed, life signs. */
const THREAD_WORDS = 3;
export const WAITING = 0;
export const FOLLOWED = 1;
export const ALIVE = 2;

/** Of the sockets of one side in one thread, each a float64. */
export const COUNTER_WORDS = 16;

export interface FlowRoom {
  readonly flows: number;
  readonly budgets: number;
  readonly threads: number;
}

export class FlowMemory {
  readonly room: FlowRoom;
  readonly buffer: SharedArrayBuffer;
  readonly flows: Float64Array;
  readonly budgets: Int32Array;
  readonly #threads: Int32Array;
  readonly #counters: Float64Array;

  /** @param buffer of another thread's, made for the same room */
  constructor(room: FlowRoom, buffer?: SharedArrayBuffer) {
    this.room = room;
    const flows = room.flows * FLOW_WORDS;
    const counters = room.threads * 2 * COUNTER_WORDS;
    const budgets = room.budgets * BUDGET_WORDS;
    const threads = room.threads * THREAD_WORDS;
    this.buffer = buffer ?? new SharedArrayBuffer((flows + counters) * 8 + (budgets + threads) * 4);
    this.flows = new Float64Array(this.buffer, 0, flows);
    this.#counters = new Float64Array(this.buffer, flows * 8, counters);
    this.budgets = new Int32Array(this.buffer, (flows + counters) * 8, budgets);
    this.#threads = new Int32Array(this.buffer, (flows + counters) * 8 + budgets * 4, threads);
  }

  /** WAITING, FOLLOWED and ALIVE of a thread; by Atomics only. */
  thread(index: number): Int32Array {
    return this.#threads.subarray(index * THREAD_WORDS, (index + 1) * THREAD_WORDS);
  }
  counters(index: number, side: 'clients' | 'peers'): Float64Array {
    const at = (index * 2 + (side === 'clients' ? 0 : 1)) * COUNTER_WORDS;
    return this.#counters.subarray(at, at + COUNTER_WORDS);
  }
  clearFlow(slot: number): void {
    this.flows.fill(0, slot * FLOW_WORDS, (slot + 1) * FLOW_WORDS);
  }
}

/** Makes a budget that is full. */
export function fillBudget(
  budgets: Int32Array,
  slot: number,
  now: number,
  rate: number,
  burst: number,
): void {
  const at = slot * BUDGET_WORDS;
  Atomics.store(budgets, at + FILLED, now | 0);
  rateBudget(budgets, slot, rate, burst);
  Atomics.store(budgets, at + BITS, budgets[at + BURST] ?? 0);
}
/** What it refills by from now on; in octets, as `FlowBudget.refill`. */
export function rateBudget(budgets: Int32Array, slot: number, rate: number, burst: number): void {
  const at = slot * BUDGET_WORDS;
  budgets[at + RATE] = Math.min(rate * 8, MOST_BITS);
  budgets[at + BURST] = Math.min(burst * 8, MOST_BITS);
}
/** @returns bits that may pass now */
export function refillBudget(budgets: Int32Array, slot: number, now: number): number {
  const at = slot * BUDGET_WORDS;
  const burst = budgets[at + BURST] ?? 0;
  let gain = 0;
  const time = now | 0;
  const filled = Atomics.load(budgets, at + FILLED);
  const elapsed = (time - filled) | 0;
  if (elapsed > 0 || elapsed < -SKEW_MS) {
    // Of several threads that come at a time, one gives what the time is worth.
    const isOurs = Atomics.compareExchange(budgets, at + FILLED, filled, time) === filled;
    if (isOurs) gain = elapsed > 0 ? elapsed * (budgets[at + RATE] ?? 0) : MOST_BITS;
  }
  let bits = Atomics.load(budgets, at + BITS);
  while (gain > 0 || bits > burst) {
    const next = Math.min(burst, bits + gain);
    const found = Atomics.compareExchange(budgets, at + BITS, bits, next);
    if (found === bits) return next;
    bits = found;
  }
  return bits;
}
export function takeBits(budgets: Int32Array, slot: number, bits: number): void {
  Atomics.sub(budgets, slot * BUDGET_WORDS + BITS, bits);
}
