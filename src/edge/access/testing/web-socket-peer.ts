import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { type BuildResponseOptions, buildResponse, type SipRequest, type SipResponse } from '#protocols/sip';
import type { AccessLab } from './lab.ts';
import { parsed } from './messages.ts';

const DEADLINE_MS = 15_000;

/** A SIP client over WebSocket, with the library's own client underneath. */
export class WebSocketPeer {
  readonly socket: WebSocket;
  /** Every message that arrived, as text. */
  readonly shown: string[] = [];
  readonly #items: Buffer[] = [];
  readonly #waiting: ((item: Buffer | number) => void)[] = [];
  closeCode: number | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.#put(data as Buffer));
    socket.on('error', () => {});
    socket.on('close', (code) => {
      this.closeCode = code;
      for (const waiting of this.#waiting.splice(0)) waiting(code);
    });
  }

  /** Resolves with the HTTP status when the upgrade is refused. */
  static connect(lab: AccessLab, options: { origin?: string; protocol?: string | null } = {}) {
    const protocol = options.protocol === undefined ? 'sip' : options.protocol;
    // The library hands them on to the TLS socket.
    const tls = { ca: lab.authority.certificatePem, servername: 'sip.example.com' };
    const socket = new WebSocket(
      `wss://127.0.9.10:${lab.externalPort}/`,
      protocol === null ? [] : [protocol],
      {
        ...tls,
        ...(options.origin === undefined ? {} : { origin: options.origin }),
      },
    );
    const peer = new WebSocketPeer(socket);
    return new Promise<WebSocketPeer | number>((resolve, reject) => {
      socket.once('open', () => resolve(peer));
      socket.once('unexpected-response', (_request, response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      socket.once('error', reject);
    });
  }
  /** The same where nothing but an open WebSocket will do. */
  static async open(lab: AccessLab, options: { origin?: string } = {}): Promise<WebSocketPeer> {
    const peer = await WebSocketPeer.connect(lab, options);
    assert.ok(peer instanceof WebSocketPeer, `refused with ${peer}`);
    return peer;
  }

  sends(bytes: Buffer | string): void {
    this.socket.send(bytes, { binary: false });
  }
  answers(request: SipRequest, status: number, options: BuildResponseOptions = {}): void {
    this.sends(buildResponse(request, status, { toTag: 'answer', ...options }));
  }
  async receivesText(): Promise<string> {
    const item = await this.#next();
    assert.ok(typeof item !== 'number', `closed with ${item}`);
    return item.toString();
  }
  async receives(status: number): Promise<SipResponse> {
    for (;;) {
      const message = parsed(Buffer.from(await this.receivesText()));
      assert.ok(message.kind === 'response', message.bytes.toString());
      if (message.status === 100 && status !== 100) continue;
      assert.equal(message.status, status, message.bytes.toString());
      return message;
    }
  }
  async receivesRequest(method: string): Promise<SipRequest> {
    const message = parsed(Buffer.from(await this.receivesText()));
    assert.ok(message.kind === 'request', message.bytes.toString());
    assert.equal(message.method, method);
    return message;
  }
  /** The code that the WebSocket was closed with. */
  async isClosed(): Promise<number> {
    for (;;) {
      const item = await this.#next();
      if (typeof item === 'number') return item;
    }
  }
  ends(): void {
    this.socket.terminate();
  }

  #put(item: Buffer): void {
    this.shown.push(item.toString());
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  }
  #next(): Promise<Buffer | number> {
    const item = this.#items.shift() ?? this.closeCode;
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
