import { type Clock, err } from '#kernel';
import type { Connection, Endpoint } from '#platform/net';
import { matchName } from '#platform/pki';
import type { Metrics } from '#platform/telemetry';
import type { ConferencePublicKey } from '#protocols/tokens';
import type { ContentAnswer, ContentRequest } from './content.ts';
import type { EdgeHello, EndState } from './hello.ts';
import type { LinkNotice } from './link-notice.ts';
import type { LinkLimits } from './link-transport.ts';
import { declareMeters } from './meters.ts';
import { ServiceLink } from './service-link.ts';

export interface ServiceLinksSettings {
  /** What services are told of this edge. */
  readonly hello: EdgeHello;
  /** Certificate names that may be a service. */
  readonly services: readonly string[];
  readonly limits: LinkLimits;
}
export interface ServiceLinksUser {
  handleReady(node: string, address: string): void;
  /** A service has said something since, be it that nothing has changed. */
  handleChange(node: string): void;
  handleEnd(notice: LinkNotice): void;
}

/** What there is to say about a link at the edge. */
export interface ServiceLinkState {
  readonly node: string;
  readonly address: string;
  /** Undefined while it has said nothing. */
  readonly state: EndState | undefined;
  readonly participants: number;
}

/** A node that participants can be brought to. */
export interface ServiceNode {
  readonly name: string;
  readonly keys: readonly ConferencePublicKey[];
  readonly state: EndState;
  /** The time by its clock, milliseconds since 1970. */
  readonly wall: number;
  /** @see ServiceLink.open */
  open(remote: Endpoint, first: readonly Uint8Array[]): Connection | undefined;
  fetch(request: ContentRequest): Promise<ContentAnswer>;
}

/** The edge's end: links that web conferencing services have opened (port row int-04), one of each. */
export class ServiceLinks {
  readonly #clock: Clock;
  readonly #user: ServiceLinksUser;
  readonly #meters: ReturnType<typeof declareMeters>;
  readonly #links = new Set<ServiceLink>();
  readonly #byNode = new Map<string, ServiceLink>();
  #settings: ServiceLinksSettings;

  constructor(
    context: { readonly clock: Clock; readonly metrics: Metrics },
    settings: ServiceLinksSettings,
    user: ServiceLinksUser,
  ) {
    this.#clock = context.clock;
    this.#meters = declareMeters(context.metrics);
    this.#settings = settings;
    this.#user = user;
  }

  get size(): number {
    return this.#links.size;
  }
  states(): ServiceLinkState[] {
    return [...this.#links].map((link) => ({
      node: link.peer,
      address: link.connection.remote.address,
      state: link.hello?.state,
      participants: link.participants,
    }));
  }

  /** A link whose peer is no service any more ends; the others hear what has changed of this edge. */
  configure(settings: ServiceLinksSettings): void {
    const before = JSON.stringify(this.#settings.hello);
    this.#settings = settings;
    for (const link of [...this.#links]) {
      const stays = this.#peersOf(link.connection).includes(link.peer);
      if (!stays) link.stop('policy');
      else if (JSON.stringify(settings.hello) !== before) link.say(settings.hello);
    }
  }
  /** Takes over a connection whose certificate is verified; false: it is none of a service, and it is closed. */
  accept(connection: Connection): boolean {
    const peers = this.#peersOf(connection);
    if (peers.length === 0) {
      this.#meters.refused.inc();
      connection.destroy('policy');
      return false;
    }
    const { hello, limits } = this.#settings;
    const link = new ServiceLink({ connection, peers, hello, limits, clock: this.#clock, owner: this });
    this.#links.add(link);
    return true;
  }
  /** The service of that host name, if it has a link. */
  node(name: string): ServiceNode | undefined {
    const link = this.#byNode.get(name);
    const hello = link?.hello;
    if (link === undefined || hello === undefined) return undefined;
    return {
      name,
      keys: hello.keys,
      state: hello.state,
      wall: link.wall(),
      open: (remote, first) => {
        const participant = link.open(remote, first);
        if (participant !== undefined) this.#meters.participants.inc();
        return participant;
      },
      fetch: (request) => {
        this.#meters.contents.inc();
        return link.hello === undefined ? Promise.resolve(err('busy')) : link.fetch(request);
      },
    };
  }
  close(): void {
    for (const link of [...this.#links]) link.stop('shutdown');
  }

  // The owner of each link.

  handleHello(link: ServiceLink, first: boolean): void {
    if (!first) return this.#user.handleChange(link.peer);
    this.#meters.opened.inc();
    const older = this.#byNode.get(link.peer);
    this.#byNode.set(link.peer, link);
    older?.stop('replaced');
    this.#user.handleReady(link.peer, link.connection.remote.address);
  }
  handleEnd(link: ServiceLink, reason: LinkNotice['reason']): void {
    this.#links.delete(link);
    if (this.#byNode.get(link.peer) === link) this.#byNode.delete(link.peer);
    this.#meters.ended.inc();
    const { address } = link.connection.remote;
    this.#user.handleEnd({ peer: link.peer, address, reason, detail: undefined });
  }

  #peersOf(connection: Connection): string[] {
    const names = connection.tls?.peer?.names;
    if (names === undefined) return [];
    return this.#settings.services.filter((name) => matchName(names, [name]) === name);
  }
}
