import type { Clock } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import type { ContentAnswer, ContentRequest } from '#platform/psom-link';
import type { Metrics } from '#platform/telemetry';
import { type RequestHead, upgradeRefusals, WebSocketAcceptor } from '#platform/web-socket';
import { encodeOperation, type JoinRefusal } from '#protocols/psom';
import {
  configurationAnswer,
  contentAnswer,
  contentRefused,
  fileAnswer,
  originOf,
  type PageFacts,
  refusedAnswer,
  textAnswer,
} from './answers.ts';
import { type Answer, HttpSession } from './http-session.ts';
import { type Join, joinFaults, readJoin } from './join-reader.ts';
import type { Site } from './site.ts';

/** ALPN ids of a door, in order of preference. */
export const PSOM_ALPN = 'sallyport-psom/1';
export const DOOR_ALPN: readonly string[] = [PSOM_ALPN, 'http/1.1'];
const SUBPROTOCOL = 'sallyport-psom.1';

/** Why somebody who came to the door got no further; closed, for metrics. */
export const doorRefusals = [...upgradeRefusals, ...joinFaults, 'not-found', 'failed'] as const;
export type DoorRefusal = (typeof doorRefusals)[number];

export interface DoorSettings extends PageFacts {
  /** Origins of pages (`https://host:port`, lower case) that may open a WebSocket, besides the door's own. */
  readonly origins: readonly string[];
  /** Undefined: not built. */
  readonly site: Site | undefined;
}

export interface DoorUser {
  /**
   * A participant wants in: assign onData and onClose, and answer with JOINED or with `refuseJoin`. PSOM has said nothing
   * behind `join.frame` yet.
   */
  handleJoin(join: Join, connection: Connection): void;
  handleContent(request: ContentRequest, connection: Connection): Promise<ContentAnswer>;
  handleRefused(reason: DoorRefusal, connection: Connection, detail?: string): void;
}

const HEAD_BYTES = 8 * 1024;
const HEAD_MS = 10_000;
const JOIN_MS = 10_000;
/** Octets of one WebSocket message; boundaries mean nothing, and a page may send a few frames at once. */
const MESSAGE_BYTES = 256 * 1024;
const PING_MS = 20_000;
/** Somebody who has joined and of whom nothing is heard for so long, not a pong either, is gone (docs/protocols/psom.md). */
const SILENT_MS = 90_000;
const CONTENT_PATH = /^\/content\/([A-Za-z0-9_-]{1,512})\/([0-9a-f]{64})$/;
const NOT_BUILT = 'The meeting client is not built: run `node tools/build-meeting/main.ts` and reload.';

/**
 * What stands behind the TLS of a web conferencing place: PSOM for who offers its ALPN id, HTTP for all others, with the
 * meeting client, files of meetings, and PSOM in a WebSocket at `/psom`.
 */
export class PsomDoor {
  readonly #clock: Clock;
  readonly #user: DoorUser;
  readonly #webSockets: WebSocketAcceptor;
  readonly #refused;
  readonly #requests;
  #settings: DoorSettings;

  constructor(
    context: { readonly clock: Clock; readonly metrics: Metrics },
    settings: DoorSettings,
    user: DoorUser,
  ) {
    this.#clock = context.clock;
    this.#user = user;
    this.#settings = settings;
    this.#refused = context.metrics.counter(
      'sallyport_psom_door_refused_total',
      'Connections and requests that got no further than the door of web conferencing.',
      { name: 'reason', values: doorRefusals },
    );
    this.#requests = context.metrics.counter(
      'sallyport_psom_door_requests_total',
      'HTTP requests that were answered at the door of web conferencing.',
      { name: 'what', values: ['page', 'configuration', 'content'] },
    );
    const accept = (connection: Connection) => this.#awaitJoin(connection);
    this.#webSockets = new WebSocketAcceptor(
      this.#clock,
      { accept, refused: (reason, connection, origin) => this.#refuse(reason, connection, origin) },
      {
        enabled: true,
        binary: true,
        protocol: SUBPROTOCOL,
        allowsOrigin: (origin) =>
          origin === originOf('https', this.#settings.place) || this.#settings.origins.includes(origin),
        messageBytes: MESSAGE_BYTES,
        headBytes: HEAD_BYTES,
        headMs: HEAD_MS,
        pingMs: PING_MS,
      },
    );
  }

  /** Holds for requests and joins from now on; who is in stays. */
  configure(settings: DoorSettings): void {
    this.#settings = settings;
  }
  /** Takes over a connection with DOOR_ALPN on which nothing was read. May be passed on as a function. */
  readonly accept = (connection: Connection): void => {
    if (connection.tls?.alpn === PSOM_ALPN) {
      this.#awaitJoin(connection);
      return;
    }
    new HttpSession({
      connection,
      clock: this.#clock,
      headBytes: HEAD_BYTES,
      headMs: HEAD_MS,
      answer: (request) => this.#answer(request, connection),
      isUpgrade: ({ target, headers }) => target === '/psom' && headers.upgrade !== undefined,
      failed: (problem) => {
        this.#refuse('failed', connection, problem instanceof Error ? problem.message : String(problem));
        return { ...textAnswer('500 Internal Server Error'), close: true };
      },
      takeOver: (bytes) => this.#webSockets.handle(connection, bytes),
      refuse: (reason) => {
        this.#refuse(reason, connection);
        return refusedAnswer(reason);
      },
    });
  };
  close(): void {
    this.#webSockets.close();
  }

  #awaitJoin(connection: Connection): void {
    readJoin(connection, this.#clock, JOIN_MS, (join, fault) => {
      if (join !== undefined && join.version !== 1) {
        this.#refuse('join-malformed', connection, `version ${join.version}`);
        refuseJoin(connection, 'version', 0);
      } else if (join !== undefined) {
        connection.idleMs = SILENT_MS;
        this.#user.handleJoin(join, connection);
      } else if (fault !== undefined) {
        this.#refuse(fault, connection);
        connection.destroy(fault === 'join-late' ? 'timeout' : 'protocol');
      }
    });
  }
  async #answer(request: RequestHead, connection: Connection): Promise<Answer> {
    const { method, target, headers } = request;
    if (headers.host === undefined || headers.host === '')
      return this.#refusedRequest('bad-request', connection);
    if (method !== 'GET' && method !== 'HEAD') {
      this.#refuse('method', connection);
      return { ...textAnswer('405 Method Not Allowed', undefined, { Allow: 'GET, HEAD' }), close: true };
    }
    const [path = ''] = target.split('?', 1);
    if (path === '/config.json') {
      this.#requests.inc('configuration');
      return configurationAnswer(this.#settings);
    }
    const [, token, hash] = CONTENT_PATH.exec(path) ?? [];
    if (token !== undefined && hash !== undefined) {
      this.#requests.inc('content');
      const answer = await this.#user.handleContent({ token, hash }, connection);
      return answer.ok ? contentAnswer(answer.value) : contentRefused(answer.error);
    }
    return this.#page(path, request, connection);
  }
  #page(path: string, request: RequestHead, connection: Connection): Answer {
    const { site } = this.#settings;
    const file = site?.get(path === '/' ? '/index.html' : path);
    if (file !== undefined) {
      this.#requests.inc('page');
      return fileAnswer(file, request, this.#settings);
    }
    if (site === undefined && path === '/') return textAnswer('503 Service Unavailable', NOT_BUILT);
    this.#refuse('not-found', connection);
    return textAnswer('404 Not Found');
  }
  #refusedRequest(reason: 'bad-request', connection: Connection): Answer {
    this.#refuse(reason, connection);
    return refusedAnswer(reason);
  }
  #refuse(reason: DoorRefusal, connection: Connection, detail?: string): void {
    this.#refused.inc(reason);
    this.#user.handleRefused(reason, connection, detail);
  }
}

/** Tells a participant why it is not let in, and ends the connection. `retrySeconds` 0: it need not try again. */
export function refuseJoin(connection: Connection, reason: JoinRefusal, retrySeconds: number): void {
  connection.onData = () => {};
  connection.write(encodeOperation({ kind: 'refused', reason, retrySeconds }));
  const why: CloseReason = reason === 'slow-down' ? 'limit' : 'policy';
  connection.end(why);
}
