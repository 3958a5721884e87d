import { isIPv6 } from 'node:net';
import type { Clock, Random } from '#kernel';
import { dialTls } from '#platform/net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import { type FlowTarget, SipEndpoint, SipFlowPool, type SipUser } from '#platform/sip-endpoint';
import type { Log, Metrics } from '#platform/telemetry';
import { SipSide } from './sip-side.ts';

/** What may change while the agent runs. */
export interface NextHopSettings {
  readonly nextHops: readonly FlowTarget[];
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** Our own, one of each family at most is used. */
  readonly localAddresses: readonly string[];
}

export interface NextHopAgentOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Begins the names of metrics: `<name>_sip` and `<name>_next_hop`. */
  readonly name: string;
  /** ALPN ids to offer, the one wanted most first. */
  readonly alpn: readonly string[];
  /** How we name ourselves in Via and Contact. */
  readonly own: { readonly host: string; readonly port: number };
  readonly user: SipUser;
  /** Most unanswered requests, in each direction. */
  readonly transactions?: number;
  /** A next hop can be reached from now on. */
  readonly onReachable?: () => void;
}

export interface NextHopState {
  readonly name: string;
  readonly address: string;
  readonly state: string;
  /** Why it is not healthy; empty otherwise. */
  readonly reason: string;
}

/** Connections: one to each next hop, and a few that are on their way out. */
const FLOWS = 64;
const HANDSHAKE_MS = 10_000;

/**
 * A SIP user agent that is a trusted peer of its next hops: it opens connections to them by mutual TLS, and both sides' requests go
 * over these. Port row int-03, seen from inside.
 */
export class NextHopAgent {
  readonly sip: SipSide;
  readonly #options: NextHopAgentOptions;
  readonly #endpoint: SipEndpoint;
  readonly #pool: SipFlowPool;
  #settings: NextHopSettings;

  constructor(options: NextHopAgentOptions, settings: NextHopSettings) {
    this.#options = options;
    this.#settings = settings;
    const { clock, random, log, metrics, name, user, transactions } = options;
    const shared = { clock, random, log, metrics };
    const most =
      transactions === undefined
        ? {}
        : { serverTransactions: transactions, clientTransactions: transactions };
    this.#endpoint = new SipEndpoint({
      ...shared,
      name: `${name}_sip`,
      limits: { flows: FLOWS, ...most },
      user,
    });
    this.#pool = new SipFlowPool({
      ...shared,
      endpoint: this.#endpoint,
      name: `${name}_next_hop`,
      targets: settings.nextHops,
      dial: (target) => this.#dial(target),
      onChange: ({ state }) => {
        if (state === 'healthy') options.onReachable?.();
      },
    });
    this.sip = new SipSide({ ...shared, endpoint: this.#endpoint, pool: this.#pool, own: options.own });
  }

  start(): void {
    this.#pool.start();
  }
  configure(settings: NextHopSettings): void {
    this.#settings = settings;
    this.#pool.update(settings.nextHops);
  }
  nextHops(): readonly NextHopState[] {
    return this.#pool.members().map(({ target, state, reason }) => ({
      name: target.name,
      address: target.address,
      state,
      reason: reason ?? '',
    }));
  }
  close(): void {
    this.#pool.close();
    this.#endpoint.close();
  }

  #dial({ name, address, port }: FlowTarget): ReturnType<typeof dialTls> {
    const { credentials, trust, localAddresses } = this.#settings;
    const { alpn, clock, metrics } = this.#options;
    const local = localAddresses.find((one) => isIPv6(one) === isIPv6(address));
    return dialTls({
      remote: { address, port },
      localAddress: local ?? localAddresses[0] ?? '',
      servername: name,
      credentials,
      trust,
      expectNames: [name],
      alpn,
      handshakeMs: HANDSHAKE_MS,
      clock,
      metrics,
    });
  }
}
