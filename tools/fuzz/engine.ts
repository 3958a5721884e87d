import { SeededRandom } from '#kernel';
import { BlockCoverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

export interface FuzzOptions {
  readonly executions: number;
  readonly seed: number;
  /** Inputs between two readings of the coverage. */
  readonly batch?: number;
  /** Coverage is read for this many inputs at most; later inputs mutate what was found. */
  readonly guided?: number;
}

export interface FuzzReport {
  readonly target: string;
  readonly executions: number;
  /** Seeds, and inputs that reached something new. */
  readonly corpus: readonly Buffer[];
  readonly blocks: number;
  /** The first input that broke a property, and how. */
  readonly crash?: { readonly input: Buffer; readonly error: unknown };
}

const LARGEST_CORPUS = 512;

/** Runs one target: every seed, then mutations guided by which blocks of the source they reach. */
export function fuzz(target: FuzzTarget, options: FuzzOptions): FuzzReport {
  const run = new FuzzRun(target, options);
  return run.execute();
}

class FuzzRun {
  readonly #target: FuzzTarget;
  readonly #options: FuzzOptions;
  readonly #random: SeededRandom;
  readonly #corpus: Buffer[];
  readonly #coverage = new BlockCoverage(/\/src\/.*\.ts$/);
  #executions = 0;
  #blocks = 0;
  #crash: { input: Buffer; error: unknown } | undefined;

  constructor(target: FuzzTarget, options: FuzzOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#corpus = target.seeds.map((seed) => Buffer.from(seed));
    if (this.#corpus.length === 0) throw new Error(`${target.name}: a fuzz target needs a seed`);
  }

  execute(): FuzzReport {
    for (const seed of [...this.#corpus]) if (!this.#try(seed)) break;
    this.#blocks += this.#coverage.newBlocks().size;
    const guided = Math.min(this.#options.guided ?? 20_000, this.#options.executions);
    while (this.#crash === undefined && this.#executions < guided) this.#guidedBatch();
    this.#coverage.close();
    while (this.#crash === undefined && this.#executions < this.#options.executions) this.#try(this.#next());
    return {
      target: this.#target.name,
      executions: this.#executions,
      corpus: this.#corpus,
      blocks: this.#blocks,
      ...(this.#crash === undefined ? {} : { crash: this.#crash }),
    };
  }

  #guidedBatch(): void {
    const inputs: Buffer[] = [];
    for (let count = this.#options.batch ?? 100; count > 0; count--) {
      const input = this.#next();
      inputs.push(input);
      if (!this.#try(input)) return;
    }
    const fresh = this.#coverage.newBlocks();
    this.#blocks += fresh.size;
    for (const input of inputs) {
      if (fresh.size === 0) return;
      if (this.#claims(input, fresh)) this.#keep(input);
    }
  }
  /** Runs one input again, alone, and takes the blocks that it reaches out of `fresh`. */
  #claims(input: Buffer, fresh: Set<string>): boolean {
    this.#try(input);
    const before = fresh.size;
    for (const key of this.#coverage.reached()) fresh.delete(key);
    return fresh.size < before;
  }
  #keep(input: Buffer): void {
    if (this.#corpus.length < LARGEST_CORPUS) this.#corpus.push(input);
    else this.#corpus[this.#random.integer(LARGEST_CORPUS)] = input;
  }
  #next(): Buffer {
    const pick = () => this.#corpus[this.#random.integer(this.#corpus.length)] ?? Buffer.alloc(0);
    return mutate(pick(), this.#random, pick());
  }
  #try(input: Buffer): boolean {
    this.#executions += 1;
    try {
      this.#target.run(input);
      return true;
    } catch (error) {
      this.#crash = { input, error };
      return false;
    }
  }
}
