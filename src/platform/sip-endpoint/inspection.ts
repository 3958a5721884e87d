import type { Cancel, Clock, Monotonic, Random } from '#kernel';
import type { Excess, Flow } from './flow.ts';
import type { FlowTable } from './flow-table.ts';
import type { FlowCloseReason, PreAuthorisationLimits } from './types.ts';

/** How often flows are looked at for what is late; times are kept to this accuracy. */
const INSPECTION_MS = 1000;
/** RFC 5626 §4.4.1. */
const DEFAULT_PONG_MS = 10_000;

type Overdue = Excess | Extract<FlowCloseReason, 'message-timeout' | 'pong-timeout' | 'unauthorised-seconds'>;

/** What the inspection does to a flow. */
export interface InspectionUser {
  ping(flow: Flow): void;
  overdue(flow: Flow, reason: Overdue): void;
}

/** One timer that looks after the times of all flows: messages, pings, pongs, and sign-in. */
export class Inspection {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #flows: FlowTable;
  readonly #limits: () => PreAuthorisationLimits | undefined;
  readonly #user: InspectionUser;
  #timer: Cancel | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly flows: FlowTable;
    readonly limits: () => PreAuthorisationLimits | undefined;
    readonly user: InspectionUser;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#flows = options.flows;
    this.#limits = options.limits;
    this.#user = options.user;
  }

  begin(flow: Flow): void {
    this.#planPing(flow, this.#clock.now());
    this.#timer ??= this.#clock.after(INSPECTION_MS, () => this.#inspect());
  }
  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  #inspect(): void {
    const now = this.#clock.now();
    for (const flow of [...this.#flows.values()]) {
      const overdue = this.#overdue(flow, now);
      if (overdue !== undefined) this.#user.overdue(flow, overdue);
      else if (now >= flow.pingDue) this.#ping(flow, now);
    }
    const again = this.#flows.size > 0;
    this.#timer = again ? this.#clock.after(INSPECTION_MS, () => this.#inspect()) : undefined;
  }

  #overdue(flow: Flow, now: Monotonic): Overdue | undefined {
    const { deadline } = flow.framer;
    if (deadline !== undefined && now >= deadline) return 'message-timeout';
    if (now >= flow.pongDue) return 'pong-timeout';
    const limits = flow.authorised ? undefined : this.#limits();
    if (limits === undefined) return undefined;
    return now - flow.opened > limits.seconds * 1000 ? 'unauthorised-seconds' : flow.excess(limits);
  }

  #ping(flow: Flow, now: Monotonic): void {
    this.#user.ping(flow);
    flow.pongDue = Math.min(flow.pongDue, now + (flow.keepAlive?.pongMs ?? DEFAULT_PONG_MS));
    this.#planPing(flow, now);
  }

  /** RFC 5626 §4.4.1: somewhere between 80 and 100 % of the interval, so that pings do not come in waves. */
  #planPing(flow: Flow, now: Monotonic): void {
    if (flow.keepAlive === undefined) return;
    const share = 0.8 + ((this.#random.bytes(1)[0] ?? 0) / 255) * 0.2;
    flow.pingDue = now + flow.keepAlive.intervalMs * share;
  }
}
