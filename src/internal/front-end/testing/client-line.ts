import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { WebSocket } from 'ws';
import {
  parseSipMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  SipStreamFramer,
  sipLimits,
} from '#protocols/sip';

const DEADLINE_MS = 15_000;

export interface LineOptions {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  /** PEM of the authority. */
  readonly ca: string;
  /** For who shows a certificate. */
  readonly identity?: { readonly cert: string; readonly key: string };
  readonly alpn?: readonly string[];
  readonly localAddress?: string;
}

/** A client's connection that speaks SIP, as a stream or over WebSocket: what it sends, and what it receives, in order. */
export class ClientLine {
  readonly #write: (bytes: Buffer) => void;
  readonly #end: () => void;
  readonly #items: (SipMessage | 'closed')[] = [];
  readonly #waiting: ((item: SipMessage | 'closed') => void)[] = [];

  private constructor(write: (bytes: Buffer) => void, end: () => void) {
    this.#write = write;
    this.#end = end;
  }

  static async tls(options: LineOptions): Promise<ClientLine> {
    const { alpn, identity, ...rest } = options;
    const socket = connect({
      ...rest,
      ...identity,
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    });
    const line = new ClientLine(
      (bytes) => socket.write(bytes),
      () => socket.destroy(),
    );
    const framer = new SipStreamFramer(sipLimits, 'asks');
    socket.on('error', () => {});
    socket.on('close', () => line.#put('closed'));
    socket.on('data', (chunk: Buffer) => {
      for (const event of framer.push(chunk, 0)) if (event.type === 'message') line.#put(event.message);
    });
    await once(socket, 'secureConnect');
    return line;
  }

  /** The HTTP status when the upgrade is refused. */
  static webSocket(options: LineOptions & { readonly origin?: string }): Promise<ClientLine | number> {
    const { host, port, servername, ca, origin, localAddress } = options;
    const socket = new WebSocket(`wss://${host.includes(':') ? `[${host}]` : host}:${port}/`, ['sip'], {
      ...{ servername, ca },
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(origin === undefined ? {} : { origin }),
    });
    const line = new ClientLine(
      (bytes) => socket.send(bytes, { binary: false }),
      () => socket.terminate(),
    );
    socket.on('message', (data) => {
      const parsed = parseSipMessage(data as Buffer, sipLimits);
      assert.ok(parsed.ok, (data as Buffer).toString());
      line.#put(parsed.value);
    });
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(line));
      socket.once('unexpected-response', (_request, response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      socket.on('error', reject);
      socket.on('close', () => line.#put('closed'));
    });
  }
  static async openWebSocket(options: LineOptions & { readonly origin?: string }): Promise<ClientLine> {
    const line = await ClientLine.webSocket(options);
    assert.ok(line instanceof ClientLine, `refused with ${line}`);
    return line;
  }

  sends(bytes: Buffer): void {
    this.#write(bytes);
  }
  /** The next message; 100 is passed over. */
  async next(): Promise<SipMessage> {
    for (;;) {
      const item = await this.#next();
      assert.ok(item !== 'closed', 'the connection was closed');
      if (item.kind === 'request' || item.status !== 100) return item;
    }
  }
  async response(status: number): Promise<SipResponse> {
    const item = await this.next();
    assert.ok(item.kind === 'response', item.bytes.toString());
    assert.equal(item.status, status, item.bytes.toString());
    return item;
  }
  async request(method: string): Promise<SipRequest> {
    const item = await this.next();
    assert.ok(item.kind === 'request', item.bytes.toString());
    assert.equal(item.method, method);
    return item;
  }
  async isClosed(): Promise<void> {
    while ((await this.#next()) !== 'closed');
  }
  ends(): void {
    this.#end();
  }

  #put(item: SipMessage | 'closed'): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  }
  #next(): Promise<SipMessage | 'closed'> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error('nothing arrived')), DEADLINE_MS);
      this.#waiting.push((arrived) => {
        clearTimeout(deadline);
        resolve(arrived);
      });
    });
  }
}
