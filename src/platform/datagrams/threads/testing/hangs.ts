import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { until } from '#kernel';

/** How a thread hangs: for a lock that nobody gives, or in a loop without end. */
export type WayToHang = 'waiting' | 'spinning';

/** The words that test and threads share, each an int32: who shall hang and how, who does, and turns of each thread. */
const TOLD = 0;
const HANGING = 1;
const TURNS = 2;
const THREADS = 64;
const KEY = 'sallyport relay threads that hang';
const ways: readonly WayToHang[] = ['waiting', 'spinning'];

/** For the test: tells threads that were started after it was made to hang. */
export class Hangs {
  static readonly main = new URL('./hanging-thread.ts', import.meta.url);
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * (TURNS + THREADS)));

  constructor() {
    setEnvironmentData(KEY, this.#words);
  }
  /** Resolves when the thread is inside, from where it never comes back: what was not read by now it does not read. */
  async hang(index: number, way: WayToHang): Promise<void> {
    Atomics.store(this.#words, HANGING, 0);
    Atomics.store(this.#words, TOLD, index * ways.length + ways.indexOf(way) + 1);
    await until(() => Atomics.load(this.#words, HANGING) === 1, 'a thread hangs');
  }
  /** Resolves when another thread has given a sign of life since. */
  async lives(index: number): Promise<void> {
    const turns = () => Atomics.load(this.#words, TURNS + index);
    const later = turns() + 2;
    await until(() => turns() >= later, 'a thread that does not hang goes on');
  }
}

/** In the thread: hangs, once, when it is its turn. */
export function hangIfTold(index: number): void {
  const words = getEnvironmentData(KEY) as Int32Array;
  Atomics.add(words, TURNS + index, 1);
  for (const [at, way] of ways.entries()) {
    const told = index * ways.length + at + 1;
    if (Atomics.compareExchange(words, TOLD, told, 0) !== told) continue;
    Atomics.store(words, HANGING, 1);
    if (way === 'waiting') Atomics.wait(words, HANGING, 1);
    for (;;);
  }
}
