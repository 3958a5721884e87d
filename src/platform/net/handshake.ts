import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { Monotonic } from '#kernel';
import type { Endpoint } from './endpoint.ts';
import type { FirstBytes } from './first-bytes.ts';
import type { RefusalReason } from './refusal.ts';

/** Most octets that are kept while nobody knows yet what they begin. */
const LONGEST_OPENING = 4096;

/** What handshakes of one acceptor share. */
export interface HandshakeHost {
  /** Options of the next handshake; the same object for all that share a generation of identities. */
  tlsOptions(): TLSSocketOptions;
  /** What the first bytes begin; asked again with more of them after 'more'. */
  judge(first: Buffer): FirstBytes;
  /** It begins something else than TLS; the bytes are put back into the raw socket. */
  openedPlain(handshake: Handshake, opening: string): void;
  /** TLS is established; nothing about the peer is verified yet. */
  handshakeDone(handshake: Handshake, socket: TLSSocket): void;
  handshakeFailed(handshake: Handshake, reason: RefusalReason, detail?: string): void;
}

const owner = Symbol('handshake');
type OwnedSocket = Socket & { [owner]?: Handshake | undefined };

/** One socket between accept and the end of its TLS handshake. Exactly one of the host's two calls happens. */
export class Handshake {
  readonly raw: Socket;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly source: string;
  readonly begun: Monotonic;
  readonly #host: HandshakeHost;
  #socket: TLSSocket | undefined;
  #first: Buffer | undefined;
  #over = false;

  constructor(
    host: HandshakeHost,
    raw: Socket,
    facts: { remote: Endpoint; local: Endpoint; source: string; begun: Monotonic },
  ) {
    this.#host = host;
    this.raw = raw;
    this.remote = facts.remote;
    this.local = facts.local;
    this.source = facts.source;
    this.begun = facts.begun;
    (raw as OwnedSocket)[owner] = this;
    raw.on('error', handleFailure);
    raw.on('close', handleClose);
    raw.on('end', handleClose);
    raw.on('readable', handleReadable);
  }

  /** It has taken too long. */
  expire(): void {
    const silent = this.#socket === undefined && this.#first === undefined;
    this.fail(silent ? 'silent' : 'handshake-timeout');
  }
  fail(reason: RefusalReason, detail?: string): void {
    if (this.#over) return;
    this.#release();
    this.#socket?.destroy();
    this.raw.destroy();
    this.#host.handshakeFailed(this, reason, detail);
  }

  /** The first bytes: looked at, put back, and given to TLS if they may be TLS. */
  handleReadable(): void {
    if (this.#over || this.#socket !== undefined) return;
    const chunk: Buffer | null = this.raw.read();
    if (chunk === null) return;
    const first = this.#first === undefined ? chunk : Buffer.concat([this.#first, chunk]);
    this.#first = first;
    const verdict = this.#host.judge(first);
    if (verdict === 'more' && first.length < LONGEST_OPENING) return;
    if (verdict === 'more' || verdict === 'not-tls' || verdict === 'first-bytes') {
      this.fail(verdict === 'not-tls' ? 'not-tls' : 'first-bytes');
      return;
    }
    this.raw.off('readable', handleReadable);
    this.raw.off('end', handleClose);
    this.#first = undefined;
    this.raw.unshift(first);
    if (verdict === 'tls') this.#beginTls();
    // The runtime takes note of the listener that left a tick later, and resumes the stream then if somebody listens
    // for data already: whoever had paused it meanwhile would lose what comes.
    else process.nextTick(() => this.#openPlain(verdict.plain));
  }
  #openPlain(opening: string): void {
    if (this.#over) return;
    this.#release();
    this.raw.off('error', handleFailure);
    this.#host.openedPlain(this, opening);
  }
  #beginTls(): void {
    const socket = new TLSSocket(this.raw, this.#host.tlsOptions());
    this.#socket = socket;
    (socket as OwnedSocket)[owner] = this;
    socket.on('error', handleFailure);
    socket.on('close', handleClose);
    socket.on('secure', handleSecure);
  }
  handleSecure(): void {
    const socket = this.#socket;
    if (this.#over || socket === undefined) return;
    this.#release();
    this.#host.handshakeDone(this, socket);
  }
  handleFailure(problem: NodeJS.ErrnoException): void {
    this.fail(refusalOf(problem), problem.code);
  }

  /** Lets go of both sockets; whoever takes over sets listeners of its own. Raw keeps one for errors. */
  #release(): void {
    this.#over = true;
    (this.raw as OwnedSocket)[owner] = undefined;
    this.raw.off('close', handleClose);
    this.raw.off('end', handleClose);
    this.raw.off('readable', handleReadable);
    if (this.#socket === undefined) return;
    (this.#socket as OwnedSocket)[owner] = undefined;
    this.#socket.off('close', handleClose);
    this.#socket.off('secure', handleSecure);
  }
}

function refusalOf(problem: NodeJS.ErrnoException): RefusalReason {
  switch (problem.code) {
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_VERSION_TOO_LOW':
      return 'tls-version';
    case 'ERR_SSL_NO_APPLICATION_PROTOCOL':
      return 'alpn';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'gone';
    default:
      return 'handshake-failed';
  }
}

// One set of listeners for all handshakes; `this` is the socket.
function handleReadable(this: OwnedSocket): void {
  this[owner]?.handleReadable();
}
function handleSecure(this: OwnedSocket): void {
  this[owner]?.handleSecure();
}
function handleFailure(this: OwnedSocket, problem: NodeJS.ErrnoException): void {
  this[owner]?.handleFailure(problem);
}
function handleClose(this: OwnedSocket): void {
  this[owner]?.fail('gone');
}
