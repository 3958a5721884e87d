import { type BackOff, type Cancel, halfRandom, type Monotonic, pauseAfter, type Result } from '#kernel';
import type { Connection } from '#platform/net';
import type { Counter } from '#platform/telemetry';
import type { FlowTarget, SipFlowPoolOptions } from './flow-pool.ts';
import type { FlowCloseReason, SipFlow } from './types.ts';

/** What can be seen of a member. */
export interface PoolMember {
  readonly target: FlowTarget;
  readonly state: 'healthy' | 'unhealthy';
  /** Why it is not healthy. */
  readonly reason: string | undefined;
  /** Open ones. */
  readonly connections: number;
  /** Requests that wait for one. */
  readonly pending: number;
}

export type PoolRefusal =
  | 'pending-full'
  | 'pending-timeout'
  /** Dialling failed, or the next attempt is not due yet. */
  | 'dial-failed'
  | 'removed'
  | 'closed';

/** What a member needs of its pool. */
export interface MemberHost {
  readonly options: SipFlowPoolOptions;
  readonly dialled: Counter<'ok' | 'failed'>;
}

interface Waiting {
  readonly use: (flow: SipFlow) => void;
  readonly refused: (why: PoolRefusal) => void;
  readonly cancel: Cancel;
}

const DEFAULTS = {
  backOff: { firstMs: 500, longestMs: 30_000 },
  pending: 256,
  pendingMs: 5000,
  connections: 1,
};

/** Until a probe says otherwise. */
const FOR_GOOD = Number.POSITIVE_INFINITY as Monotonic;

/** One target of a pool, its connections and its state of health. */
export class Member implements PoolMember {
  readonly target: FlowTarget;
  /** Its place in the pool. */
  readonly key: string;
  readonly #host: MemberHost;
  readonly #backOff: BackOff;
  readonly #flows: SipFlow[] = [];
  readonly #waiting = new Set<Waiting>();
  #dialling = 0;
  /** Failures in a row, for the back-off. */
  #failures = 0;
  #retry: Cancel | undefined;
  /** It was heard from since the last attempt failed: the next one is worth waiting for. */
  #awake = false;
  #dialledAt: Monotonic = Number.NEGATIVE_INFINITY as Monotonic;
  /** The next one. */
  #probe: Cancel | undefined;
  #probedAt: Monotonic = Number.NEGATIVE_INFINITY as Monotonic;
  #turn = 0;
  #gone = false;
  #reason: string | undefined = 'not connected yet';
  #suspended: { readonly until: Monotonic; readonly reason: string } | undefined;
  #told: 'healthy' | 'unhealthy' = 'unhealthy';

  constructor(target: FlowTarget, key: string, host: MemberHost) {
    this.target = target;
    this.key = key;
    this.#host = host;
    this.#backOff = host.options.backOff ?? DEFAULTS.backOff;
  }

  get state(): 'healthy' | 'unhealthy' {
    return this.#flows.length > 0 && !this.#isSuspended() ? 'healthy' : 'unhealthy';
  }
  get reason(): string | undefined {
    if (this.state === 'healthy') return undefined;
    return this.#isSuspended() ? this.#suspended?.reason : this.#reason;
  }
  get connections(): number {
    return this.#flows.length;
  }
  get pending(): number {
    return this.#waiting.size;
  }

  flow(): SipFlow | undefined {
    if (this.#flows.length < 2) return this.#flows[0];
    this.#turn = (this.#turn + 1) % this.#flows.length;
    return this.#flows[this.#turn];
  }

  whenOpen(use: (flow: SipFlow) => void, refused: (why: PoolRefusal) => void): void {
    const { clock, pending = DEFAULTS.pending, pendingMs = DEFAULTS.pendingMs } = this.#host.options;
    const flow = this.flow();
    if (flow !== undefined) return use(flow);
    if (this.#dialling === 0 && !this.#awake) return refused('dial-failed');
    if (this.#waiting.size >= pending) return refused('pending-full');
    const cancel = clock.after(pendingMs, () => {
      if (this.#waiting.delete(waiting)) refused('pending-timeout');
    });
    const waiting: Waiting = { use, refused, cancel };
    this.#waiting.add(waiting);
  }

  /** Dials what is missing, unless an attempt is planned already. */
  fill(): void {
    const { connections = DEFAULTS.connections } = this.#host.options;
    while (!this.#gone && this.#retry === undefined && this.#flows.length + this.#dialling < connections) {
      this.#dialling += 1;
      this.#awake = false;
      this.#dialledAt = this.#host.options.clock.now();
      void this.#dial();
    }
  }

  /** It was heard from: the next attempt is due now, or as soon as the shortest back-off allows. */
  wake(): void {
    if (this.#retry === undefined) return;
    this.#awake = true;
    const { clock } = this.#host.options;
    this.#retryAfter(Math.max(0, this.#dialledAt + this.#backOff.firstMs - clock.now()));
  }

  suspend(reason: string): void {
    const { clock } = this.#host.options;
    this.#suspended = { until: clock.now() + this.#backOff.longestMs, reason };
    clock.after(this.#backOff.longestMs, () => this.#tell());
    this.#tell();
  }

  holds(flow: SipFlow): boolean {
    return this.#flows.includes(flow);
  }
  /** Whether it serves is asked now, unless that was just done. */
  doubt(): void {
    if (this.#host.options.clock.now() - this.#probedAt >= this.#backOff.firstMs) this.#sendProbe();
  }

  /** Takes no new requests; its flows close after `ms`. */
  retire(ms: number): void {
    this.#leave('removed');
    const flows = [...this.#flows];
    this.#host.options.clock.after(ms, () => this.#closeAll(flows));
  }
  close(why: 'closed' | 'removed'): void {
    this.#leave(why);
    this.#closeAll([...this.#flows]);
  }

  #leave(why: 'closed' | 'removed'): void {
    this.#gone = true;
    this.#retry?.();
    this.#probe?.();
    this.#refuseWaiting(why);
  }
  #closeAll(flows: readonly SipFlow[]): void {
    for (const flow of flows) this.#host.options.endpoint.closeFlow(flow, 'shutdown');
  }

  async #dial(): Promise<void> {
    const result = await this.#host.options.dial(this.target);
    this.#dialling -= 1;
    if (this.#gone) {
      if (result.ok) result.value.destroy('shutdown');
      return;
    }
    this.#host.dialled.inc(result.ok ? 'ok' : 'failed');
    this.#settle(result);
    this.#tell();
  }

  #settle(result: Result<Connection>): void {
    if (!result.ok) return this.#failed(`${result.error.code} ${result.error.message}`);
    const { endpoint, keepAlive, clock, flowData, scope, name, divert } = this.#host.options;
    const opened = clock.now();
    const flow = endpoint.addFlow(result.value, {
      authorised: true,
      dialled: true,
      scope: scope ?? `pool-${name}`,
      data: flowData?.(this.target),
      onClosed: (closed, reason) => this.#handleClosed(closed, reason, opened),
      ...(keepAlive === undefined ? {} : { keepAlive }),
      ...(divert === undefined ? {} : { divert }),
    });
    if (flow === undefined) return this.#failed('no room for another flow');
    this.#flows.push(flow);
    if (this.#isSuspended()) this.#sendProbe();
    else this.#planProbe();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { use, cancel } of waiting) {
      cancel();
      use(flow);
    }
  }

  #handleClosed(flow: SipFlow, reason: FlowCloseReason, opened: Monotonic): void {
    this.#flows.splice(this.#flows.indexOf(flow), 1);
    if (this.#gone) return;
    // A peer that accepts and closes again is no better than one that refuses.
    const lived = this.#host.options.clock.now() - opened;
    if (lived >= this.#backOff.longestMs) this.#failures = 0;
    this.#failed(`connection closed: ${reason}`);
    this.#tell();
  }

  #failed(reason: string): void {
    const { random } = this.#host.options;
    this.#reason = reason;
    this.#failures += 1;
    if (this.#flows.length === 0 && this.#dialling === 0) this.#refuseWaiting('dial-failed');
    if (this.#retry !== undefined) return;
    this.#retryAfter(halfRandom(pauseAfter(this.#failures, this.#backOff), random));
  }

  #retryAfter(delay: number): void {
    this.#retry?.();
    this.#retry = this.#host.options.clock.after(delay, () => {
      this.#retry = undefined;
      this.fill();
    });
  }

  #refuseWaiting(why: PoolRefusal): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { refused, cancel } of waiting) {
      cancel();
      refused(why);
    }
  }

  /** One that said that it does not serve is not chosen before it says that it does, so it is asked more often. */
  #planProbe(): void {
    const { probe, clock } = this.#host.options;
    if (probe === undefined || this.#gone) return;
    this.#probe?.();
    const pause = this.#isSuspended()
      ? Math.min(this.#backOff.longestMs, probe.intervalMs)
      : probe.intervalMs;
    this.#probe = clock.after(pause, () => this.#sendProbe());
  }

  #sendProbe(): void {
    const { probe, endpoint, clock } = this.#host.options;
    const flow = this.flow();
    if (probe === undefined || flow === undefined) return;
    this.#probedAt = clock.now();
    endpoint.request(flow, probe.build(flow, this.target), {
      onResponse: ({ status }) => {
        if (status >= 200) this.#handleProbed(status);
      },
      onFailure: (cause) => {
        if (cause === 'timeout') endpoint.closeFlow(flow, 'pong-timeout');
      },
    });
    this.#planProbe();
  }
  #handleProbed(status: number): void {
    const serves = status !== 503;
    this.#suspended = serves ? undefined : { until: FOR_GOOD, reason: 'answers 503 to a probe' };
    if (!serves) this.#planProbe();
    this.#tell();
  }

  #isSuspended(): boolean {
    return this.#suspended !== undefined && this.#host.options.clock.now() < this.#suspended.until;
  }

  /** One log line for each change, not for each attempt. */
  #tell(): void {
    const { state, reason } = this;
    if (state === this.#told || this.#gone) return;
    this.#told = state;
    const { log, onChange, name } = this.#host.options;
    const fields = { pool: name, member: this.target.name, address: this.target.address };
    if (state === 'healthy') log.info('pool member healthy', fields);
    else log.warn('pool member unhealthy', { ...fields, reason });
    onChange?.(this);
  }
}
