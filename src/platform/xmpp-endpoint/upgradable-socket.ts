import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Clock, Result } from '#kernel';
import { verifyPeer } from '#platform/net';
import type { Credentials, TrustAnchors, VerifiedPeer } from '#platform/pki';

/** Asked after the chain is verified: whether the certificate still stands. */
export type Confirm = (peer: VerifiedPeer, staple: Buffer | undefined) => Promise<Result<void>>;

/** How TLS is spoken with partners, in both directions. */
export class PartnerTls {
  readonly trust: TrustAnchors;
  readonly clock: Clock;
  readonly confirm: Confirm | undefined;
  readonly server: SecureContext;
  readonly client: SecureContext;

  constructor(credentials: Credentials, trust: TrustAnchors, clock: Clock, confirm?: Confirm) {
    this.trust = trust;
    this.clock = clock;
    this.confirm = confirm;
    const own = { ...credentials.secureContextOptions(), minVersion: 'TLSv1.2' } as const;
    // No session is ever resumed: it would carry a peer past the check of its certificate.
    const server = {
      ca: trust.pem,
      secureOptions: constants.SSL_OP_NO_TICKET,
      sessionIdContext: 'sallyport-xmpp',
    };
    this.server = createSecureContext({ ...own, ...server });
    this.client = createSecureContext({ ...own, ca: [] });
  }
}

/** What TLS has shown of a peer: a verified certificate, or why there is none. */
export interface ShownIdentity {
  readonly protocol: string;
  readonly peer: VerifiedPeer | undefined;
  readonly problem: string | undefined;
}

/** IANA's ALPN id of streams between XMPP servers (XEP-0368). */
const ALPN = 'xmpp-server';

/** One TCP connection that becomes a TLS one when its user says so, at its begin or in the middle. */
export class UpgradableSocket {
  onData: (bytes: Buffer) => void = ignore;
  onClose: () => void = ignore;
  readonly #tls: PartnerTls;
  readonly #raw: Socket;
  #socket: Socket;
  #text = '';
  /** To be called when what is written in this turn has left this process. */
  #leaving: (() => void)[] = [];
  #scheduled = false;
  #staple: Buffer | undefined;
  #closed = false;

  /** @param raw connected; nothing has been read from it */
  constructor(raw: Socket, tls: PartnerTls) {
    this.#raw = raw;
    this.#socket = raw;
    this.#tls = tls;
    raw.setNoDelay(true);
    raw.on('error', ignore);
    raw.on('close', () => this.#handleClose());
  }

  get remoteAddress(): string {
    return this.#raw.remoteAddress ?? '';
  }
  get closed(): boolean {
    return this.#closed;
  }
  /** Bytes that the peer has not taken. */
  get queued(): number {
    return this.#socket.writableLength + this.#text.length;
  }

  /** Begins to read; the first byte tells whether TLS comes first (RFC 8446 §5.1: record type 22). */
  listen(secured: (shown: ShownIdentity | undefined) => void): void {
    const first = () => {
      const chunk: Buffer | null = this.#raw.read();
      if (chunk === null) return;
      this.#raw.off('readable', first);
      if (chunk[0] === 0x16) {
        this.#raw.unshift(chunk);
        this.secure('server', '', secured);
        return;
      }
      this.read();
      this.onData(chunk);
    };
    this.#raw.on('readable', first);
  }
  /** Begins to read what comes in clear. */
  read(): void {
    this.#socket.on('data', this.#handleData);
    this.#socket.on('end', this.#handleEnd);
    this.#socket.resume();
  }

  /** TLS from here on; `done` gets nothing when the handshake fails, and then the connection is closed. */
  secure(
    role: 'server' | 'client',
    servername: string,
    done: (shown: ShownIdentity | undefined) => void,
  ): void {
    this.#flush();
    this.#raw.off('data', this.#handleData);
    this.#raw.off('end', this.#handleEnd);
    const socket = role === 'server' ? this.#asServer() : this.#asClient(servername);
    this.#socket = socket;
    socket.on('error', () => {
      this.#raw.destroy();
      settle(undefined);
    });
    let settled = false;
    const settle = (shown: ShownIdentity | undefined) => {
      if (settled) return;
      settled = true;
      done(shown);
    };
    socket.on('close', () => settle(undefined));
    socket.once(role === 'server' ? 'secure' : 'secureConnect', () => {
      void this.#shown(socket).then((shown) => {
        settle(shown);
        if (!this.#closed) this.read();
      });
    });
  }

  #asServer(): TLSSocket {
    return new TLSSocket(this.#raw, {
      isServer: true,
      secureContext: this.#tls.server,
      requestCert: true,
      rejectUnauthorized: false, // verified by #shown
      ALPNCallback: ({ protocols }) => (protocols.includes(ALPN) ? ALPN : undefined),
    });
  }
  #asClient(servername: string): TLSSocket {
    const socket = connect({
      socket: this.#raw,
      servername,
      requestOCSP: this.#tls.confirm !== undefined,
      secureContext: this.#tls.client,
      // Servers that select nothing are usual, and STARTTLS knows of no ALPN but does not mind.
      ALPNProtocols: [ALPN],
      rejectUnauthorized: false, // verified by #shown
      checkServerIdentity: () => undefined,
    });
    socket.on('OCSPResponse', (response: Buffer | null) => {
      this.#staple = response === null || response.length === 0 ? undefined : response;
    });
    return socket;
  }

  async #shown(socket: TLSSocket): Promise<ShownIdentity> {
    const protocol = socket.getProtocol() ?? 'unknown';
    const { trust, clock, confirm } = this.#tls;
    const verified = verifyPeer(socket, trust, 'server-identity', clock.wall());
    if (!verified.ok) return { protocol, peer: undefined, problem: verified.error.problems.join(', ') };
    const peer = verified.value;
    if (peer === undefined) return { protocol, peer, problem: 'no certificate' };
    const confirmed = await confirm?.(peer, this.#staple);
    if (confirmed === undefined || confirmed.ok) return { protocol, peer, problem: undefined };
    return { protocol, peer: undefined, problem: `${confirmed.error.code} ${confirmed.error.message}` };
  }

  /** What is written within one turn goes out in one piece. */
  write(text: string): void {
    this.#text += text;
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }
  /** Calls it when what is written in this turn has left this process; never, when the connection ends before. */
  whenWritten(task: () => void): void {
    this.#leaving.push(task);
  }
  #flush(): void {
    this.#scheduled = false;
    const [text, leaving] = [this.#text, this.#leaving];
    this.#text = '';
    this.#leaving = [];
    if (text === '' || this.#closed) return;
    if (leaving.length === 0) this.#socket.write(text);
    else
      this.#socket.write(text, (problem) => {
        if (!problem) for (const task of leaving) task();
      });
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    if (!this.#closed) this.#socket.resume();
  }
  /** Sends what is queued, then closes. */
  end(): void {
    this.#flush();
    this.#socket.end();
    const cancel = this.#tls.clock.after(LINGER_MS, () => this.destroy());
    this.#raw.once('close', cancel);
  }
  destroy(): void {
    this.#socket.destroy();
    this.#raw.destroy();
  }

  readonly #handleData = (chunk: Buffer): void => {
    if (!this.#closed) this.onData(chunk);
  };
  readonly #handleEnd = (): void => {
    this.#socket.end();
  };
  #handleClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose();
  }
}

const LINGER_MS = 5000;

function ignore(): void {}
