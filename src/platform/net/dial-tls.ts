import { isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type Clock, err, type Failure, failure, literalLookup, ok, type Result } from '#kernel';
import {
  type CertificateNames,
  type Credentials,
  certificateText,
  matchName,
  type NamePolicy,
  type TrustAnchors,
  type VerifiedPeer,
} from '#platform/pki';
import type { EventStream, Metrics, Trace } from '#platform/telemetry';
import type { Connection } from './connection.ts';
import { type Endpoint, localEndpoint } from './endpoint.ts';
import { verifyPeer } from './peer-certificate.ts';
import { clientContext } from './secure-contexts.ts';
import { connectionMetrics, StreamConnection } from './stream-connection.ts';
import { TlsEvents } from './tls-events.ts';

export interface DialOptions {
  readonly remote: Endpoint;
  /** The address that the outbound socket is bound to; always explicit. */
  readonly localAddress: string;
  /** SNI; an IP address is not sent (RFC 6066 §3). */
  readonly servername: string;
  /** Our client certificate, if we present one. */
  readonly credentials?: Credentials;
  readonly trust: TrustAnchors;
  /** The server's certificate must assert one of these host names or IP addresses. */
  readonly expectNames: readonly string[];
  /** Decides in place of `names` whether the server's certificate names who is meant. */
  readonly recognise?: (names: CertificateNames) => boolean;
  /** Default: no wildcards. */
  readonly names?: NamePolicy;
  /**
   * Asked after chain and names, within the time of the handshake: whether the certificate still stands. Asks the
   * server for a stapled OCSP response (RFC 6066 §8) and passes it on.
   */
  readonly confirm?: (peer: VerifiedPeer, staple: Buffer | undefined) => Promise<Result<void>>;
  /** What was seen on the way: the peer's certificate, the names compared. */
  readonly trace?: Trace;
  readonly alpn?: readonly string[];
  /** Milliseconds for connect and handshake together. */
  readonly handshakeMs: number;
  /** Bytes queued towards a peer that does not read; beyond it the connection is destroyed. Default 1 MiB. */
  readonly outboundBytes?: number;
  /** Starting value of Connection.idleMs; 0 (default) = never. */
  readonly idleMs?: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** How it went; nothing is told when left out. */
  readonly events?: EventStream | undefined;
  /** Gives up early. */
  readonly signal?: AbortSignal;
}

const OUTBOUND_BYTES = 1024 * 1024;

/** Opens a TLS connection to a peer that our own code verified. Never rejects. */
export function dialTls(options: DialOptions): Promise<Result<Connection>> {
  return new Promise((resolve) => new Dial(options, resolve).start());
}

/** One attempt, from connect to the verdict on the peer. */
class Dial {
  readonly #options: DialOptions;
  readonly #resolve: (result: Result<Connection>) => void;
  #socket: TLSSocket | undefined;
  #cancelDeadline = ignore;
  #connected = false;
  #staple: Buffer | undefined;
  #settled = false;

  constructor(options: DialOptions, resolve: (result: Result<Connection>) => void) {
    this.#options = options;
    this.#resolve = resolve;
  }

  start(): void {
    const { remote, localAddress, servername, alpn, handshakeMs, clock, signal } = this.#options;
    if (signal?.aborted === true) {
      this.#resolve(err(failure('SLP-NET-0015', this.#target())));
      return;
    }
    const how: ConnectionOptions & TcpNetConnectOpts = {
      host: remote.address,
      port: remote.port,
      localAddress,
      lookup: literalLookup,
      autoSelectFamily: false,
      secureContext: clientContext(this.#options.credentials),
      rejectUnauthorized: false, // verified by #handleSecure
      checkServerIdentity: () => undefined,
      ...(isIP(servername) === 0 ? { servername } : {}),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      ...(this.#options.confirm === undefined ? {} : { requestOCSP: true }),
    };
    const socket = connect(how);
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('connect', () => {
      this.#connected = true;
    });
    socket.on('error', this.#handleError);
    socket.on('close', this.#handleClose);
    socket.on('OCSPResponse', (response: Buffer | null) => {
      this.#staple = response === null || response.length === 0 ? undefined : response;
    });
    socket.on('secureConnect', () => this.#handleSecure(socket));
    signal?.addEventListener('abort', this.#handleAbort, { once: true });
    this.#cancelDeadline = clock.after(handshakeMs, () => {
      this.#fail(
        failure('SLP-NET-0011', `${this.#target()}: no ${this.#missing()} within ${handshakeMs} ms`),
      );
    });
  }

  readonly #handleError = (problem: NodeJS.ErrnoException): void => {
    const code = this.#connected ? 'SLP-NET-0012' : 'SLP-NET-0010';
    this.#fail(failure(code, `${this.#target()}: ${problem.code ?? problem.message}`, problem));
  };
  readonly #handleClose = (): void => {
    this.#fail(failure('SLP-NET-0012', `${this.#target()}: the peer closed`));
  };
  readonly #handleAbort = (): void => {
    this.#fail(failure('SLP-NET-0015', `${this.#target()}: no ${this.#missing()} until then`));
  };

  #handleSecure(socket: TLSSocket): void {
    const { confirm } = this.#options;
    const peer = this.#verify(socket);
    if (!peer.ok) {
      this.#fail(peer.error);
    } else if (confirm === undefined) this.#succeed(socket, peer.value);
    else
      void confirm(peer.value, this.#staple).then((confirmed) => {
        if (this.#settled) return; // the deadline, the peer or the caller was quicker
        if (confirmed.ok) this.#succeed(socket, peer.value);
        else this.#fail(confirmed.error);
      });
  }

  #succeed(socket: TLSSocket, peer: VerifiedPeer): void {
    const { remote, clock, metrics, outboundBytes = OUTBOUND_BYTES, idleMs = 0 } = this.#options;
    const local = localEndpoint(socket);
    if (local === undefined) {
      this.#handleClose();
      return;
    }
    this.#release();
    const shared = connectionMetrics(metrics);
    const host = { clock, outboundBytes, metrics: shared, finished: ignore };
    const alpn = socket.alpnProtocol;
    const tls = { protocol: socket.getProtocol() ?? 'unknown', ...(alpn ? { alpn } : {}), peer };
    shared.opened.inc('dialled');
    const connection = new StreamConnection(host, socket, { remote, local, tls, idleMs });
    new TlsEvents(this.#options.events, 'tls-dial').established(connection);
    this.#resolve(ok(connection));
  }

  #verify(socket: TLSSocket): Result<VerifiedPeer> {
    const { trust, expectNames, recognise, names, clock, trace } = this.#options;
    const peer = verifyPeer(socket, trust, 'server-identity', clock.wall());
    if (!peer.ok) {
      const { problems, subject, seen } = peer.error;
      trace?.note('certificate', false, `${seen}: ${problems.join(', ')}`);
      return err(failure('SLP-NET-0013', `${this.#target()}: ${problems.join(', ')} (${subject})`));
    }
    if (peer.value === undefined) {
      trace?.note('certificate', false, 'the server showed none');
      return err(failure('SLP-NET-0013', `${this.#target()}: no certificate`));
    }
    const [leaf] = peer.value.path;
    if (leaf !== undefined) trace?.note('certificate', true, certificateText(leaf));
    const presented = peer.value.names;
    const known = recognise?.(presented) ?? matchName(presented, expectNames, names) !== undefined;
    trace?.note('names', known, namesText(presented, expectNames, known));
    if (known) return ok(peer.value);
    const found = [...presented.uri, ...presented.dns, ...presented.ip].slice(0, 10).join(', ') || 'no name';
    const wanted = expectNames.join(' or ');
    return err(failure('SLP-NET-0014', `${this.#target()}: expected ${wanted}, found ${found}`));
  }

  /** What the peer has not done yet: a host that is not there and one that says nothing are different troubles. */
  #missing(): string {
    return this.#connected ? 'TLS handshake' : 'TCP connection';
  }
  #target(): string {
    const { remote, servername } = this.#options;
    const address = remote.address.includes(':') ? `[${remote.address}]` : remote.address;
    return `${servername} at ${address}:${remote.port}`;
  }

  #fail(problem: Failure): void {
    this.#release();
    this.#socket?.on('error', ignore);
    this.#socket?.destroy();
    const { events, remote } = this.#options;
    new TlsEvents(events, 'tls-dial').dialFailed(problem.code, remote, problem.message);
    this.#resolve(err(problem));
  }

  #release(): void {
    this.#settled = true;
    this.#cancelDeadline();
    this.#options.signal?.removeEventListener('abort', this.#handleAbort);
    const socket: Socket | undefined = this.#socket;
    socket?.off('error', this.#handleError);
    socket?.off('close', this.#handleClose);
    socket?.removeAllListeners('secureConnect');
  }
}

function namesText(names: CertificateNames, expected: readonly string[], known: boolean): string {
  const presented = [...names.dns, ...names.ip, ...names.uri, ...names.xmpp, ...names.srv];
  const more = presented.length > 10 ? ` and ${presented.length - 10} more` : '';
  const found = presented.slice(0, 10).join(', ') || 'no name';
  const verdict = known ? 'recognised' : 'not among them';
  return `${expected.join(' or ')} sought in ${found}${more}: ${verdict}`;
}

function ignore(): void {}
