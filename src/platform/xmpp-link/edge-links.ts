import { isIPv6 } from 'node:net';
import { type Cancel, type Clock, err, failure, type Random, type Result } from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import type { Metrics } from '#platform/telemetry';
import type { XmlElement } from '#protocols/xml';
import {
  type DomainPair,
  originOf,
  type PartnerStreamState,
  type StanzaOrigin,
  withoutOrigin,
} from '#protocols/xmpp';
import type { Link, LinkLimits } from './link.ts';
import type { RouterLimits } from './link-router.ts';
import { type LinkNotice, LinkSet, type LinkState } from './link-set.ts';
import type { LinkFailure } from './outgoing.ts';

/** One edge of the pool. */
export interface EdgeTarget {
  /** host.name of the edge, which its internal certificate holds. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** A stanza of a partner. */
export interface EdgeArrival {
  readonly stanza: XmlElement;
  readonly pair: DomainPair;
  readonly origin: StanzaOrigin;
  /** The edge that it came by. */
  readonly edge: string;
  /** Call it once when the stanza is safe, or its sender was answered. */
  readonly done: () => void;
}

export interface EdgeLinksUser {
  handleArrival(arrival: EdgeArrival): void;
  handleReady(edge: string): void;
  /** What became of an edge's streams with a partner; `domain` is one of the partner's. */
  handlePartner(domain: string, state: PartnerStreamState): void;
  /** A link ended, or an attempt to open one failed. */
  handleEnd(notice: LinkNotice): void;
}

export interface EdgeLinksSettings {
  /** Host name of this gateway, as its certificate has it. */
  readonly own: string;
  readonly edges: readonly EdgeTarget[];
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** The addresses that are dialled from; at most one of each family. */
  readonly localAddresses: readonly string[];
  /** Whether a domain is the organisation's. */
  readonly hosts: (domain: string) => boolean;
  readonly link: LinkLimits;
  readonly router: RouterLimits;
  readonly handshakeMs: number;
  /** Between attempts; doubled with each that fails. */
  readonly backOff: { readonly firstMs: number; readonly longestMs: number };
}

interface Edge {
  target: EdgeTarget;
  link: Link | undefined;
  failures: number;
  cancel: Cancel | undefined;
  gone: boolean;
}

interface EdgeLinksContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
}

/** The gateway's end: one link to each edge of the pool, opened again for ever. */
export class EdgeLinks {
  readonly #context: EdgeLinksContext;
  readonly #user: EdgeLinksUser;
  readonly #set: LinkSet;
  readonly #edges = new Map<string, Edge>();
  #settings: EdgeLinksSettings;
  #closed = false;

  constructor(context: EdgeLinksContext, settings: EdgeLinksSettings, user: EdgeLinksUser) {
    this.#context = context;
    this.#settings = settings;
    this.#user = user;
    // A proxy does not know a stanza of ours again.
    this.#set = new LinkSet(context.clock, context.metrics, 'never', settings.router, {
      handleStanza: (link, stanza, pair, number) => this.#arrive(link, stanza, pair, number),
      handleReady: (link) => {
        const edge = this.#edgeOf(link);
        if (edge !== undefined) edge.failures = 0;
        user.handleReady(link.peer);
      },
      handlePartner: (domain, state) => user.handlePartner(domain, state),
      handleEnd: (link, notice) => {
        user.handleEnd(notice);
        const edge = this.#edgeOf(link);
        if (edge === undefined) return;
        edge.link = undefined;
        this.#again(edge);
      },
    });
    this.configure(settings);
  }

  get settings(): EdgeLinksSettings {
    return this.#settings;
  }
  /** Stanzas in both directions that are not safe yet. */
  get pending(): number {
    return this.#set.pending;
  }
  states(): LinkState[] {
    return this.#set.states();
  }

  /** Edges that are not listed any more are left; links to the others stay. */
  configure(settings: EdgeLinksSettings): void {
    this.#settings = settings;
    this.#set.router.configure(settings.router);
    const listed = new Map(settings.edges.map((target) => [key(target), target]));
    for (const [name, edge] of this.#edges) {
      if (listed.has(name)) continue;
      edge.gone = true;
      edge.cancel?.();
      this.#edges.delete(name);
      edge.link?.stop('closed');
    }
    for (const [name, target] of listed) {
      if (this.#edges.has(name)) continue;
      const edge: Edge = { target, link: undefined, failures: 0, cancel: undefined, gone: false };
      this.#edges.set(name, edge);
      void this.#dial(edge);
    }
  }

  /**
   * Gives a stanza for a partner to the edge that the partner's domain hashes to, or the next in order.
   * @param settled called once: undefined when the partner has taken it over, or its sender was told by a stanza
   */
  send(stanza: XmlElement, partner: string, settled: (failed: LinkFailure | undefined) => void): void {
    this.#set.send(withoutOrigin(stanza), partner, settled);
  }
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#edges.values()) cancel?.();
    this.#set.close();
  }

  async #dial(edge: Edge): Promise<void> {
    edge.cancel = undefined;
    const result = await this.#connect(edge.target);
    if (edge.gone || this.#closed) {
      if (result.ok) result.value.destroy('shutdown');
      return;
    }
    if (!result.ok) {
      const { name, address } = edge.target;
      const detail = `${result.error.code} ${result.error.message}`;
      this.#user.handleEnd({ peer: name, address, reason: 'not-connected', detail });
      this.#again(edge);
      return;
    }
    const { own, link: limits, hosts } = this.#settings;
    edge.link = this.#set.open({
      connection: result.value,
      role: 'gateway',
      own,
      peers: [edge.target.name],
      streamId: '',
      limits,
      accepts: (from, to) => hosts(to) && !hosts(from),
    });
  }
  #connect({ name, address, port }: EdgeTarget): Promise<Result<Connection>> {
    const { credentials, trust, localAddresses, handshakeMs } = this.#settings;
    const localAddress = localAddresses.find((local) => isIPv6(local) === isIPv6(address));
    if (localAddress === undefined) {
      const problem = failure('SLP-NET-0010', `${name} at ${address}: no address of this family here`);
      return Promise.resolve(err(problem));
    }
    return dialTls({
      remote: { address, port },
      localAddress,
      servername: name,
      expectNames: [name],
      credentials,
      trust,
      handshakeMs,
      outboundBytes: OUTBOUND_BYTES,
      clock: this.#context.clock,
      metrics: this.#context.metrics,
    });
  }
  #again(edge: Edge): void {
    if (edge.gone || this.#closed) return;
    const { firstMs, longestMs } = this.#settings.backOff;
    const full = Math.min(longestMs, firstMs * 2 ** Math.min(edge.failures, 20));
    edge.failures += 1;
    const share = 0.5 + (this.#context.random.bytes(1)[0] ?? 0) / 510;
    edge.cancel = this.#context.clock.after(full * share, () => void this.#dial(edge));
  }

  #arrive(link: Link, stanza: XmlElement, pair: DomainPair, number: number): void {
    const origin = originOf(stanza);
    if (origin === undefined) {
      link.stop('unexpected-element');
      return;
    }
    const done = () => link.handled(number);
    this.#user.handleArrival({ stanza: withoutOrigin(stanza), pair, origin, edge: link.peer, done });
  }
  #edgeOf(link: Link): Edge | undefined {
    for (const edge of this.#edges.values()) {
      if (edge.link === link || (edge.link === undefined && edge.target.name === link.peer)) return edge;
    }
    return undefined;
  }
}

/** Bytes towards an edge that does not read, beyond which the link ends. */
const OUTBOUND_BYTES = 8 * 1024 * 1024;

function key({ name, address, port }: EdgeTarget): string {
  return `${name} ${address} ${port}`;
}
