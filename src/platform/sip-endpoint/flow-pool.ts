import type { BackOff, Clock, Random, Result } from '#kernel';
import type { Connection } from '#platform/net';
import type { Counter, Log, Metrics } from '#platform/telemetry';
import type { SipEndpoint } from './endpoint.ts';
import type { OutgoingRequest } from './options.ts';
import { Member, type MemberHost, type PoolMember, type PoolRefusal } from './pool-member.ts';
import { rendezvousScore } from './rendezvous.ts';
import type { FlowOptions, KeepAliveOptions, SipFlow } from './types.ts';

/** A member of the next hop, by the name its certificate must bear. */
export interface FlowTarget {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** A question whose answer shows that the member serves, and not only that its connection stands. */
export interface Probe {
  readonly intervalMs: number;
  /** Usually OPTIONS (RFC 3261 §11). Any final response but 503 counts as well-being. */
  readonly build: (flow: SipFlow, target: FlowTarget) => OutgoingRequest;
}

export interface SipFlowPoolOptions {
  readonly endpoint: SipEndpoint;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Begins the names of its metrics: `sallyport_<name>_…`, e.g. `access_next_hop`. */
  readonly name: string;
  readonly targets: readonly FlowTarget[];
  /** Opens one connection; an error makes the member unhealthy for a while. */
  readonly dial: (target: FlowTarget) => Promise<Result<Connection>>;
  /** Connections kept open to each target, default 1. */
  readonly connections?: number;
  /**
   * Between attempts: doubles from `firstMs` (default 500) to `longestMs` (default 30000), half of it random.
   */
  readonly backOff?: BackOff;
  /** Requests that wait for a connection, per target; default 256. */
  readonly pending?: number;
  /** How long one waits, default 5000. */
  readonly pendingMs?: number;
  readonly keepAlive?: KeepAliveOptions;
  readonly probe?: Probe;
  /** Matching scope of the flows (see FlowOptions); default `pool-<name>`, the same for all members. */
  readonly scope?: string;
  /** See FlowOptions. */
  readonly divert?: FlowOptions['divert'];
  /** The `data` of each flow. */
  readonly flowData?: (target: FlowTarget) => unknown;
  /** A member became healthy or unhealthy. */
  readonly onChange?: (member: PoolMember) => void;
}

/** A member that is no longer wanted keeps its flows for as long as a transaction may last. */
const FAREWELL_MS = 32_000;

/**
 * Connections to named targets, kept open: dialled at start, dialled again with back-off when they end. Which
 * member serves whom is decided by a key, stable for as long as the member is healthy.
 */
export class SipFlowPool implements MemberHost {
  readonly options: SipFlowPoolOptions;
  readonly dialled: Counter<'ok' | 'failed'>;
  #members = new Map<string, Member>();
  #started = false;
  #closed = false;

  constructor(options: SipFlowPoolOptions) {
    this.options = options;
    const prefix = `sallyport_${options.name}`;
    this.dialled = options.metrics.counter(`${prefix}_dials_total`, 'Connections attempted', {
      name: 'result',
      values: ['ok', 'failed'],
    });
    options.metrics.observe(`${prefix}_members_healthy`, 'Members that requests can be sent to', () => {
      return this.members().filter((member) => member.state === 'healthy').length;
    });
    for (const target of options.targets)
      this.#members.set(keyOf(target), new Member(target, keyOf(target), this));
  }

  /** Begins to dial. */
  start(): void {
    this.#started = true;
    for (const member of this.#members.values()) member.fill();
  }

  /** Another set of targets; members that stay keep their connections. */
  update(targets: readonly FlowTarget[]): void {
    const members = new Map<string, Member>();
    for (const target of targets) {
      const key = keyOf(target);
      members.set(key, this.#members.get(key) ?? new Member(target, key, this));
    }
    const before = this.#members;
    this.#members = members;
    for (const [key, member] of before) if (!members.has(key)) member.retire(FAREWELL_MS);
    if (this.#started && !this.#closed) this.start();
  }

  /**
   * A member of this name has opened a connection of its own, so that it is there: no waiting for the back-off.
   */
  wake(name: string): void {
    for (const member of this.#members.values()) if (member.target.name === name) member.wake();
  }

  members(): readonly PoolMember[] {
    return [...this.#members.values()];
  }
  member(name: string): PoolMember | undefined {
    return this.members().find((member) => member.target.name === name);
  }

  /**
   * The healthy member for a key: the same one every time, for as long as it stays healthy.
   * @param serves which members may be chosen, all when left out
   */
  memberFor(key: string, serves?: (target: FlowTarget) => boolean): PoolMember | undefined {
    let chosen: Member | undefined;
    let highest = -1;
    for (const member of this.#members.values()) {
      if (member.state !== 'healthy' || serves?.(member.target) === false) continue;
      const score = rendezvousScore(key, member.target.name);
      if (score > highest) {
        chosen = member;
        highest = score;
      }
    }
    return chosen;
  }
  /** All healthy members, the key's own first, then in the order in which to fall back to them. */
  membersFor(key: string): PoolMember[] {
    return this.members()
      .filter((member) => member.state === 'healthy')
      .sort((a, b) => rendezvousScore(key, b.target.name) - rendezvousScore(key, a.target.name));
  }

  /** An open flow to the member, in turn when there are several; undefined when there is none. */
  flowTo(member: PoolMember): SipFlow | undefined {
    return this.#own(member)?.flow();
  }
  /**
   * Calls `use` with a flow, now or when the dialling under way succeeds; else `refused`. One of them, once.
   */
  whenOpen(member: PoolMember, use: (flow: SipFlow) => void, refused: (why: PoolRefusal) => void): void {
    const own = this.#own(member);
    if (own === undefined) refused(this.#closed ? 'closed' : 'removed');
    else own.whenOpen(use, refused);
  }
  /**
   * The service found the member wanting: not chosen until a probe says otherwise or the longest back-off is
   * over.
   */
  reportFailure(member: PoolMember, reason: string): void {
    this.#own(member)?.suspend(reason);
  }

  /** Whose flow it is; undefined for one of nobody, or of a member that is no longer wanted. */
  memberOf(flow: SipFlow): PoolMember | undefined {
    for (const member of this.#members.values()) if (member.holds(flow)) return member;
    return undefined;
  }
  /**
   * A request was answered as if the member did not serve. That may be about this request alone, so it is asked by a probe, at
   * once; it is not chosen from when it answers 503 to that, until it does not.
   */
  doubt(member: PoolMember): void {
    this.#own(member)?.doubt();
  }

  /** Closes all flows; nothing is dialled any more. */
  close(): void {
    this.#closed = true;
    const members = this.#members;
    this.#members = new Map();
    for (const member of members.values()) member.close('closed');
  }

  #own(member: PoolMember): Member | undefined {
    const own = member instanceof Member ? this.#members.get(member.key) : undefined;
    return own === member ? own : undefined;
  }
}

function keyOf(target: FlowTarget): string {
  return `${target.name} ${target.address} ${target.port}`;
}
