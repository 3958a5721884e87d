import { type Cancel, type Clock, type Monotonic, pauseAfter, type Result } from '#kernel';
import type { Connection } from '#platform/net';
import type { Reached } from '#platform/partner-dial';
import type { SipFlow } from '#platform/sip-endpoint';
import type { FederationReason } from '../policy/federation-reasons.ts';

/** Why no connection to a partner could be had; the text is for the operator. */
export interface LinkFailure {
  readonly reason: FederationReason;
  readonly detail: string;
}

export interface PartnerLinkOptions {
  readonly clock: Clock;
  /** Opens one connection, to whichever of the partner's edges can be reached, but for those to avoid. */
  readonly dial: (avoid: ReadonlySet<string>) => Promise<Result<Reached<Connection>, LinkFailure>>;
  /** Makes a flow of it; undefined when there is no room. `closed` is called when it ends. */
  readonly adopt: (connection: Connection, closed: (flow: SipFlow) => void) => SipFlow | undefined;
  readonly close: (flow: SipFlow) => void;
  readonly failed?: (failure: LinkFailure) => void;
}

/** Requests that wait for a connection to one partner. */
const MOST_WAITING = 256;
/** Unanswered requests on every open connection before another one is opened. */
const BUSY = 16;
/** A partner that could not be reached is left alone for so long, doubling. */
const BACK_OFF = { firstMs: 1000, longestMs: 60_000 };
/** Above this many bytes waiting to be written, a connection takes no new request. */
const CONGESTED_BYTES = 512 * 1024;

/** The resolver remembers by itself for how long it is not worth asking again. */
const OF_NAMES: ReadonlySet<FederationReason> = new Set([
  'partner-unresolvable',
  'partner-name',
  'partner-address',
]);

const NOBODY: ReadonlySet<string> = new Set();
/** A server that took a request and said nothing, or was not there, is tried last for so long. */
const LAST_MS = 60_000;
const GONE: LinkFailure = { reason: 'partner-unreachable', detail: 'the partner is no longer one' };

/** In TLS 1.3 a server judges the client's certificate after the client has seen the handshake end. */
const SHOWN_THE_DOOR_MS = 10_000;
const SHOWN_THE_DOOR: LinkFailure = {
  reason: 'partner-certificate',
  detail:
    'the partner closed the connection right after the handshake and said nothing: it may not accept our certificate (its authority, its name, or that it is not good for clients)',
};

interface Waiting {
  readonly use: (flow: SipFlow) => void;
  readonly refused: (failure: LinkFailure) => void;
}

/**
 * The connections that the edge opens to one partner: the first when it is needed, further ones while all are busy, up to
 * as many as the document allows. What waits for a connection is bounded, and so is how often one is tried.
 */
export class PartnerLink {
  readonly #options: PartnerLinkOptions;
  readonly #flows = new Map<SipFlow, { readonly host: string; load: number; silent: boolean }>();
  /** Open connections that are to close. */
  #surplus = new WeakSet<SipFlow>();
  readonly #waiting = new Set<Waiting>();
  #dialling = 0;
  #failures = 0;
  #failure: LinkFailure | undefined;
  #retryAt = 0;
  /** The same of another server than the one that answered 503. */
  #otherFailures = 0;
  #otherRetryAt = 0;
  #farewell: Cancel | undefined;
  #closed = false;
  /** Hosts that took requests and said nothing, or could not be reached when another one could; until when they are tried last. */
  readonly #last = new Map<string, Monotonic>();

  constructor(options: PartnerLinkOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#flows.size;
  }
  /** What kept it from being reached the last time. */
  get failure(): LinkFailure | undefined {
    return this.#failure;
  }
  flows(): SipFlow[] {
    return [...this.#flows.keys()];
  }

  /**
   * Calls `use` with the least busy connection, at once or when one is open; else `refused`, once.
   * @param most connections that may be open
   */
  reach(most: number, use: (flow: SipFlow) => void, refused: (failure: LinkFailure) => void): void {
    if (this.#closed) {
      refused(GONE);
      return;
    }
    const flow = this.#leastBusy();
    if (flow !== undefined) {
      const load = this.#flows.get(flow)?.load ?? 0;
      if (load >= BUSY && this.#mayDial(most)) void this.#dial();
      if (flow.connection.queued > CONGESTED_BYTES) {
        refused({ reason: 'partner-busy', detail: `${flow.connection.queued} bytes wait to be read` });
      } else use(flow);
      return;
    }
    this.#await(most, { use, refused });
  }

  /** The host that a connection leads to. */
  hostOf(flow: SipFlow): string | undefined {
    return this.#flows.get(flow)?.host;
  }

  /**
   * A connection to another of the partner's edges than those, open already or opened now (RFC 3263 §4.3); undefined
   * when there is none, or as many connections are open as may be.
   */
  async reachOther(most: number, avoid: ReadonlySet<string>): Promise<SipFlow | undefined> {
    const known = this.#closed ? undefined : this.#leastBusy(avoid);
    if (known !== undefined || this.#closed || !this.#mayDial(most)) return known;
    if (this.#options.clock.now() < this.#otherRetryAt) return undefined;
    const flow = await this.#connect(avoid);
    if (!this.#closed) this.#serveWaiting(most, flow);
    if ('reason' in flow) {
      // Where there is no other server, one is not looked for with every request.
      this.#otherFailures += 1;
      this.#otherRetryAt = this.#options.clock.now() + pauseAfter(this.#otherFailures, BACK_OFF);
      return undefined;
    }
    this.#otherFailures = 0;
    return flow;
  }
  /** Those who wait may have come while only this one was under way, which was not to lead everywhere. */
  #serveWaiting(most: number, reached: SipFlow | LinkFailure): void {
    const flow = this.#leastBusy();
    if (this.#waiting.size === 0) return;
    if (flow !== undefined) this.#useFor(flow);
    else if (this.#dialling > 0) return;
    else if (this.#mayDial(most)) void this.#dial();
    else this.#refuseWaiting('reason' in reached ? reached : (this.#failure ?? GONE));
  }

  /** A request begins on this connection; {@link released} when it is over. */
  taken(flow: SipFlow): void {
    const use = this.#flows.get(flow);
    if (use !== undefined) use.load += 1;
  }
  released(flow: SipFlow): void {
    const use = this.#flows.get(flow);
    if (use === undefined || use.load === 0) return;
    use.load -= 1;
    if (use.load === 0 && (use.silent || this.#surplus.has(flow))) this.#options.close(flow);
  }

  /** The newest connections beyond so many take nothing new, and close when what is under way is over. */
  trim(most: number): void {
    this.#surplus = new WeakSet();
    for (const flow of this.flows().slice(most)) this.release(flow);
  }
  /** This one takes nothing new, and closes when what is under way is over. */
  release(flow: SipFlow): void {
    if (this.#flows.get(flow)?.load === 0) this.#options.close(flow);
    else this.#surplus.add(flow);
  }

  /**
   * Not one byte came on it while a request ran out of time: it may be dead, which TCP alone finds out in a quarter of an
   * hour, or its server stuck. It takes nothing new, and whoever asks next gets another one, at another server if there is one.
   */
  handleSilence(flow: SipFlow): void {
    const use = this.#flows.get(flow);
    if (use === undefined || use.silent) return;
    use.silent = true;
    this.#tryLast(use.host);
    const detail = `${use.host} said nothing while a request ran out of time: for the next one it is dialled anew`;
    this.#options.failed?.({ reason: 'partner-unreachable', detail });
    this.release(flow);
  }

  /** Takes nothing new; what is under way may end first. */
  retire(graceMs: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#refuseWaiting(GONE);
    for (const flow of this.flows()) this.release(flow);
    this.#farewell = this.#options.clock.after(graceMs, () => this.close());
  }
  close(): void {
    this.#closed = true;
    this.#farewell?.();
    this.#refuseWaiting({ reason: 'partner-unreachable', detail: 'closing' });
    for (const flow of this.flows()) this.#options.close(flow);
  }

  #leastBusy(avoid: ReadonlySet<string> = NOBODY): SipFlow | undefined {
    let chosen: SipFlow | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (const [flow, { host, load, silent }] of this.#flows) {
      if (!flow.open || silent || this.#surplus.has(flow) || avoid.has(host) || load >= lowest) continue;
      chosen = flow;
      lowest = load;
    }
    return chosen;
  }

  #mayDial(most: number): boolean {
    let left = most - this.#dialling;
    for (const [flow, { silent }] of this.#flows) if (flow.open && !silent) left -= 1;
    return left > 0 && this.#options.clock.now() >= this.#retryAt;
  }

  #await(most: number, waiting: Waiting): void {
    if (this.#waiting.size >= MOST_WAITING) {
      waiting.refused({ reason: 'partner-busy', detail: `${MOST_WAITING} requests wait for a connection` });
    } else if (this.#dialling > 0) {
      this.#waiting.add(waiting);
    } else if (this.#mayDial(most)) {
      this.#waiting.add(waiting);
      void this.#dial();
    } else {
      waiting.refused(this.#failure ?? { reason: 'partner-unreachable', detail: 'tried a moment ago' });
    }
  }

  async #dial(): Promise<void> {
    const last = this.#hostsForLast();
    let flow = await this.#connect(last);
    if ('reason' in flow && last.size > 0 && !this.#closed) flow = await this.#connect(NOBODY);
    if (this.#closed) return;
    if ('reason' in flow) {
      this.#handleFailure(flow);
      return;
    }
    this.#failures = 0;
    this.#failure = undefined;
    this.#useFor(flow);
  }
  #tryLast(host: string): void {
    this.#last.set(host, this.#options.clock.now() + LAST_MS);
  }
  #hostsForLast(): ReadonlySet<string> {
    const now = this.#options.clock.now();
    for (const [host, until] of this.#last) if (until <= now) this.#last.delete(host);
    return new Set(this.#last.keys());
  }
  #useFor(flow: SipFlow): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { use } of waiting) use(flow);
  }

  async #connect(avoid: ReadonlySet<string>): Promise<SipFlow | LinkFailure> {
    this.#dialling += 1;
    const reached = await this.#options.dial(avoid);
    this.#dialling -= 1;
    if (!reached.ok) return reached.error;
    const { value: connection, target, missed } = reached.value;
    // Each of them may take as long as a handshake may, and whoever writes waits for that.
    for (const host of missed) this.#tryLast(host);
    if (this.#closed) {
      connection.destroy('shutdown');
      return GONE;
    }
    const since = this.#options.clock.now();
    const flow = this.#options.adopt(connection, (closed) => {
      this.#flows.delete(closed);
      const soon = this.#options.clock.now() - since < SHOWN_THE_DOOR_MS;
      if (soon && closed.messages === 0 && !this.#closed) this.#handleFailure(SHOWN_THE_DOOR);
    });
    if (flow === undefined) return { reason: 'partner-busy', detail: 'no room for another connection' };
    this.#flows.set(flow, { host: target.host, load: 0, silent: false });
    return flow;
  }

  #handleFailure(failure: LinkFailure): void {
    this.#failure = failure;
    if (!OF_NAMES.has(failure.reason)) this.#postpone();
    this.#options.failed?.(failure);
    // Another connection may still be there for those who wait.
    const flow = this.#leastBusy();
    if (flow === undefined && this.#dialling === 0) this.#refuseWaiting(failure);
  }

  #postpone(): void {
    this.#failures += 1;
    this.#retryAt = this.#options.clock.now() + pauseAfter(this.#failures, BACK_OFF);
  }

  #refuseWaiting(failure: LinkFailure): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { refused } of waiting) refused(failure);
  }
}
