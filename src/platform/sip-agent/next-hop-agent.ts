import { isIPv6 } from 'node:net';
import { type Clock, type Random, randomToken } from '#kernel';
import { dialTls } from '#platform/net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import {
  type FlowTarget,
  type PoolMember,
  SipEndpoint,
  type SipFlow,
  SipFlowPool,
  type SipUser,
} from '#platform/sip-endpoint';
import type { Log, Metrics } from '#platform/telemetry';
import { buildRequest, newBranch } from '#protocols/sip';
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
  /**
   * Says OPTIONS on each connection as soon as it is open: a server that is told in a Via where its peer is (RFC 5923 §4) then
   * finds the connection though it has not sent anything.
   */
  readonly announces?: boolean;
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
      onChange: (member) => this.#handleChange(member),
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

  #handleChange(member: PoolMember): void {
    if (member.state !== 'healthy') return;
    if (this.#options.announces === true)
      this.#pool.whenOpen(
        member,
        (flow) => this.#announce(flow, member),
        () => {},
      );
    this.#options.onReachable?.();
  }
  #announce(flow: SipFlow, { target }: PoolMember): void {
    const { random, own } = this.#options;
    const branch = newBranch(random);
    const address = isIPv6(target.address) ? `[${target.address}]` : target.address;
    const bytes = buildRequest({
      method: 'OPTIONS',
      uri: `sip:${address}:${target.port};transport=tls`,
      headers: [
        ['Via', `SIP/2.0/TLS ${own.host}:${own.port};branch=${branch};alias`],
        ['Max-Forwards', '70'],
        ['From', `<sip:${own.host}:${own.port}>;tag=${randomToken(random, 10)}`],
        ['To', `<sip:${address}:${target.port}>`],
        ['Call-ID', randomToken(random, 20)],
        ['CSeq', '1 OPTIONS'],
      ],
    });
    this.#endpoint.request(
      flow,
      { method: 'OPTIONS', branch, bytes },
      { onResponse: () => {}, onFailure: () => {} },
    );
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
