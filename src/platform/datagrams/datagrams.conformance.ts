import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import type {
  BindOutcome,
  DatagramEndpoint,
  DatagramLimits,
  DatagramNetwork,
  DatagramReceiver,
  DatagramSocket,
} from './datagrams.ts';

/** What the suite needs of an implementation. */
export type MakeNetwork = (limits: DatagramLimits) => DatagramNetwork;

const limits: DatagramLimits = { queuedBytes: 1 << 20, receiveBuffer: 1 << 20 };
const families = [
  { name: 'IPv4', type: 'udp4', address: '127.0.9.71', other: '127.0.9.72' },
  { name: 'IPv6', type: 'udp6', address: '::1', other: '::1' },
] as const;

type Family = (typeof families)[number];

/** Registers the tests that every implementation of the interface has to pass. */
export function testDatagrams(implementation: string, make: MakeNetwork): void {
  for (const [claim, check] of Object.entries(perFamily)) {
    for (const family of families) {
      void test(`${implementation}, ${family.name}: ${claim}`, () => check(make, family));
    }
  }
  for (const [claim, check] of Object.entries(anyFamily))
    void test(`${implementation}: ${claim}`, () => check(make));
}

const perFamily: Readonly<Record<string, (make: MakeNetwork, family: Family) => Promise<void>>> = {
  async 'datagrams arrive whole, with their source'(make, family) {
    await using lab = new Lab(make(limits));
    const inbox = new Inbox();
    const a = await lab.bind({ address: family.address, port: 0 }, inbox.receiver);
    const b = await lab.bind({ address: family.other, port: 0 }, () => {});
    for (const size of [0, 1, 1_200, 9_000]) {
      const bytes = Buffer.alloc(size + 8, size & 0xff);
      assert.equal(b.send(bytes, 4, 4 + size, a.local.address, a.local.port), undefined);
      const got = await inbox.next();
      assert.deepEqual(got.bytes, bytes.subarray(4, 4 + size));
      assert.deepEqual({ address: got.address, port: got.port }, b.local);
    }
    assert.equal(lab.network.counters.received, 4);
    assert.equal(lab.network.counters.receivedBytes, 10_201);
    await lab.until(() => lab.network.counters.sent === 4);
    assert.equal(lab.network.counters.sentBytes, 10_201);
  },

  async 'frames are apart from one another, and many sends keep order'(make, family) {
    await using lab = new Lab(make(limits));
    const inbox = new Inbox();
    const a = await lab.bind({ address: family.address, port: 0 }, inbox.receiver);
    const b = await lab.bind({ address: family.other, port: 0 }, () => {});
    for (let n = 0; n < 300; n += 1) {
      const frame = lab.network.frame(1_500);
      assert.ok(frame.length >= 1_500);
      frame.fill(n & 0xff).writeUInt32BE(n, 0);
      b.send(frame, 0, 1_000, a.local.address, a.local.port);
    }
    for (let n = 0; n < 300; n += 1) {
      const { bytes } = await inbox.next();
      assert.equal(bytes.readUInt32BE(0), n);
      assert.equal(bytes.length, 1_000);
      assert.ok(bytes.subarray(4).every((byte) => byte === (n & 0xff)));
    }
  },

  async 'a received datagram stays as it was and may be sent on'(make, family) {
    await using lab = new Lab(make(limits));
    const kept: Buffer[] = [];
    const inbox = new Inbox();
    const end = await lab.bind({ address: family.address, port: 0 }, inbox.receiver);
    const relay = await lab.bind({ address: family.other, port: 0 }, (bytes) => {
      kept.push(bytes);
      relay.send(bytes, 1, bytes.length, end.local.address, end.local.port);
    });
    const source = await lab.bind({ address: family.address, port: 0 }, () => {});
    for (const text of ['first', 'other', 'third']) {
      source.send(Buffer.from(text), 0, 5, relay.local.address, relay.local.port);
      assert.equal((await inbox.next()).bytes.toString(), text.slice(1));
    }
    assert.deepEqual(kept.map(String), ['first', 'other', 'third']);
  },

  async 'adopts a bound socket'(make, family) {
    await using lab = new Lab(make(limits));
    const bound = await boundSocket(family.type, family.address);
    const inbox = new Inbox();
    const adopted = lab.network.adopt(bound, inbox.receiver);
    assert.deepEqual(adopted.local, { address: family.address, port: bound.address().port });
    const b = await lab.bind({ address: family.other, port: 0 }, inbox.receiver);
    b.send(Buffer.from('to'), 0, 2, adopted.local.address, adopted.local.port);
    assert.equal((await inbox.next()).bytes.toString(), 'to');
    adopted.send(Buffer.from('fro'), 0, 3, b.local.address, b.local.port);
    const answer = await inbox.next();
    assert.equal(answer.bytes.toString(), 'fro');
    assert.equal(answer.port, adopted.local.port);
  },

  async 'a port in use, an address that is not ours'(make, family) {
    await using lab = new Lab(make(limits));
    const a = await lab.bind({ address: family.address, port: 0 }, () => {});
    const taken = await lab.tryBind(a.local);
    assert.ok(!taken.ok && taken.problem === 'in-use');
    const foreign = await lab.tryBind({
      address: family.type === 'udp4' ? '192.0.2.1' : '2001:db8::1',
      port: 0,
    });
    assert.ok(!foreign.ok && foreign.problem === 'not-available', JSON.stringify(foreign));
    assert.equal(lab.network.open, 1);
  },

  async 'what the network refuses is counted, never thrown'(make, family) {
    await using lab = new Lab(make(limits));
    const { counters } = lab.network;
    const a = await lab.bind({ address: family.address, port: 0 }, () => {});
    const nobody = await lab.bind({ address: family.other, port: 0 }, () => {});
    nobody.close();
    a.send(Buffer.from('x'), 0, 1, nobody.local.address, nobody.local.port);
    a.send(Buffer.alloc(70_000), 0, 70_000, a.local.address, a.local.port);
    await lab.until(() => counters.errors['too-big'] === 1);
    a.send(Buffer.from('x'), 0, 1, a.local.address, 0);
    assert.equal(counters.errors.unreachable, 1, 'port 0 is nowhere');
    // Loopback addresses have no way to the world, whatever the machine's routes are.
    const world = family.type === 'udp4' ? '192.0.2.1' : '2001:db8::1';
    a.send(Buffer.from('x'), 0, 1, world, 9);
    await lab.until(() => Object.values(counters.errors).reduce((sum, one) => sum + one, counters.sent) >= 4);
    assert.equal(a.send(Buffer.from('x'), 0, 1, a.local.address, a.local.port), undefined, 'still open');
  },

  async 'after close nothing is sent, received or held'(make, family) {
    await using lab = new Lab(make(limits));
    const inbox = new Inbox();
    const a = await lab.bind({ address: family.address, port: 0 }, inbox.receiver);
    const b = await lab.bind({ address: family.other, port: 0 }, inbox.receiver);
    a.close();
    a.close();
    assert.equal(lab.network.open, 1);
    assert.equal(a.send(Buffer.from('x'), 0, 1, b.local.address, b.local.port), 'closed');
    await lab.network.close();
    assert.equal(lab.network.open, 0);
    assert.equal(b.send(Buffer.from('x'), 0, 1, a.local.address, a.local.port), 'closed');
    assert.equal(inbox.count, 0);
    await using again = new Lab(make(limits));
    assert.deepEqual((await again.bind(b.local, () => {})).local, b.local);
  },
};

const anyFamily: Readonly<Record<string, (make: MakeNetwork) => Promise<void>>> = {
  async 'an adopted socket that its owner closed is closed'(make) {
    await using lab = new Lab(make(limits));
    const bound = await boundSocket('udp4', '127.0.9.71');
    const adopted = lab.network.adopt(bound, () => {});
    bound.close();
    await once(bound, 'close');
    assert.equal(adopted.send(Buffer.from('x'), 0, 1, '127.0.9.71', 9), 'closed');
    assert.equal(lab.network.open, 0);
    adopted.close();
  },

  async 'closing while a bind is under way calls nobody'(make) {
    const network = make(limits);
    let late = false;
    let closing = false;
    network.bind(
      { address: '127.0.9.71', port: 0 },
      () => {},
      () => {
        late ||= closing;
      },
    );
    closing = true;
    await network.close();
    assert.equal(late, false);
    assert.equal(network.open, 0);
    network.bind(
      { address: '127.0.9.71', port: 0 },
      () => {},
      () => assert.fail('bound after close'),
    );
  },
};

/** One network, closed with the test. */
class Lab {
  readonly network: DatagramNetwork;
  constructor(network: DatagramNetwork) {
    this.network = network;
  }
  tryBind(endpoint: DatagramEndpoint, receiver: DatagramReceiver = () => {}): Promise<BindOutcome> {
    return new Promise((resolve) => this.network.bind(endpoint, receiver, resolve));
  }
  async bind(endpoint: DatagramEndpoint, receiver: DatagramReceiver): Promise<DatagramSocket> {
    const outcome = await this.tryBind(endpoint, receiver);
    assert.ok(outcome.ok, JSON.stringify(outcome));
    return outcome.socket;
  }
  /** Turns of the event loop until it holds; the test runner's own deadline bounds it. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.network.close();
  }
}

interface Received {
  readonly bytes: Buffer;
  readonly address: string;
  readonly port: number;
}

class Inbox {
  count = 0;
  readonly #received: Received[] = [];
  #waiting: (() => void) | undefined;

  readonly receiver: DatagramReceiver = (bytes, address, port) => {
    this.count += 1;
    this.#received.push({ bytes, address, port });
    this.#waiting?.();
  };
  async next(): Promise<Received> {
    for (;;) {
      const first = this.#received.shift();
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }
}

async function boundSocket(type: 'udp4' | 'udp6', address: string): Promise<Socket> {
  const socket = createSocket(type);
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}
