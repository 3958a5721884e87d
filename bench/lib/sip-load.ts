import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { answer, headerValue, readMessages } from './sip-wire.ts';

/*
 * The far and the near end of a SIP proxy under load, in one process that is pinned to a core of its own: clients
 * over TLS that send MESSAGE after MESSAGE with a fixed number under way, and a next hop that answers each with 200.
 */

export interface LoadOptions {
  readonly proxy: { readonly host: string; readonly port: number };
  /** Where the clients' connections come from. */
  readonly localAddress: string;
  readonly domain: string;
  readonly authority: string;
  readonly connections: number;
  /** MESSAGEs under way on each connection. */
  readonly window: number;
}

export interface LoadCounts {
  completed: number;
  failed: number;
  readonly latencies: number[];
}

/** A next hop that accepts every REGISTER and every MESSAGE. */
export function startNextHop(options: {
  readonly address: string;
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}): Promise<Server> {
  const server = createServer(
    {
      cert: readFileSync(options.certificate),
      key: readFileSync(options.key),
      ca: readFileSync(options.authority),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      readMessages(socket, (message) => {
        const contact = headerValue(message, 'contact');
        const register = message.lines[0]?.startsWith('REGISTER ') === true && contact !== undefined;
        socket.write(
          answer(
            message,
            '200 OK',
            'load',
            register ? [`Contact: ${contact};expires=3600`, 'Expires: 3600'] : [],
          ),
        );
      });
    },
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.address, port: options.port }, () => resolve(server));
  });
}

class LoadClient {
  readonly #options: LoadOptions;
  readonly #user: string;
  readonly #counts: LoadCounts;
  readonly #underWay = new Map<string, number>();
  #socket: TLSSocket | undefined;
  #sequence = 0;
  #running = false;
  #signedIn: (() => void) | undefined;

  constructor(options: LoadOptions, user: string, counts: LoadCounts) {
    this.#options = options;
    this.#user = user;
    this.#counts = counts;
  }

  async signIn(): Promise<void> {
    const { proxy, domain, authority, localAddress } = this.#options;
    const socket = connect({
      socket: connectTcp({ ...proxy, localAddress }),
      ca: readFileSync(authority),
      servername: `sip.${domain}`,
    });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    readMessages(socket, (message) =>
      this.#handle(message.lines[0] ?? '', headerValue(message, 'call-id') ?? ''),
    );
    const accepted = new Promise<void>((resolve) => {
      this.#signedIn = resolve;
    });
    socket.write(this.#request('REGISTER', `sip:${domain}`, 'register'));
    await accepted;
  }
  start(): void {
    this.#running = true;
    for (let count = 0; count < this.#options.window; count++) this.#send();
  }
  stop(): void {
    this.#running = false;
  }
  close(): void {
    this.#socket?.destroy();
  }
  #handle(startLine: string, callId: string): void {
    if (startLine.startsWith('SIP/2.0 1')) return;
    const fine = startLine.startsWith('SIP/2.0 200');
    if (callId.startsWith('register')) {
      if (!fine) throw new Error(`the proxy refused to sign ${this.#user} in: ${startLine}`);
      this.#signedIn?.();
      return;
    }
    const sent = this.#underWay.get(callId);
    if (sent === undefined) return;
    this.#underWay.delete(callId);
    if (fine) {
      this.#counts.completed += 1;
      this.#counts.latencies.push(performance.now() - sent);
    } else this.#counts.failed += 1;
    if (this.#running) this.#send();
  }
  #send(): void {
    const callId = `m${this.#sequence}-${this.#user}`;
    this.#underWay.set(callId, performance.now());
    this.#socket?.write(this.#request('MESSAGE', `sip:sink@${this.#options.domain}`, callId));
  }
  #request(method: string, uri: string, callId: string): string {
    this.#sequence += 1;
    const { domain, localAddress } = this.#options;
    const port = this.#socket?.localPort ?? 0;
    const body =
      method === 'MESSAGE' ? 'A message of the length that people send to one another, more or less.' : '';
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/TLS ${localAddress}:${port};branch=z9hG4bK${this.#user}${this.#sequence};rport`,
      'Max-Forwards: 70',
      `From: <sip:${this.#user}@${domain}>;tag=${this.#user}${this.#sequence}`,
      `To: <${method === 'REGISTER' ? `sip:${this.#user}@${domain}` : uri}>`,
      `Call-ID: ${callId === 'register' ? `register-${this.#user}` : callId}`,
      `CSeq: ${this.#sequence} ${method}`,
      `Contact: <sip:${this.#user}@${localAddress}:${port};transport=tls>`,
      'User-Agent: load',
      ...(method === 'REGISTER' ? ['Expires: 3600'] : ['Content-Type: text/plain']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }
}

/** Drives a proxy: signs the clients in, then keeps it busy between `start` and `stop`. */
export class SipLoad {
  readonly counts: LoadCounts = { completed: 0, failed: 0, latencies: [] };
  readonly #clients: LoadClient[];

  constructor(options: LoadOptions) {
    this.#clients = Array.from(
      { length: options.connections },
      (_, index) => new LoadClient(options, `user${index}`, this.counts),
    );
  }
  async signIn(): Promise<void> {
    for (const client of this.#clients) await client.signIn();
  }
  start(): void {
    for (const client of this.#clients) client.start();
  }
  stop(): void {
    for (const client of this.#clients) client.stop();
  }
  close(): void {
    for (const client of this.#clients) client.close();
  }
}
