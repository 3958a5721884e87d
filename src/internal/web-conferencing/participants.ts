import { join } from 'node:path';
import { type Connection, TlsAcceptor, type TlsAcceptorOptions } from '#platform/net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import { DOOR_ALPN, type DoorSettings, loadSite, PsomDoor, type Site } from '#platform/psom-door';
import {
  type ContentRequest,
  type EdgeLinkState,
  EdgeLinks,
  type EdgeLinksSettings,
} from '#platform/psom-link';
import type { ServiceContext, SocketSource } from '#platform/service';
import type { InternalDocument } from '#platform/topology';
import type { Place } from '#protocols/conference/join';
import type { Downloads } from './downloads.ts';
import type { Reception } from './reception.ts';
import type { ServiceEvents } from './service-events.ts';
import type { TokenKeys } from './tokens.ts';

/** What the ways in are made of. */
export interface WaysIn {
  readonly document: InternalDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
}
interface Behind {
  readonly reception: Reception;
  readonly downloads: Downloads;
  readonly events: ServiceEvents;
  readonly keys: TokenKeys;
  /** An edge has a link, or said something else than before. */
  readonly handleEdge: () => void;
}

const HANDSHAKE_MS = 10_000;
const ESTABLISHMENT_MS = 10_000;
const PING_MS = 15_000;
/** The state of one object, which is told however much waits: the session itself counts what waits beside it. */
const STATE_BYTES = 4 * 1_048_576;
const BACK_OFF = { firstMs: 500, longestMs: 15_000 };
/** Of one source: a terminal server. */
const PER_SOURCE = 1024;
const HANDSHAKES = 200;
/** What the meeting client is built into. */
const SITE = join(import.meta.dirname, '..', '..', '..', 'dist', 'meeting');

/** How participants come: by the edges from outside, and by a door of its own from inside. */
export class Participants {
  readonly #context: ServiceContext;
  readonly #behind: Behind;
  readonly #links: EdgeLinks;
  readonly #door: PsomDoor;
  readonly #acceptor: TlsAcceptor;
  #ways: WaysIn;
  #state: 'ready' | 'draining' = 'ready';

  constructor(context: ServiceContext, ways: WaysIn, behind: Behind) {
    this.#context = context;
    this.#ways = ways;
    this.#behind = behind;
    const { clock, random, metrics, log } = context;
    const handleContent = (request: ContentRequest) => behind.downloads.serve(request);
    this.#links = new EdgeLinks({ clock, random, metrics }, this.#linkSettings(), this.#announcement(), {
      handleParticipant: (connection) => behind.reception.receive(connection),
      handleContent,
      handleFault: (edge, problem) =>
        log.error('a file could not be given', { edge, reason: String(problem) }),
      handleReady: (edge) => {
        log.info('link to edge open', { edge });
        behind.events.edgeConnected(edge);
        behind.handleEdge();
      },
      handleChange: () => behind.handleEdge(),
      handleEnd: (notice) => {
        log.warn('link to edge not open', { ...notice });
        behind.events.edgeLeft(notice);
      },
    });
    this.#door = new PsomDoor({ clock, metrics }, this.#doorSettings(), {
      handleJoin: (wanted, connection) => behind.reception.join(wanted, connection),
      handleContent,
      handleRefused: (reason, { remote }, detail = '') => {
        if (reason !== 'failed') return;
        log.error('a request could not be answered', { address: remote.address, reason: detail });
      },
    });
    this.#acceptor = new TlsAcceptor(this.#acceptorOptions());
  }

  links(): readonly EdgeLinkState[] {
    return this.#links.states();
  }
  describe(): string {
    const states = this.links();
    return `${states.filter(({ state }) => state === 'ready').length} of ${states.length} edges`;
  }
  /** Where somebody can come in now. */
  places(outside: boolean): Place[] {
    const { host, webConferencing } = this.#ways.document;
    const places = outside ? this.#links.places() : [{ host: host.name, port: webConferencing.port }];
    return places.map(({ host: name, port }) => ({
      webSocket: `wss://${name}${port === 443 ? '' : `:${port}`}/psom`,
      host: name,
      port,
    }));
  }

  adopt(ways: WaysIn): void {
    this.#ways = ways;
    this.#links.configure(this.#linkSettings());
    this.#door.configure(this.#doorSettings());
    this.#acceptor.update(this.#acceptorOptions());
  }
  listen(sockets: SocketSource): void {
    for (const { id } of sockets.plan()) sockets.tcp(id, this.#acceptor.handle);
  }
  /** Tells all edges which keys there are, and whether somebody new may come. */
  announce(): void {
    this.#links.announce(this.#announcement());
  }
  drain(): void {
    this.#state = 'draining';
    this.announce();
    this.#acceptor.drain();
  }
  undrain(): void {
    this.#state = 'ready';
    this.announce();
    this.#acceptor.undrain();
  }
  async close(): Promise<void> {
    this.#links.close();
    this.#door.close();
    await this.#acceptor.close();
  }

  #announcement() {
    const { host } = this.#ways.document;
    const keys = this.#behind.keys.all.map(({ publicBytes }) => publicBytes);
    return { node: host.name, keys, state: this.#state };
  }
  #linkSettings(): EdgeLinksSettings {
    const { document, credentials, trust } = this.#ways;
    const { edges, limits } = document.webConferencing;
    return {
      ...{ edges, credentials, trust, localAddresses: document.host.addresses.internal },
      limits: {
        streams: limits.connections,
        outboundBytes: limits.waitingBytes + STATE_BYTES,
        establishmentMs: ESTABLISHMENT_MS,
        pingMs: PING_MS,
      },
      ...{ handshakeMs: HANDSHAKE_MS, backOff: BACK_OFF },
    };
  }
  #doorSettings(): DoorSettings {
    const { host, frontEnd, webConferencing } = this.#ways.document;
    return {
      place: { host: host.name, port: webConferencing.port },
      signalling: `wss://${host.name}:${frontEnd.webSocket.port}/`,
      ...{ otherPlaces: [], origins: [], site: site() },
    };
  }
  #acceptorOptions(): TlsAcceptorOptions {
    const { document, credentials, trust } = this.#ways;
    const { limits } = document.webConferencing;
    const { clock, log, metrics } = this.#context;
    return {
      ...{ credentials, trust, clientCertificate: 'none', alpn: DOOR_ALPN, handshakeMs: HANDSHAKE_MS },
      limits: {
        connections: limits.connections,
        handshakes: Math.min(limits.connections, HANDSHAKES),
        perSource: PER_SOURCE,
        outboundBytes: limits.waitingBytes + STATE_BYTES,
      },
      ...{ clock, log, metrics, events: this.#context.events },
      accept: (connection: Connection) => this.#door.accept(connection),
    };
  }
}

/** Undefined while it is not built. */
function site(): Site | undefined {
  const loaded = loadSite(SITE);
  return loaded.ok ? loaded.value : undefined;
}
