import { isIPv6 } from 'node:net';
import { type Cancel, type Clock, err, failure, type Random, type Result } from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import type { Metrics } from '#platform/telemetry';
import type { ContentAnswer, ContentRequest } from './content.ts';
import { EdgeLink } from './edge-link.ts';
import type { EndState, OutsidePlace, ServiceHello } from './hello.ts';
import type { LinkNotice } from './link-notice.ts';
import { type LinkLimits, PSOM_LINK_ALPN } from './link-transport.ts';
import { declareMeters } from './meters.ts';

/** One edge of the pool. */
export interface EdgeTarget {
  /** host.name of the edge, which its internal certificate holds. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** What a service tells all edges, but for the time. */
export type Announcement = Omit<ServiceHello, 'clock'>;

export interface EdgeLinksSettings {
  readonly edges: readonly EdgeTarget[];
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** The addresses that are dialled from; at most one of each family. */
  readonly localAddresses: readonly string[];
  readonly limits: LinkLimits;
  readonly handshakeMs: number;
  /** Between attempts; doubled with each that fails. */
  readonly backOff: { readonly firstMs: number; readonly longestMs: number };
}

export interface EdgeLinksUser {
  /**
   * A participant came by an edge: assign onData and onClose. The first bytes are a whole JOIN whose token the edge has
   * checked; `remote` is where the participant is outside.
   */
  handleParticipant(connection: Connection, by: { readonly edge: string }): void;
  handleContent(request: ContentRequest): Promise<ContentAnswer>;
  /** `handleContent` threw: its request was refused, and everything else goes on. */
  handleFault(edge: string, problem: unknown): void;
  handleReady(edge: string): void;
  /** An edge's place or state is another than before. */
  handleChange(edge: string): void;
  /** A link ended, or an attempt to open one failed. */
  handleEnd(notice: LinkNotice): void;
}

/** What there is to say about an edge. */
export interface EdgeLinkState {
  readonly edge: string;
  readonly address: string;
  /** Undefined while there is no link. */
  readonly state: EndState | undefined;
  readonly place: OutsidePlace | undefined;
  /** Of this service, as it checks tokens with; undefined when it did not say. */
  readonly keys: readonly string[] | undefined;
  readonly participants: number;
}

interface Edge {
  readonly target: EdgeTarget;
  link: EdgeLink | undefined;
  failures: number;
  cancel: Cancel | undefined;
  gone: boolean;
}

interface EdgeLinksContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
}

/** The service's end: one link to each edge of the pool, opened again for ever. */
export class EdgeLinks {
  readonly #context: EdgeLinksContext;
  readonly #user: EdgeLinksUser;
  readonly #meters: ReturnType<typeof declareMeters>;
  readonly #edges = new Map<string, Edge>();
  #settings: EdgeLinksSettings;
  #announcement: Announcement;
  #closed = false;

  constructor(
    context: EdgeLinksContext,
    settings: EdgeLinksSettings,
    announcement: Announcement,
    user: EdgeLinksUser,
  ) {
    this.#context = context;
    this.#settings = settings;
    this.#announcement = announcement;
    this.#user = user;
    this.#meters = declareMeters(context.metrics);
    this.configure(settings);
  }

  states(): EdgeLinkState[] {
    return [...this.#edges.values()].map(({ target: { name, address }, link }) => ({
      edge: name,
      address,
      state: link?.hello?.state,
      place: link?.hello?.place,
      keys: link?.hello?.keys,
      participants: link?.participants ?? 0,
    }));
  }
  /** Where participants outside can come in right now, in the order of the settings. */
  places(): OutsidePlace[] {
    return this.states().flatMap(({ state, place }) =>
      state === 'ready' && place !== undefined ? [place] : [],
    );
  }

  /** Edges that are not listed any more are left; links to the others stay. */
  configure(settings: EdgeLinksSettings): void {
    this.#settings = settings;
    const listed = new Map(settings.edges.map((target) => [key(target), target]));
    for (const [name, edge] of this.#edges) {
      if (listed.has(name)) continue;
      edge.gone = true;
      edge.cancel?.();
      this.#edges.delete(name);
      edge.link?.stop('local');
    }
    for (const [name, target] of listed) {
      if (this.#edges.has(name)) continue;
      const edge: Edge = { target, link: undefined, failures: 0, cancel: undefined, gone: false };
      this.#edges.set(name, edge);
      void this.#dial(edge);
    }
  }
  /** Tells all edges; those that come later hear it first of all. */
  announce(announcement: Announcement): void {
    this.#announcement = announcement;
    for (const { link } of this.#edges.values()) link?.say();
  }
  close(): void {
    this.#closed = true;
    for (const { cancel, link } of this.#edges.values()) {
      cancel?.();
      link?.stop('shutdown');
    }
  }

  async #dial(edge: Edge): Promise<void> {
    edge.cancel = undefined;
    const result = await this.#connect(edge.target);
    if (edge.gone || this.#closed) {
      if (result.ok) result.value.destroy('shutdown');
      return;
    }
    if (result.ok) {
      edge.link = this.#open(edge, result.value);
      return;
    }
    const { name, address } = edge.target;
    const detail = `${result.error.code} ${result.error.message}`;
    this.#user.handleEnd({ peer: name, address, reason: 'not-connected', detail });
    this.#again(edge);
  }
  #open(edge: Edge, connection: Connection): EdgeLink {
    const { name, address } = edge.target;
    return new EdgeLink({
      connection,
      edge: name,
      limits: this.#settings.limits,
      clock: this.#context.clock,
      owner: {
        hello: () => ({ ...this.#announcement, clock: Math.round(this.#context.clock.wall()) }),
        handleHello: (_, first) => {
          edge.failures = 0;
          if (!first) return this.#user.handleChange(name);
          this.#meters.opened.inc();
          this.#user.handleReady(name);
        },
        handleParticipant: (_, participant) => {
          this.#meters.participants.inc();
          this.#user.handleParticipant(participant, { edge: name });
        },
        handleContent: (request) => {
          this.#meters.contents.inc();
          return this.#user.handleContent(request);
        },
        handleFault: (_, problem) => this.#user.handleFault(name, problem),
        handleEnd: (_, reason) => {
          edge.link = undefined;
          this.#meters.ended.inc();
          this.#user.handleEnd({ peer: name, address, reason, detail: undefined });
          this.#again(edge);
        },
      },
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
      alpn: [PSOM_LINK_ALPN],
      handshakeMs,
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
}

function key({ name, address, port }: EdgeTarget): string {
  return `${name} ${address} ${port}`;
}
