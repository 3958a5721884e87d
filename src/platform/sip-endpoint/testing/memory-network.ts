import assert from 'node:assert/strict';
import { ManualClock, type Monotonic, SeededRandom } from '#kernel';
import type { CloseReason, Connection, Endpoint, TlsFacts } from '#platform/net';
import { type MemoryLog, Metrics, memoryLog } from '#platform/telemetry';
import {
  buildRequest,
  buildResponse,
  type SipMessage,
  SipRequest,
  SipResponse,
  SipStreamFramer,
  sipLimits,
} from '#protocols/sip';
import { SipEndpoint } from '../endpoint.ts';
import type { SipEndpointOptions } from '../options.ts';
import type { SipUser } from '../types.ts';

/** A network in memory for the tests of this room: nothing moves until `settle`, and time stands still. */
export class MemoryNetwork {
  readonly clock = new ManualClock();
  readonly random = new SeededRandom(1);
  readonly log: MemoryLog = memoryLog();
  readonly metrics = new Metrics();
  readonly #tasks: (() => void)[] = [];
  #ids = 0;

  schedule = (task: () => void): void => {
    this.#tasks.push(task);
  };
  /** Delivers everything that is under way, and what that causes. */
  settle(): void {
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) task();
  }
  /** Time passes in steps, with deliveries in between. */
  wait(ms: number, step = 500): void {
    this.settle();
    for (let passed = 0; passed < ms; passed += step) {
      this.clock.advance(Math.min(step, ms - passed));
      this.settle();
    }
  }
  pair(): [MemoryConnection, MemoryConnection] {
    const first = new MemoryConnection(this, ++this.#ids);
    const second = new MemoryConnection(this, ++this.#ids);
    first.other = second;
    second.other = first;
    return [first, second];
  }
  endpoint(user: Partial<SipUser>, options: Partial<SipEndpointOptions> = {}): SipEndpoint {
    const { clock, random, log, metrics, schedule } = this;
    const nobody: SipUser = {
      onRequest: () => assert.fail('an unexpected request'),
      onAck: () => assert.fail('an unexpected ACK'),
      onCancel: () => assert.fail('an unexpected CANCEL'),
      onFlowClosed() {},
    };
    return new SipEndpoint({
      clock,
      random,
      log,
      metrics,
      schedule,
      name: 'test',
      user: { ...nobody, ...user },
      ...options,
    });
  }
}

export class MemoryConnection implements Connection {
  readonly id: number;
  readonly remote: Endpoint = { address: '127.0.9.1', port: 40_000 };
  readonly local: Endpoint = { address: '127.0.9.2', port: 5061 };
  readonly opened: Monotonic;
  readonly tls: TlsFacts | undefined = undefined;
  readonly lastReceived: Monotonic = 0;
  readonly bytesSent = 0;
  readonly queued = 0;
  bytesReceived = 0;
  idleMs = 0;
  closed = false;
  closeReason: CloseReason | undefined;
  /** Each call of write. */
  readonly writes: Buffer[] = [];
  other!: MemoryConnection;
  onData: (chunk: Buffer) => void = () => {};
  onClose: (reason: CloseReason) => void = () => {};
  onDrain: () => void = () => {};
  readonly #network: MemoryNetwork;

  constructor(network: MemoryNetwork, id: number) {
    this.#network = network;
    this.id = id;
    this.opened = network.clock.now();
  }
  write(bytes: Uint8Array): boolean {
    if (this.closed) return false;
    const copy = Buffer.from(bytes);
    this.writes.push(copy);
    const { other } = this;
    this.#network.schedule(() => {
      if (!other.closed) other.onData(copy);
    });
    return true;
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.#close('local');
  }
  destroy(reason: CloseReason): void {
    this.#close(reason);
  }
  #close(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.closeReason = reason;
    const { other } = this;
    this.#network.schedule(() => this.onClose(reason));
    this.#network.schedule(() => {
      if (other.closed) return;
      other.closed = true;
      other.closeReason = 'peer-closed';
      other.onClose('peer-closed');
    });
  }
}

/** A peer without any logic: what it is sent is kept, what it sends is what the test says. */
export class Peer {
  readonly connection: MemoryConnection;
  readonly received: SipMessage[] = [];
  readonly #framer = new SipStreamFramer(sipLimits);

  constructor(connection: MemoryConnection) {
    this.connection = connection;
    connection.onData = (chunk) => {
      for (const event of this.#framer.push(chunk, 0)) {
        if (event.type === 'message') this.received.push(event.message);
      }
    };
  }
  send(bytes: Uint8Array | string): void {
    this.connection.write(Buffer.from(bytes as Uint8Array));
  }
  /** The methods and statuses received since the last look. */
  take(): string[] {
    return this.received.splice(0).map(nameOf);
  }
  takeRequest(method: string): SipRequest {
    const message = this.received.shift();
    assert(message instanceof SipRequest, `${method} expected, not ${message && nameOf(message)}`);
    assert.equal(message.method, method);
    return message;
  }
  takeResponse(status: number): SipResponse {
    const message = this.received.shift();
    assert(message instanceof SipResponse, `${status} expected, not ${message && nameOf(message)}`);
    assert.equal(message.status, status);
    return message;
  }
  answer(
    request: SipRequest,
    status: number,
    headers: readonly (readonly [string, string])[] = [],
    toTag = 'peer',
  ): void {
    this.send(buildResponse(request, status, { toTag, headers }));
  }
}

function nameOf(message: SipMessage): string {
  return message.kind === 'request' ? message.method : `${message.status}`;
}

let calls = 0;
/** A request out of any dialog with a branch of its own. */
export function request(method: string, facts: { branch?: string; body?: string } = {}): Buffer {
  calls += 1;
  const body = facts.body === undefined ? {} : { body: Buffer.from(facts.body) };
  return buildRequest({
    method,
    uri: 'sip:bob@example.org',
    headers: [
      ['Via', `SIP/2.0/TLS alice.example;branch=${facts.branch ?? `z9hG4bK-${calls}`}`],
      ['Max-Forwards', '70'],
      ['From', '<sip:alice@example.org>;tag=alice'],
      ['To', '<sip:bob@example.org>'],
      ['Call-ID', `call-${facts.branch ?? calls}`],
      ['CSeq', `1 ${method}`],
    ],
    ...body,
  });
}
