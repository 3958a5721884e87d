import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Monotonic } from '#kernel';
import { type Metrics, RateWindow } from '#platform/telemetry';
import type { RelayHost } from './relay-host.ts';
import type { Settings } from './settings.ts';

/** Sampled once a second; what is shown is the mean of so many seconds, as the field's own guidance samples. */
const WINDOW_SECONDS = 15;
/** With less to do than this share of its time, what a process could do at most is a guess. */
const LEAST_UTILISATION = 0.05;

/** One key health indicator: what it is now, and from where on it says that something is wrong. */
export interface Indicator {
  readonly name: (typeof names)[number];
  readonly perSecond: number;
  readonly bound: number;
}
const names = ['authenticationFailures', 'allocationFailures', 'packetsDropped'] as const;
/** The figures that are published for an edge of the original. */
const bounds = { authenticationFailures: 20, allocationFailures: 20, packetsDropped: 300 } as const;
const helps = {
  authenticationFailures: 'Requests whose credential was not good; first requests without one do not count.',
  allocationFailures: 'Requests refused for want of room or quota.',
  packetsDropped: 'Datagrams ignored or not sent, whatever the reason.',
} as const;

/** How much of something is in use; `most` undefined where it is not known. */
export interface Headroom {
  readonly name: 'allocations' | 'ports' | 'connections' | 'datagramsPerSecond';
  readonly now: number;
  readonly most: number | undefined;
  readonly by: 'document' | 'measurement';
}

/** The utilisation of a process's thread since it was last asked, 0..1. */
export type Utilisation = () => number;

function ofThisThread(): Utilisation {
  let last: EventLoopUtilization | undefined;
  return () => {
    const now = performance.eventLoopUtilization();
    const since = last === undefined ? now : performance.eventLoopUtilization(now, last);
    last = now;
    return since.utilization;
  };
}

/** Totals that indicators are made of. */
export interface Totals {
  readonly authenticationFailures: number;
  readonly allocationFailures: number;
  readonly packetsDropped: number;
  readonly datagrams: number;
}

/** 486 and 508 (RFC 8656 §7.2): quota reached, no room. */
const ALLOCATION_FAILURES = [486, 508] as const;

export function totalsOf({ relay, datagrams }: RelayHost): Totals {
  const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, one) => total + one, 0);
  const sockets = [datagrams.clients, datagrams.peers];
  const { counters, refusals, drops } = relay;
  return {
    authenticationFailures: counters.authenticationFailures,
    allocationFailures: sum(ALLOCATION_FAILURES.map((code) => refusals.get(code) ?? 0)),
    packetsDropped:
      sum(drops.values()) +
      sum(sockets.map((one) => one.queueFull + one.unread + sum(Object.values(one.errors)))),
    datagrams: counters.sentPackets + counters.receivedPackets - counters.switchedPackets,
  };
}

/** Key health indicators of the relay, and how much more it could carry by its document and by what it does now. */
export class Indicators {
  readonly #rates = Object.fromEntries(names.map((name) => [name, new RateWindow(WINDOW_SECONDS)])) as Record<
    Indicator['name'],
    RateWindow
  >;
  readonly #datagrams = new RateWindow(WINDOW_SECONDS);
  readonly #utilisations: number[] = [];
  readonly #utilisation: Utilisation;

  constructor(metrics: Metrics, utilisation: Utilisation = ofThisThread()) {
    this.#utilisation = utilisation;
    for (const name of names) {
      const inSnakes = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      metrics.observe(`sallyport_av_${inSnakes}_per_second`, helps[name], () => this.#rates[name].perSecond);
    }
    metrics.observe('sallyport_av_utilisation', 'Share of its time that the relay is busy.', () => this.busy);
    metrics.observe(
      'sallyport_av_datagrams_per_second_ceiling',
      'Datagrams a second that the relay could carry, by what it does now; 0 when it has too little to do to say.',
      () => this.ceiling ?? 0,
    );
  }

  /** Called once a second. */
  sample(totals: Totals, now: Monotonic): void {
    for (const name of names) this.#rates[name].sample(totals[name], now);
    this.#datagrams.sample(totals.datagrams, now);
    this.#utilisations.push(this.#utilisation());
    if (this.#utilisations.length > WINDOW_SECONDS) this.#utilisations.shift();
  }

  /** Mean share of its time that the process was busy, 0..1. */
  get busy(): number {
    const { length } = this.#utilisations;
    return length === 0 ? 0 : this.#utilisations.reduce((sum, one) => sum + one, 0) / length;
  }
  /** Datagrams a second at which it would be busy all the time, if they cost what they cost now. */
  get ceiling(): number | undefined {
    const { perSecond } = this.#datagrams;
    return this.busy < LEAST_UTILISATION || perSecond === 0 ? undefined : perSecond / this.busy;
  }

  list(): Indicator[] {
    return names.map((name) => ({ name, perSecond: this.#rates[name].perSecond, bound: bounds[name] }));
  }
  /** Those beyond their bounds, for the service's health. */
  exceeded(): Indicator[] {
    return this.list().filter(({ perSecond, bound }) => perSecond >= bound);
  }
  headroom({ relay, streams }: RelayHost, { limits, streams: { limits: tls } }: Settings): Headroom[] {
    return [
      { name: 'allocations', now: relay.allocations.size, most: limits.allocations, by: 'document' },
      { name: 'ports', now: relay.ports.taken, most: relay.ports.size, by: 'document' },
      { name: 'connections', now: streams, most: tls.connections, by: 'document' },
      { name: 'datagramsPerSecond', now: this.#datagrams.perSecond, most: this.ceiling, by: 'measurement' },
    ];
  }
}
