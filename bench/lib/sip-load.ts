import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import {
  connect,
  createSecureContext,
  createServer,
  type SecureContext,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { accepted, answered, headerValue, readHeads, registered } from './sip-wire.ts';

/*
 * The far and the near end of a SIP proxy under load, in one process that is pinned to a core of its own: clients
 * over TLS that send MESSAGEs, and a next hop that answers each with 200.
 */

/**
 * The same for every connection of every proxy, since both ends of the proxy are ours. The group is named, too: left to
 * themselves, OpenSSL 3.5 of the runtime agrees with itself on X25519MLKEM768, and a Kamailio with OpenSSL 3.0 on X25519,
 * which costs a quarter less of a handshake.
 */
const TLS = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_256_GCM_SHA384',
  ecdhCurve: 'X25519',
} as const;
const BODY = 'A message of the length that people send to one another, more or less.';
const FIRST_SEQUENCE = 10_000_000;

export interface LoadOptions {
  readonly proxy: { readonly host: string; readonly port: number };
  /** Where the clients' connections come from. */
  readonly localAddress: string;
  readonly domain: string;
  /** Name in the proxy's certificate. */
  readonly servername: string;
  /** PEM file of the authority. */
  readonly authority: string;
  readonly connections: number;
}

/** A next hop that accepts every REGISTER and every MESSAGE, and asks for a client certificate. */
export function startNextHop(options: {
  readonly address: string;
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}): Promise<Server> {
  const server = createServer(
    {
      ...TLS,
      cert: readFileSync(options.certificate),
      key: readFileSync(options.key),
      ca: readFileSync(options.authority),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      readHeads(socket, (head) => {
        if (head.startsWith('SIP/2.0') || head.startsWith('ACK ')) return;
        if (head.startsWith('INVITE ')) {
          const there = `Contact: <sip:sink@${options.address}:${options.port};transport=tls>`;
          socket.write(accepted(head, 'load', [there]).replace('200 OK', '180 Ringing'), 'latin1');
          socket.write(accepted(head, 'load', [there]), 'latin1');
          return;
        }
        const answer = head.startsWith('REGISTER ') ? registered : accepted;
        socket.write(answer(head, 'load'), 'latin1');
      });
    },
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.address, port: options.port }, () => resolve(server));
  });
}

/** What came back, from all clients. */
export interface LoadCounts {
  completed: number;
  failed: number;
  /** Milliseconds, while `timed` is set. */
  latencies: number[];
  timed: boolean;
}

const contexts = new Map<string, SecureContext>();
/** A TLS connection to a proxy, its handshake done. */
export async function openTls({
  proxy,
  authority,
  localAddress,
  servername,
}: Pick<LoadOptions, 'proxy' | 'authority' | 'localAddress' | 'servername'>): Promise<TLSSocket> {
  const secureContext =
    contexts.get(authority) ?? createSecureContext({ ...TLS, ca: readFileSync(authority) });
  contexts.set(authority, secureContext);
  const socket = connect({
    ...TLS,
    socket: connectTcp({ ...proxy, localAddress, noDelay: true }),
    secureContext,
    servername,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

export class LoadClient {
  readonly #options: LoadOptions;
  readonly #user: string;
  readonly #counts: LoadCounts;
  /** By sequence number, since FIRST_SEQUENCE; 0 = answered. */
  readonly #sent: number[] = [];
  #socket: TLSSocket | undefined;
  /** The constant parts of a MESSAGE; the sequence number stands between them. */
  #parts: readonly string[] = [];
  #refill = false;
  #signedIn: ((problem?: Error) => void) | undefined;

  constructor(options: LoadOptions, user: string, counts: LoadCounts) {
    this.#options = options;
    this.#user = user;
    this.#counts = counts;
  }

  /** Connects and registers; the TLS version and cipher that came of it. */
  async signIn(): Promise<string> {
    const { proxy, authority, localAddress, servername } = this.#options;
    const socket = await openTls({ proxy, authority, localAddress, servername });
    this.#socket = socket;
    const accepted = new Promise<void>((resolve, reject) => {
      this.#signedIn = (problem) => (problem === undefined ? resolve() : reject(problem));
    });
    socket.on('close', () => this.#signedIn?.(new Error(`the proxy closed the connection of ${this.#user}`)));
    readHeads(socket, (head) => this.#handle(head));
    this.#register(1);
    await accepted;
    this.#parts = this.#message();
    return `${socket.getProtocol()} ${socket.getCipher().name}`;
  }

  /** Keeps `window` MESSAGEs under way until `stop`. */
  fill(window: number): void {
    this.#refill = true;
    for (let count = 0; count < window; count++) this.send();
  }
  stop(): void {
    this.#refill = false;
  }
  close(): void {
    this.#signedIn = undefined;
    this.#socket?.destroy();
  }

  send(): void {
    const sequence = FIRST_SEQUENCE + this.#sent.length;
    this.#sent.push(performance.now());
    this.#socket?.write(this.#parts.join(String(sequence)), 'latin1');
  }

  #handle(head: string): void {
    if (head.startsWith('SIP/2.0 1')) return;
    const fine = head.startsWith('SIP/2.0 200');
    if (this.#parts.length === 0) {
      const challenge = head.startsWith('SIP/2.0 401') ? headerValue(head, 'WWW-Authenticate') : undefined;
      if (challenge !== undefined && head.includes('\r\nCSeq: 1 ')) this.#register(2, challenge);
      else this.#signedIn?.(fine ? undefined : new Error(`the proxy refused to sign in: ${head}`));
      return;
    }
    const at = Number(CALL_ID.exec(head)?.[1]) - FIRST_SEQUENCE;
    const sent = this.#sent[at];
    if (!fine || sent === undefined || sent === 0) this.#counts.failed += 1;
    else {
      this.#sent[at] = 0;
      this.#counts.completed += 1;
      if (this.#counts.timed) this.#counts.latencies.push(performance.now() - sent);
    }
    if (this.#refill) this.send();
  }

  /** The first has no credentials, as on every new connection; the second answers the challenge. */
  #register(sequence: 1 | 2, challenge?: string): void {
    const uri = `sip:${this.#options.domain}`;
    const to = `sip:${this.#user}@${this.#options.domain}`;
    const extra = ['Expires: 3600'];
    if (challenge !== undefined)
      extra.unshift(`Authorization: ${answered(challenge, this.#user, 'REGISTER', uri)}`);
    this.#socket?.write(this.#request('REGISTER', { uri, to, id: 'register', sequence, extra }), 'latin1');
  }
  /** A MESSAGE, cut where its sequence number belongs. */
  #message(): readonly string[] {
    const uri = `sip:sink@${this.#options.domain}`;
    const extra = ['Content-Type: text/plain'];
    const request = { uri, to: uri, id: 'm\0', sequence: '\0', extra, body: BODY };
    return this.#request('MESSAGE', request).split('\0');
  }

  #request(method: string, { uri, to, id, sequence, extra, body = '' }: RequestParts): string {
    const { domain, localAddress } = this.#options;
    const port = this.#socket?.localPort ?? 0;
    const user = this.#user;
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/TLS ${localAddress}:${port};branch=z9hG4bK${user}${sequence};rport`,
      'Max-Forwards: 70',
      `From: <sip:${user}@${domain}>;tag=${id}`,
      `To: <${to}>`,
      `Call-ID: ${id}-${user}-${port}`,
      `CSeq: ${sequence} ${method}`,
      `Contact: <sip:${user}@${localAddress}:${port};transport=tls>`,
      'User-Agent: load',
      ...extra,
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }
}

interface RequestParts {
  readonly uri: string;
  readonly to: string;
  /** Names the dialog. */
  readonly id: string;
  readonly sequence: string | number;
  /** Whole header lines. */
  readonly extra: readonly string[];
  readonly body?: string;
}

const CALL_ID = /\r\nCall-ID[ \t]*:[ \t]*m(\d+)/i;

/** All clients of one proxy. */
export class SipLoad {
  readonly counts: LoadCounts = { completed: 0, failed: 0, latencies: [], timed: false };
  readonly #clients: readonly LoadClient[];

  constructor(options: LoadOptions) {
    this.#clients = Array.from(
      { length: options.connections },
      (_, index) => new LoadClient(options, `user${index}`, this.counts),
    );
  }
  /** Signs all in; the TLS version and cipher of the connections. */
  async signIn(): Promise<string> {
    let tls = '';
    for (const client of this.#clients) tls = await client.signIn();
    return tls;
  }
  /** As fast as the proxy goes, with this many MESSAGEs under way in all. */
  saturate(underWay: number): () => void {
    for (const client of this.#clients) client.fill(Math.max(1, Math.round(underWay / this.#clients.length)));
    return () => {
      for (const client of this.#clients) client.stop();
    };
  }
  /** This many MESSAGEs a second, in turn from all clients, whatever comes back. */
  pace(perSecond: number): () => void {
    const begun = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      const due = ((performance.now() - begun) / 1000) * perSecond;
      for (; sent < due; sent++) this.#clients[sent % this.#clients.length]?.send();
    }, 1);
    return () => clearInterval(timer);
  }
  close(): void {
    for (const client of this.#clients) client.close();
  }
}
