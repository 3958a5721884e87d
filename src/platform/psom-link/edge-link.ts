import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { isIP } from 'node:net';
import { pipeline } from 'node:stream';
import { type Cancel, type Clock, err } from '#kernel';
import { type Connection, type Endpoint, takeSocket } from '#platform/net';
import { CONTENT_PATH, type ContentAnswer, type ContentRequest, contentHeaders } from './content.ts';
import { type EdgeHello, readEdgeHello, type ServiceHello, serviceHelloLine } from './hello.ts';
import type { LinkEnd } from './link-notice.ts';
import {
  connectionWindow,
  destroyWhenReset,
  LinkLife,
  type LinkLimits,
  sessionOptions,
} from './link-transport.ts';
import { ParticipantConnection } from './participant-connection.ts';
import { ReadyStream } from './ready-stream.ts';

export interface EdgeLinkOptions {
  readonly connection: Connection;
  /** host.name of the edge that was dialled. */
  readonly edge: string;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  readonly owner: EdgeLinkOwner;
}
export interface EdgeLinkOwner {
  /** What edges are told now. */
  hello(): ServiceHello;
  /** The edge said where it is, or said something else than before. */
  handleHello(link: EdgeLink, first: boolean): void;
  handleParticipant(link: EdgeLink, participant: Connection): void;
  handleContent(request: ContentRequest): Promise<ContentAnswer>;
  /** `handleContent` threw, which is a fault of ours: the edge is told that the file cannot be had now. */
  handleFault(link: EdgeLink, problem: unknown): void;
  /** Exactly once. */
  handleEnd(link: EdgeLink, reason: LinkEnd): void;
}

/** How often the hello is said again though nothing has changed: clocks drift. */
const REPEAT_MS = 60_000;
/** What may wait for an edge beside what its window allows: heads of frames, answers to PINGs. Bytes. */
const BESIDE_WINDOW = 16 * 1_048_576;
/** A file of which nothing is taken for so long is closed. */
const STALL_MS = 30_000;

/** The service's end of one link: it answers, by HTTP/2, over the connection that it opened. */
export class EdgeLink {
  readonly connection: Connection;
  readonly edge: string;
  readonly #options: EdgeLinkOptions;
  readonly #session: ServerHttp2Session;
  readonly #life: LinkLife;
  #participants = 0;
  #said: EdgeHello | undefined;
  #hello: ServerHttp2Stream | undefined;
  #establishment: Cancel;
  #repeat: Cancel;

  constructor(options: EdgeLinkOptions) {
    const { connection, edge, limits, clock } = options;
    this.#options = options;
    this.connection = connection;
    this.edge = edge;
    const socket = new ReadyStream(takeSocket(connection), connectionWindow(limits) + BESIDE_WINDOW);
    this.#session = performServerHandshake(socket, sessionOptions(limits));
    this.#session.setLocalWindowSize(connectionWindow(limits));
    this.#session.on('stream', (stream, headers) => this.#handleStream(stream, headers));
    this.#life = new LinkLife(connection, this.#session, clock, limits.pingMs, (reason) => {
      this.#establishment();
      this.#repeat();
      options.owner.handleEnd(this, reason);
    });
    this.#establishment = clock.after(limits.establishmentMs, () => this.stop('hello'));
    this.#repeat = clock.after(REPEAT_MS, () => this.#sayAgain());
  }

  /** What the edge said of itself last. */
  get hello(): EdgeHello | undefined {
    return this.#life.over ? undefined : this.#said;
  }
  get participants(): number {
    return this.#participants;
  }
  /** Tells the edge what has changed. */
  say(): void {
    const stream = this.#hello;
    if (stream !== undefined && !stream.destroyed)
      stream.write(serviceHelloLine(this.#options.owner.hello()));
  }
  stop(reason: LinkEnd): void {
    this.#life.stop(reason);
  }

  #sayAgain(): void {
    this.say();
    this.#repeat = this.#options.clock.after(REPEAT_MS, () => this.#sayAgain());
  }

  #handleStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', ignore);
    // Opened and reset in one packet.
    if (stream.destroyed || stream.closed) return;
    const { ':method': method = '', ':path': path = '' } = headers;
    if (method === 'GET' && path === '/hello') this.#handleHello(stream, headers);
    else if (this.#said === undefined) refuse(stream, 403);
    else if (method === 'POST' && path === '/participant') this.#handleParticipant(stream, headers);
    else if (method === 'GET') this.#handleContent(stream, path);
    else refuse(stream, 404);
  }
  #handleHello(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const said = readEdgeHello(headers);
    if (said === undefined || said.edge !== this.edge) {
      this.stop('hello');
      return;
    }
    this.#establishment();
    this.#hello?.end();
    this.#hello = stream;
    stream.respond({ ':status': 200, 'content-type': 'application/jsonl' });
    const first = this.#said === undefined;
    this.#said = said;
    this.say();
    this.#options.owner.handleHello(this, first);
  }
  #handleParticipant(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const { limits, clock, owner } = this.#options;
    const remote = readRemote(headers['sallyport-remote']);
    if (remote === undefined) {
      refuse(stream, 400);
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' });
    this.#participants += 1;
    stream.once('close', () => {
      this.#participants -= 1;
    });
    const { local } = this.connection;
    const { outboundBytes } = limits;
    owner.handleParticipant(this, new ParticipantConnection(stream, { remote, local, clock, outboundBytes }));
  }
  #handleContent(stream: ServerHttp2Stream, path: string): void {
    const [, token, hash] = CONTENT_PATH.exec(path) ?? [];
    if (token === undefined || hash === undefined) {
      refuse(stream, 404);
      return;
    }
    void this.#answer({ token, hash }).then((answer) => {
      const headers = contentHeaders(answer);
      if (stream.destroyed || stream.closed) {
        if (answer.ok) answer.value.body.destroy();
        return;
      }
      stream.respond(headers, { endStream: !answer.ok });
      if (!answer.ok) return;
      stream.setTimeout(STALL_MS, () => stream.close(constants.NGHTTP2_CANCEL));
      destroyWhenReset(stream);
      pipeline(answer.value.body, stream, ignore);
    });
  }
  async #answer(request: ContentRequest): Promise<ContentAnswer> {
    const { owner } = this.#options;
    try {
      return await owner.handleContent(request);
    } catch (problem) {
      owner.handleFault(this, problem);
      return err('busy');
    }
  }
}

function refuse(stream: ServerHttp2Stream, status: number): void {
  stream.respond({ ':status': status }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}

function readRemote(value: string | string[] | undefined): Endpoint | undefined {
  const [, address = '', port = ''] = /^([0-9a-f.:]{2,45}) (\d{1,5})$/.exec(String(value)) ?? [];
  return isIP(address) > 0 ? { address, port: Number(port) } : undefined;
}

function ignore(): void {}
