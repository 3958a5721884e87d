import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { type Cancel, type Clock, err } from '#kernel';
import { type Connection, type Endpoint, takeSocket } from '#platform/net';
import type { ConferencePublicKey } from '#protocols/tokens';
import { type ContentAnswer, type ContentRequest, readContent } from './content.ts';
import { type EdgeHello, edgeHelloHeaders, type ReadServiceHello, readServiceHello } from './hello.ts';
import { Lines } from './lines.ts';
import type { LinkEnd } from './link-notice.ts';
import { connectionWindow, LinkLife, type LinkLimits, sessionOptions } from './link-transport.ts';
import { ParticipantConnection } from './participant-connection.ts';

export interface ServiceLinkOptions {
  readonly connection: Connection;
  /** Names in its certificate that may be a service. */
  readonly peers: readonly string[];
  readonly hello: EdgeHello;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  readonly owner: ServiceLinkOwner;
}
export interface ServiceLinkOwner {
  /** The service said who it is, or said something else than before. */
  handleHello(link: ServiceLink, first: boolean): void;
  /** Exactly once. */
  handleEnd(link: ServiceLink, reason: LinkEnd): void;
}

/** How long a service may take to begin its answer to a request for a file. */
const ANSWER_MS = 10_000;

/** The edge's end of one link: it asks, by HTTP/2, over the connection that the service opened. */
export class ServiceLink {
  readonly connection: Connection;
  readonly #options: ServiceLinkOptions;
  readonly #session: ClientHttp2Session;
  readonly #life: LinkLife;
  readonly #participants = new Set<ParticipantConnection>();
  #contents = 0;
  #own: EdgeHello;
  #said: ReadServiceHello | undefined;
  /** Their clock less ours, milliseconds. */
  #offset = 0;
  #hello: ClientHttp2Stream | undefined;
  #establishment: Cancel;

  constructor(options: ServiceLinkOptions) {
    const { connection, limits, clock, peers, hello } = options;
    this.#options = options;
    this.connection = connection;
    this.#own = hello;
    const socket = takeSocket(connection);
    this.#session = connect(`https://${peers[0]}`, {
      ...sessionOptions(limits),
      peerMaxConcurrentStreams: limits.streams,
      createConnection: () => socket,
    });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(connectionWindow(limits)));
    // Nothing is asked for that way; what is written to a stream that is gone already looks like it, too.
    this.#session.on('stream', (stream) => {
      stream.on('error', ignore);
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    this.#life = new LinkLife(connection, this.#session, clock, limits.pingMs, (reason) => {
      this.#establishment();
      options.owner.handleEnd(this, reason);
    });
    this.#establishment = clock.after(limits.establishmentMs, () => this.stop('hello'));
    this.say(hello);
  }

  /** The host at the other end; until it has said who it is, what its certificate says. */
  get peer(): string {
    return this.#said?.node ?? this.#options.peers[0] ?? '';
  }
  get hello(): ReadServiceHello | undefined {
    return this.#life.over ? undefined : this.#said;
  }
  get keys(): readonly ConferencePublicKey[] {
    return this.hello?.keys ?? [];
  }
  get participants(): number {
    return this.#participants.size;
  }
  /** The time by the service's clock, milliseconds since 1970. */
  wall(): number {
    return this.#options.clock.wall() + this.#offset;
  }

  /** Tells the service who this edge is; again when that has changed. */
  say(hello: EdgeHello): void {
    if (this.#life.over) return;
    this.#own = hello;
    this.#hello?.removeAllListeners('data').close(constants.NGHTTP2_CANCEL);
    const stream = this.#session.request({
      ':path': '/hello',
      ...edgeHelloHeaders({ ...hello, keys: this.#said?.keyTexts }),
    });
    this.#hello = stream;
    const lines = new Lines();
    stream.on('error', ignore);
    stream.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#handleLine(line);
      if (lines.broken) this.stop('hello');
    });
    stream.on('close', () => {
      if (this.#hello === stream) this.stop('hello');
    });
  }

  /**
   * A stream for a participant; undefined when there is no place for it, or no service any more.
   * @param first the whole frame that was checked, and what came behind it
   */
  open(remote: Endpoint, first: readonly Uint8Array[]): Connection | undefined {
    const { limits, clock } = this.#options;
    if (this.hello === undefined || !this.#hasRoom()) return undefined;
    const stream = this.#session.request(
      { ':method': 'POST', ':path': '/participant', 'sallyport-remote': `${remote.address} ${remote.port}` },
      { endStream: false },
    );
    const participant = new ParticipantConnection(stream, {
      remote: this.connection.remote,
      local: this.connection.local,
      clock,
      outboundBytes: limits.outboundBytes,
    });
    this.#participants.add(participant);
    stream.once('close', () => this.#participants.delete(participant));
    stream.once('response', (headers) => {
      if (headers[':status'] !== 200) participant.destroy('policy');
    });
    for (const bytes of first) participant.write(bytes);
    return participant;
  }

  fetch({ token, hash }: ContentRequest): Promise<ContentAnswer> {
    if (this.hello === undefined || !this.#hasRoom()) return Promise.resolve(err('busy'));
    return new Promise((resolve) => {
      const stream = this.#session.request({ ':path': `/content/${token}/${hash}` });
      this.#contents += 1;
      cancelWhenDestroyed(stream);
      const late = this.#options.clock.after(ANSWER_MS, () => stream.close(constants.NGHTTP2_CANCEL));
      stream.on('error', ignore);
      stream.once('close', () => {
        late();
        this.#contents -= 1;
        resolve(err('busy'));
      });
      stream.once('response', (headers) => {
        late();
        const answer = readContent(headers, stream);
        if (!answer.ok) stream.close(constants.NGHTTP2_NO_ERROR);
        resolve(answer);
      });
    });
  }
  stop(reason: LinkEnd): void {
    this.#life.stop(reason);
  }

  #hasRoom(): boolean {
    const { maxConcurrentStreams = 0 } = this.#session.remoteSettings;
    const most = Math.min(this.#options.limits.streams, maxConcurrentStreams);
    // One stream is the hello's, and one more while it is said anew.
    return this.#participants.size + this.#contents < most - 2;
  }
  #handleLine(line: string): void {
    const said = readServiceHello(line);
    const first = this.#said === undefined;
    if (
      said === undefined ||
      !this.#options.peers.includes(said.node) ||
      (!first && said.node !== this.peer)
    ) {
      this.stop('hello');
      return;
    }
    this.#establishment();
    const known = this.#said?.keyTexts.join();
    this.#said = said;
    this.#offset = said.clock - this.#options.clock.wall();
    this.#options.owner.handleHello(this, first);
    // From here on these are the keys that tokens are checked with, and the service waits to hear so.
    if (said.keyTexts.join() !== known) this.say(this.#own);
  }
}

/**
 * Whoever reads a file destroys it when its reader has gone. The runtime resets such a stream without an error code, which the
 * service's end takes for the end of a request: it would go on writing, and its file stay open for as long as the link.
 */
function cancelWhenDestroyed(stream: ClientHttp2Stream): void {
  const destroy = stream.destroy.bind(stream);
  stream.destroy = (problem) => {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    return destroy(problem);
  };
}

function ignore(): void {}
