import type { Clock, Monotonic } from '#kernel';

/** What kind of thing a step of a trace tells. */
export type TraceTopic =
  | 'dns'
  | 'locate'
  | 'connect'
  | 'certificate'
  | 'names'
  | 'revocation'
  | 'policy'
  | 'answer';

export interface TraceStep {
  readonly topic: TraceTopic;
  /** One sentence for an operator; never a secret. */
  readonly text: string;
  readonly ok: boolean;
  /** Milliseconds from the beginning of the trace to the beginning of the step. */
  readonly atMs: number;
  /** Milliseconds that the step took. */
  readonly tookMs: number;
}

/** Ends a step. */
export type EndStep = (ok: boolean, text: string) => void;

const MOST_STEPS = 200;

/** The story of one attempt to reach somebody, step by step, each with its time; further steps are not kept. */
export class Trace {
  readonly steps: TraceStep[] = [];
  readonly #clock: Clock;
  readonly #begun: Monotonic;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#begun = clock.now();
  }

  /** Something that took no time. */
  note(topic: TraceTopic, ok: boolean, text: string): void {
    this.begin(topic)(ok, text);
  }

  /** Something that takes time: call the result when it is over. */
  begin(topic: TraceTopic): EndStep {
    const from = this.#clock.now();
    return (ok, text) => {
      if (this.steps.length >= MOST_STEPS) return;
      const atMs = Math.round(from - this.#begun);
      this.steps.push({ topic, text, ok, atMs, tookMs: Math.round(this.#clock.now() - from) });
    };
  }
}
