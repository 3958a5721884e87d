import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:tls';
import { type LoadOptions, TLS, UserConnection } from './sip-user.ts';
import { accepted, readHeads, registered } from './sip-wire.ts';

/*
 * The far and the near end of a SIP proxy under load, in one process that is pinned to a core of its own: clients
 * over TLS that send MESSAGEs, and a next hop that answers each with 200.
 */

const BODY = 'A message of the length that people send to one another, more or less.';
const FIRST_SEQUENCE = 10_000_000;

/** A next hop that asks every REGISTER for credentials and believes them, accepts all the rest, and asks for a client certificate. */
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

export class LoadClient {
  readonly #options: LoadOptions;
  readonly #user: string;
  readonly #counts: LoadCounts;
  /** By sequence number, since FIRST_SEQUENCE; 0 = answered. */
  readonly #sent: number[] = [];
  #connection: UserConnection | undefined;
  /** The constant parts of a MESSAGE; the sequence number stands between them. */
  #parts: readonly string[] = [];
  #refill = false;

  constructor(options: LoadOptions, user: string, counts: LoadCounts) {
    this.#options = options;
    this.#user = user;
    this.#counts = counts;
  }

  /** The TLS version and cipher that came of it. */
  async signIn(): Promise<string> {
    const connection = await UserConnection.signIn(this.#options, this.#user, (head) => this.#handle(head));
    this.#connection = connection;
    const uri = `sip:sink@${this.#options.domain}`;
    const extra = ['Content-Type: text/plain'];
    const cut = { method: 'MESSAGE', uri, to: `<${uri}>`, id: 'm\0', cseq: '\0', extra, body: BODY };
    this.#parts = connection.request(cut).split('\0');
    return connection.tls;
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
    this.#connection?.close();
  }

  send(): void {
    const sequence = FIRST_SEQUENCE + this.#sent.length;
    this.#sent.push(performance.now());
    this.#connection?.write(this.#parts.join(String(sequence)));
  }

  #handle(head: string): void {
    if (head.startsWith('SIP/2.0 1')) return;
    const at = Number(CALL_ID.exec(head)?.[1]) - FIRST_SEQUENCE;
    const sent = this.#sent[at];
    if (!head.startsWith('SIP/2.0 200') || sent === undefined || sent === 0) this.#counts.failed += 1;
    else {
      this.#sent[at] = 0;
      this.#counts.completed += 1;
      if (this.#counts.timed) this.#counts.latencies.push(performance.now() - sent);
    }
    if (this.#refill) this.send();
  }
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
