import assert from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import {
  type BuildResponseOptions,
  buildResponse,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  SipStreamFramer,
  sipLimits,
} from '#protocols/sip';

const DEADLINE_MS = 15_000;

type Item = SipMessage | 'pong' | 'ping' | 'closed';

/** One end of a TLS connection in a play: what it sends, and what it receives, in order. */
export class SipPeer {
  readonly socket: TLSSocket;
  /** Health checks of the edge are answered, and not seen by the play. */
  answersProbes = false;
  /** Takes every message instead of the play, where there is one. */
  automaton: ((message: SipMessage) => void) | undefined;
  /** Every octet that ever arrived. */
  readonly bytes: Buffer[] = [];
  readonly #framer = new SipStreamFramer(sipLimits, 'asks');
  readonly #items: Item[] = [];
  readonly #waiting: ((item: Item) => void)[] = [];

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => this.#put('closed'));
  }

  /** Everything that this peer was ever shown, as text. */
  get shown(): string {
    return Buffer.concat(this.bytes).toString('latin1');
  }
  sends(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }
  answers(request: SipRequest, status: number, options: BuildResponseOptions = {}): void {
    this.sends(buildResponse(request, status, { toTag: 'answer', ...options }));
  }
  async receivesRequest(method: string): Promise<SipRequest> {
    const item = await this.receivesAnyRequest();
    assert.equal(item.method, method);
    return item;
  }
  async receivesAnyRequest(): Promise<SipRequest> {
    const item = await this.#next();
    assert.ok(typeof item !== 'string' && item.kind === 'request', `no request: ${describe(item)}`);
    return item;
  }
  /** The next response; 100 is passed over unless asked for. */
  async receives(status: number): Promise<SipResponse> {
    for (;;) {
      const item = await this.#next();
      assert.ok(
        typeof item !== 'string' && item.kind === 'response',
        `${status} expected: ${describe(item)}`,
      );
      if (item.status === 100 && status !== 100) continue;
      assert.equal(item.status, status, describe(item));
      return item;
    }
  }
  async receivesPong(): Promise<void> {
    assert.equal(await this.#next(), 'pong');
  }
  async isClosed(): Promise<void> {
    for (;;) if ((await this.#next()) === 'closed') return;
  }
  ends(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.bytes.push(chunk);
    for (const event of this.#framer.push(chunk, 0)) {
      if (event.type === 'message') this.#put(event.message);
      else if (event.type === 'ping' || event.type === 'pong') this.#put(event.type);
      else assert.fail(`unreadable: ${JSON.stringify(event)}\n${chunk.toString()}`);
    }
  }
  #put(item: Item): void {
    if (this.automaton !== undefined && typeof item !== 'string') {
      this.automaton(item);
      return;
    }
    if (
      this.answersProbes &&
      typeof item !== 'string' &&
      item.kind === 'request' &&
      item.method === 'OPTIONS'
    ) {
      this.answers(item, 200);
      return;
    }
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  }
  #next(): Promise<Item> {
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

function describe(item: Item): string {
  return typeof item === 'string' ? item : item.bytes.toString();
}
