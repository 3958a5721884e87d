import { type Clock, err, type Failure, type Result } from '#kernel';
import type { Endpoint } from '../endpoint.ts';
import { AttemptPlan, type RaceAction, type RaceLimits, usualRaceLimits } from './attempt-plan.ts';

/** One attempt; it has to end soon after the signal, and a result that comes too late is given back. */
export type Attempt<Value> = (endpoint: Endpoint, signal: AbortSignal) => Promise<Result<Value>>;

export interface RaceOptions<Value> {
  /** Where to; each source (an address family) may come in its own time, and none may reject. */
  readonly sources: readonly Promise<readonly Endpoint[]>[];
  readonly attempt: Attempt<Value>;
  /** What is done with a second winner. */
  readonly discard: (value: Value) => void;
  readonly limits?: RaceLimits;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** What came of a race without a winner; empty when there was no address at all. */
export interface RaceLost {
  readonly failures: readonly Failure[];
}

/** Tries addresses side by side (RFC 8305); the first to succeed is the result, the others are ended. Never rejects. */
export function race<Value>(options: RaceOptions<Value>): Promise<Result<Value, RaceLost>> {
  return new Promise((resolve) => new Race(options, resolve).start());
}

class Race<Value> {
  readonly #options: RaceOptions<Value>;
  readonly #resolve: (result: Result<Value, RaceLost>) => void;
  readonly #plan: AttemptPlan;
  readonly #failures: Failure[] = [];
  readonly #losers = new AbortController();
  #cancelTimer = ignore;
  #over = false;

  constructor(options: RaceOptions<Value>, resolve: (result: Result<Value, RaceLost>) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#plan = new AttemptPlan(options.sources.length, options.limits ?? usualRaceLimits);
  }

  start(): void {
    const { sources, clock, signal } = this.#options;
    if (signal?.aborted === true || sources.length === 0) {
      this.#end(err({ failures: [] }));
      return;
    }
    signal?.addEventListener('abort', this.#handleAbort, { once: true });
    for (const source of sources)
      void source.then((endpoints) => this.#execute(this.#plan.handleAddresses(endpoints, clock.now())));
  }

  #execute(actions: readonly RaceAction[]): void {
    for (const action of actions) {
      if (this.#over) return;
      if (action.do === 'start') void this.#try(action.endpoint);
      else if (action.do === 'wait') this.#wait(action.until);
      else this.#end(err({ failures: this.#failures }));
    }
  }

  async #try(endpoint: Endpoint): Promise<void> {
    const { attempt, discard, clock } = this.#options;
    const result = await attempt(endpoint, this.#losers.signal);
    if (this.#over) {
      if (result.ok) discard(result.value);
    } else if (result.ok) this.#end(result);
    else {
      this.#failures.push(result.error);
      this.#execute(this.#plan.handleFailure(clock.now()));
    }
  }

  #wait(until: number): void {
    const { clock } = this.#options;
    this.#cancelTimer();
    this.#cancelTimer = clock.after(until - clock.now(), () =>
      this.#execute(this.#plan.handleTimer(clock.now())),
    );
  }

  readonly #handleAbort = (): void => this.#end(err({ failures: this.#failures }));

  #end(result: Result<Value, RaceLost>): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer();
    this.#options.signal?.removeEventListener('abort', this.#handleAbort);
    this.#losers.abort();
    this.#resolve(result);
  }
}

function ignore(): void {}
