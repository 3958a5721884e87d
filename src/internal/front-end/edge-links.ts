import type { Clock, Random, Result } from '#kernel';
import type { Connection } from '#platform/net';
import { type FlowTarget, type SipEndpoint, type SipFlow, SipFlowPool } from '#platform/sip-endpoint';
import type { Log, Metrics } from '#platform/telemetry';
import { EdgeClocks } from './edge-clocks.ts';
import type { EdgeParty } from './parties.ts';

export interface EdgeTarget {
  readonly name: string;
  readonly address: string;
  /** The Access Edge's internal port (port row int-02). */
  readonly port: number;
  /** The A/V Authentication service (port row int-05). */
  readonly avAuthenticationPort: number;
}

export interface EdgeLinksOptions {
  readonly endpoint: SipEndpoint;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly edges: readonly EdgeTarget[];
  readonly dial: (target: FlowTarget) => Promise<Result<Connection>>;
}

/** Which service of an edge a request is for. */
export type EdgeService = 'access' | 'av-authentication';

/** The connections that this front end opens to the edges: one set for each of their two SIP services. */
export class EdgeLinks {
  readonly #pools: { readonly [service in EdgeService]: SipFlowPool };
  readonly #clock: Clock;
  readonly #clocks: EdgeClocks;

  constructor(options: EdgeLinksOptions) {
    this.#clock = options.clock;
    this.#clocks = new EdgeClocks(options.log);
    const pool = (name: string, targets: readonly FlowTarget[]) =>
      new SipFlowPool({
        ...options,
        name,
        targets,
        flowData: ({ name: edge }): EdgeParty => ({ kind: 'edge', edge }),
      });
    this.#pools = {
      access: pool('front_end_access_edge', accessTargets(options.edges)),
      'av-authentication': pool('front_end_av_authentication', authenticationTargets(options.edges)),
    };
  }
  start(): void {
    for (const pool of Object.values(this.#pools)) pool.start();
  }
  update(edges: readonly EdgeTarget[]): void {
    this.#pools.access.update(accessTargets(edges));
    this.#pools['av-authentication'].update(authenticationTargets(edges));
    this.#clocks.keep(new Set(edges.map(({ name }) => name)));
  }
  /** This edge has just opened a connection to us, so that ours to it need not wait. */
  wake(edge: string): void {
    for (const pool of Object.values(this.#pools)) pool.wake(edge);
  }
  /** Calls back once: with a connection to this edge's service, or without one. */
  reach(edge: string, service: EdgeService, use: (flow: SipFlow | undefined) => void): void {
    const pool = this.#pools[service];
    const member = pool.members().find(({ target }) => target.name === edge);
    if (member === undefined) use(undefined);
    else pool.whenOpen(member, use, () => use(undefined));
  }
  /** The same with an edge that can be reached; `key` spreads what has no edge of its own over all of them. */
  reachAny(service: EdgeService, key: string, use: (flow: SipFlow | undefined) => void): void {
    const pool = this.#pools[service];
    const member = pool.memberFor(key) ?? pool.members()[0];
    if (member === undefined) use(undefined);
    else pool.whenOpen(member, use, () => use(undefined));
  }
  /** An answer of this edge's said what time it is there. */
  noteClock(edge: string, date: string | undefined): void {
    this.#clocks.note(edge, date, this.#clock.wall());
  }
  /** What is not reachable, and whose clock differs, one line each, for the operator. */
  troubles(): string[] {
    const unreachable = Object.entries(this.#pools).flatMap(([service, pool]) =>
      pool
        .members()
        .filter(({ state }) => state === 'unhealthy')
        .map(({ target, reason }) => `${target.name} ${service}: ${reason ?? 'not connected'}`),
    );
    return [...unreachable, ...this.#clocks.troubles()];
  }
  close(): void {
    for (const pool of Object.values(this.#pools)) pool.close();
  }
}

function accessTargets(edges: readonly EdgeTarget[]): FlowTarget[] {
  return edges.map(({ name, address, port }) => ({ name, address, port }));
}

function authenticationTargets(edges: readonly EdgeTarget[]): FlowTarget[] {
  return edges.map(({ name, address, avAuthenticationPort }) => ({
    name,
    address,
    port: avAuthenticationPort,
  }));
}
