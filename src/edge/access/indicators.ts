import type { Monotonic } from '#kernel';
import { type Metrics, RateWindow } from '#platform/telemetry';

/** Sampled once a second; what is shown is the mean of so many seconds, as the field's own guidance samples. */
const WINDOW_SECONDS = 15;

/** What is read once a second: totals that only grow, and levels. */
export interface Sample {
  readonly totals: Readonly<Record<RateName, number>>;
  readonly levels: Readonly<Record<LevelName, number>>;
}

const rates = ['connectionsDropped', 'sendsTimedOut', 'requestsDropped'] as const;
type RateName = (typeof rates)[number];
const levels = ['flowControlled', 'waitingSeconds'] as const;
type LevelName = (typeof levels)[number];

/** One key health indicator: what it is now, and from where on it says that something is wrong. */
export interface Indicator {
  readonly name: RateName | LevelName;
  readonly unit: 'a second' | 'connections' | 'seconds';
  readonly value: number;
  readonly bound: number;
}

/** The figures that are published for the SIP stack of an edge of the original. */
const bounds = {
  connectionsDropped: 1,
  sendsTimedOut: 10,
  requestsDropped: 1,
  flowControlled: 100,
  waitingSeconds: 3,
} as const;
const helps = {
  connectionsDropped: 'Connections refused a second because a limit was reached.',
  sendsTimedOut: 'Requests a second that nobody answered in time, and connections that nobody read.',
  requestsDropped: 'Requests a second refused for want of room or time.',
  flowControlled: 'Connections whose peer has not taken what was written.',
  waitingSeconds: 'How long a message waits before it is read, in the mean.',
} as const;
const units = { flowControlled: 'connections', waitingSeconds: 'seconds' } as const;

/** Key health indicators of the service: five numbers, and for each the bound from which on somebody should look. */
export class Indicators {
  readonly #rates = Object.fromEntries(rates.map((name) => [name, new RateWindow(WINDOW_SECONDS)])) as Record<
    RateName,
    RateWindow
  >;
  readonly #levels: Record<LevelName, number[]> = { flowControlled: [], waitingSeconds: [] };

  constructor(metrics: Metrics) {
    for (const name of [...rates, ...levels]) {
      const inSnakes = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const metric = `sallyport_access_${inSnakes}${isRate(name) ? '_per_second' : ''}`;
      metrics.observe(metric, helps[name], () => this.#valueOf(name));
    }
  }

  /** Called once a second. */
  sample({ totals, levels: now }: Sample, at: Monotonic): void {
    for (const name of rates) this.#rates[name].sample(totals[name], at);
    for (const name of levels) {
      this.#levels[name].push(now[name]);
      if (this.#levels[name].length > WINDOW_SECONDS) this.#levels[name].shift();
    }
  }

  list(): Indicator[] {
    return [...rates, ...levels].map((name) => ({
      name,
      unit: isRate(name) ? 'a second' : units[name],
      value: this.#valueOf(name),
      bound: bounds[name],
    }));
  }
  /** Those beyond their bounds, for the service's health. */
  exceeded(): Indicator[] {
    return this.list().filter(({ value, bound }) => value >= bound);
  }

  #valueOf(name: RateName | LevelName): number {
    if (isRate(name)) return this.#rates[name].perSecond;
    const samples = this.#levels[name];
    return samples.length === 0 ? 0 : samples.reduce((sum, one) => sum + one, 0) / samples.length;
  }
}

function isRate(name: RateName | LevelName): name is RateName {
  return (rates as readonly string[]).includes(name);
}
