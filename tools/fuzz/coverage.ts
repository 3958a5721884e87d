import { Session } from 'node:inspector';

interface FunctionCoverage {
  readonly ranges: readonly {
    readonly startOffset: number;
    readonly endOffset: number;
    readonly count: number;
  }[];
}
interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly FunctionCoverage[];
}

/**
 * Block coverage of the project's own source from V8's profiler. Reading it costs milliseconds, so the engine
 * reads it once for a batch of inputs and narrows down only when a batch reached something new.
 */
export class BlockCoverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  readonly #include: RegExp;

  /** @param include which script URLs count */
  constructor(include: RegExp) {
    this.#include = include;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }
  /** Blocks reached since the last call that were never reached before; they count as known from now on. */
  newBlocks(): Set<string> {
    const fresh = new Set<string>();
    for (const key of this.reached()) {
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      fresh.add(key);
    }
    return fresh;
  }
  /** Every block reached since the last call of this or {@link newBlocks}. */
  *reached(): Generator<string> {
    for (const script of this.#take()) {
      if (!this.#include.test(script.url)) continue;
      for (const covered of script.functions) {
        for (const range of covered.ranges) {
          if (range.count > 0) yield `${script.url}:${range.startOffset}:${range.endOffset}`;
        }
      }
    }
  }
  close(): void {
    this.#post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
  #take(): readonly ScriptCoverage[] {
    let result: readonly ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, response) => {
      if (error !== null) throw error;
      result = response.result;
    });
    return result;
  }
  #post(method: string, parameters: object = {}): void {
    this.#session.post(method, parameters, (error) => {
      if (error !== null) throw error;
    });
  }
}
