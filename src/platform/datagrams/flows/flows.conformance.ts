import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '#kernel';
import { CHANNEL_HEADER_BYTES, encodeChannelHeader } from '#protocols/stun';
import type { DatagramReceiver, DatagramSocket } from '../datagrams.ts';
import type { Flow, FlowCounts, FlowEnd, FlowPlan, RelayDatagrams } from './flows.ts';

/** What the suite needs of an implementation: ready, with room for 8 flows and 8 budgets. */
export interface MadeRelay {
  readonly relay: RelayDatagrams;
  /** By the clock of its flows. */
  readonly now: () => number;
}
export type MakeRelay = () => Promise<MadeRelay>;

const LISTENER = '127.0.9.74';
const RELAYED = '127.0.9.75';
const CLIENT = '127.0.9.76';
const PEER = '127.0.9.77';
const CHANNEL = 0x4001;
const LONG_MS = 60_000;

/** Registers the tests that every implementation of the interface has to pass. */
export function testFlows(implementation: string, make: MakeRelay): void {
  for (const [claim, check] of Object.entries(claims)) {
    void test(`${implementation}, flows: ${claim}`, async () => {
      await using stage = await Stage.set(make);
      await check(stage);
    });
  }
}

const claims: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  async 'data of a channel go to the peer as they are, and come back in the channel, past the receivers'(
    stage,
  ) {
    const client = await stage.client();
    const { out, back } = stage.channel(client);
    for (const text of ['', 'one', 'x'.repeat(1_400)]) {
      client.send(channelData(CHANNEL, text));
      const heard = await stage.peer.hear();
      assert.deepEqual([heard.text, heard.from], [text, stage.relayed.local]);
      stage.peer.send(Buffer.from(text), stage.relayed.local);
      const answer = await client.hear();
      assert.deepEqual(answer.bytes, channelData(CHANNEL, text));
      assert.deepEqual(answer.from, stage.listener.local);
    }
    // Octets behind the data are padding (RFC 8656 §12.5).
    client.send(Buffer.concat([channelData(CHANNEL, 'one'), Buffer.alloc(1)]));
    assert.equal((await stage.peer.hear()).text, 'one');
    assert.deepEqual([out.packets, out.octets, out.overBudget], [4, 1_406, 0]);
    assert.deepEqual([back.packets, back.octets, back.overBudget], [3, 1_403, 0]);
    assert.deepEqual([stage.unclaimed.length, stage.relay.flows.size], [0, 2]);
  },

  async 'what belongs to no flow goes to the receiver: another channel, client or peer, broken lengths, no data'(
    stage,
  ) {
    const [client, other] = [await stage.client(), await stage.client()];
    const { out, back } = stage.channel(client);
    const odd = [
      channelData(CHANNEL + 1, 'channel'),
      Buffer.from([0x40, 0x01, 0x00, 0x09, 1, 2, 3]),
      Buffer.from([0x40]),
      Buffer.alloc(0),
      Buffer.from('not of a channel'),
    ];
    for (const bytes of odd) {
      client.send(bytes);
      assert.deepEqual((await stage.next()).bytes, bytes);
    }
    other.send(channelData(CHANNEL, 'client'));
    assert.deepEqual((await stage.next()).from, other.local);
    other.send(Buffer.from('peer'), stage.relayed.local);
    const strange = await stage.next();
    assert.deepEqual([strange.text, strange.from], ['peer', other.local]);
    assert.deepEqual([out.packets, back.packets], [0, 0]);
  },

  async 'between two clients data go from channel to channel'(stage) {
    const [one, two] = [await stage.client(), await stage.client()];
    const flow = stage.open({
      from: stage.clientEnd(one),
      to: stage.clientEnd(two, CHANNEL + 7),
      beside: stage.relayed,
    });
    one.send(channelData(CHANNEL, 'across'));
    assert.deepEqual((await two.hear()).bytes, channelData(CHANNEL + 7, 'across'));
    assert.equal(flow.packets, 1);
    two.send(channelData(CHANNEL + 7, 'one way only'));
    assert.deepEqual((await stage.next()).from, two.local);
  },

  async 'a flow that has ended passes nothing until it is renewed, one that was closed never'(stage) {
    const client = await stage.client();
    const told: FlowCounts[] = [];
    const flow = stage.open({ from: stage.clientEnd(client), to: stage.peerEnd() }, (counts) =>
      told.push(counts),
    );
    const toReceiver = async (text: string) => {
      client.send(channelData(CHANNEL, text));
      assert.deepEqual((await stage.next()).bytes, channelData(CHANNEL, text));
    };
    flow.renew(0);
    await toReceiver('ended');
    flow.renew(stage.now() + LONG_MS);
    client.send(channelData(CHANNEL, 'again'));
    assert.equal((await stage.peer.hear()).text, 'again');
    flow.close();
    flow.close();
    await toReceiver('closed');
    assert.equal(stage.relay.flows.size, 0);
    while (told.length === 0) await stage.followed();
    assert.deepEqual(told, [{ packets: 1, octets: 5, overBudget: 0 }]);
    assert.equal(stage.peer.heard.length, 0);
  },

  async 'a flow ends at its time, though nobody comes to close it'(stage) {
    const client = await stage.client();
    const ends = stage.now() + 20;
    const flow = stage.open({ from: stage.clientEnd(client), to: stage.peerEnd(), ends });
    // Whoever opened it does nothing else meanwhile.
    while (stage.now() <= ends);
    client.send(channelData(CHANNEL, 'too late'));
    assert.deepEqual((await stage.next()).bytes, channelData(CHANNEL, 'too late'));
    assert.equal(flow.packets, 0);
  },

  async 'flows take from budgets that they share; what there is not for is dropped and counted'(stage) {
    const client = await stage.client();
    const { flows } = stage.relay;
    const budget = flows.budget(0, 1_000) ?? assert.fail('no room');
    const large = flows.budget(0, 1 << 20) ?? assert.fail('no room');
    const budgets = [large, budget];
    const one = stage.open({ from: stage.clientEnd(client), to: stage.peerEnd(), budgets });
    const two = stage.open({ from: stage.clientEnd(client, CHANNEL + 1), to: stage.peerEnd(), budgets });
    for (let n = 0; n < 6; n += 1) client.send(channelData(CHANNEL + (n % 2), 'x'.repeat(300)));
    await until(() => one.overBudget + two.overBudget === 3);
    assert.equal(one.packets + two.packets, 3);
    assert.equal(budget.refill(stage.now(), 0, 1_000), 100);
    assert.equal(large.refill(stage.now(), 0, 1 << 20), (1 << 20) - 900);
    budget.take(300);
    assert.equal(budget.refill(stage.now(), 0, 1_000), -200);
    const refilled = stage.now() + 5;
    await until(() => stage.now() > refilled);
    // At most what can be saved up, and with a rate there is something again.
    assert.equal(budget.refill(stage.now(), 1_000, 500), 500);
    client.send(channelData(CHANNEL, 'y'));
    await until(() => one.packets + two.packets === 4);
  },

  async 'there is room for so many, and again when some have ended; other sockets have no flows'(stage) {
    const client = await stage.client();
    const plan = (n: number) => ({ from: stage.clientEnd(client, CHANNEL + n), to: stage.peerEnd() });
    const open: Flow[] = [];
    const whole = (n: number): FlowPlan => ({
      ...plan(n),
      beside: stage.relayed,
      budgets: [],
      ends: stage.now() + LONG_MS,
    });
    const { flows } = stage.relay;
    // The room of one that was closed is free when its thread has followed.
    while (open.length < 8) {
      const flow = flows.open(whole(open.length));
      if (flow === undefined) await stage.followed();
      else open.push(flow);
    }
    assert.equal(flows.open(whole(8)), undefined);
    for (const flow of open) flow.close();
    let again: Flow | undefined;
    while (again === undefined) {
      await stage.followed();
      again = flows.open(whole(9));
    }
    client.send(channelData(CHANNEL + 9, 'again'));
    assert.equal((await stage.peer.hear()).text, 'again');
    const strange: DatagramSocket = { local: client.local, send: () => undefined, close: () => {} };
    assert.equal(flows.open({ ...whole(10), to: { ...stage.peerEnd(), socket: strange } }), undefined);
    for (let n = 0; n < 8; n += 1) assert.ok(flows.budget(1, 1));
    assert.equal(flows.budget(1, 1), undefined);
  },

  async 'a socket that is closed takes its flows along'(stage) {
    const client = await stage.client();
    const { out, back } = stage.channel(client);
    stage.relayed.close();
    client.send(channelData(CHANNEL, 'nowhere'));
    // Dropped by the socket, or given to the receiver: nothing reaches the peer.
    await until(() => out.packets === 1 || stage.unclaimed.length === 1);
    await turn();
    assert.equal(stage.peer.heard.length, 0);
    for (const flow of [out, back]) flow.close();
    const again = await stage.bindRelayed(stage.relayed.local.port);
    assert.equal(again.local.port, stage.relayed.local.port);
  },
};

export function channelData(channel: number, text: string): Buffer {
  const data = Buffer.from(text);
  const bytes = Buffer.alloc(CHANNEL_HEADER_BYTES + data.length);
  encodeChannelHeader(bytes, 0, channel, data.length);
  data.copy(bytes, CHANNEL_HEADER_BYTES);
  return bytes;
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
interface Heard {
  readonly bytes: Buffer;
  readonly text: string;
  readonly from: { readonly address: string; readonly port: number };
}
interface Place {
  readonly address: string;
  readonly port: number;
}

/** Somebody on the other side of the network. */
export class Outsider {
  readonly heard: Heard[] = [];
  readonly #socket: Socket;
  readonly #to: Place;

  static async open(address: string, to: Place): Promise<Outsider> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new Outsider(socket, to);
  }
  private constructor(socket: Socket, to: Place) {
    this.#socket = socket;
    this.#to = to;
    socket.on('message', (bytes, { address, port }) => this.heard.push(heardOf(bytes, address, port)));
  }
  get local(): Place {
    const { address, port } = this.#socket.address();
    return { address, port };
  }
  send(bytes: Buffer, to = this.#to): void {
    this.#socket.send(bytes, to.port, to.address);
  }
  async hear(): Promise<Heard> {
    await until(() => this.heard.length > 0);
    return this.heard.shift() ?? assert.fail('nothing');
  }
  close(): void {
    this.#socket.close();
  }
}
function heardOf(bytes: Buffer, address: string, port: number): Heard {
  return { bytes, text: bytes.toString(), from: { address, port } };
}

/** A listener, one relayed address, and a peer. */
export class Stage {
  readonly relay: RelayDatagrams;
  readonly now: () => number;
  /** What came to the receivers. */
  readonly unclaimed: Heard[] = [];
  listener: DatagramSocket = nobody;
  relayed: DatagramSocket = nobody;
  peer: Outsider = undefined as unknown as Outsider;
  readonly #outsiders: Outsider[] = [];
  #arriving: (() => void) | undefined;

  static async set(make: MakeRelay): Promise<Stage> {
    const stage = new Stage(await make());
    stage.listener = stage.relay.listen(
      await sharedSockets(Math.max(1, stage.relay.threads.count)),
      stage.#receiver,
    );
    stage.peer = await stage.outsider(PEER);
    stage.relayed = await stage.bindRelayed();
    return stage;
  }
  private constructor({ relay, now }: MadeRelay) {
    this.relay = relay;
    this.now = now;
  }
  readonly #receiver: DatagramReceiver = (bytes, address, port) => {
    this.unclaimed.push(heardOf(bytes, address, port));
    this.#arriving?.();
    this.#arriving = undefined;
  };

  async outsider(address: string): Promise<Outsider> {
    const outsider = await Outsider.open(address, this.listener.local);
    this.#outsiders.push(outsider);
    return outsider;
  }
  /** One that comes by the thread of the relayed address: flows run there only. */
  async client(): Promise<Outsider> {
    for (;;) {
      const client = await this.outsider(CLIENT);
      const flow = this.relay.flows.open(this.#whole({ from: this.clientEnd(client), to: this.peerEnd() }));
      client.send(channelData(CHANNEL, 'where'));
      await until(() => this.unclaimed.length > 0 || this.peer.heard.length > 0);
      flow?.close();
      const isHere = this.peer.heard.splice(0).length > 0;
      this.unclaimed.length = 0;
      if (!isHere) continue;
      client.send(Buffer.from('follow'));
      await this.next();
      return client;
    }
  }
  /** Some time for the thread to follow; what ended meanwhile is looked for with the end of anything. */
  async followed(): Promise<void> {
    await turn();
    this.relay.flows.budget(1, 1)?.release();
  }
  /** Bound as a relay binds it: because of a datagram. */
  async bindRelayed(port = 0): Promise<DatagramSocket> {
    const asker = await this.outsider(CLIENT);
    const { promise, resolve } = Promise.withResolvers<DatagramSocket>();
    this.#arriving = () =>
      this.relay.peers.bind({ address: RELAYED, port }, this.#receiver, (outcome) => {
        if (outcome.ok) resolve(outcome.socket);
        else void turn().then(() => this.bindRelayed(port).then(resolve));
      });
    asker.send(Buffer.from('allocate'));
    const socket = await promise;
    this.unclaimed.length = 0;
    return socket;
  }
  async next(): Promise<Heard> {
    await until(() => this.unclaimed.length > 0);
    return this.unclaimed.shift() ?? assert.fail('nothing');
  }
  clientEnd(client: Outsider, channel = CHANNEL): FlowEnd {
    return { socket: this.listener, ...client.local, channel };
  }
  peerEnd(): FlowEnd {
    return { socket: this.relayed, ...this.peer.local, channel: undefined };
  }
  #whole(plan: Pick<FlowPlan, 'from' | 'to'> & Partial<FlowPlan>): FlowPlan {
    return { beside: this.relayed, budgets: [], ends: this.now() + LONG_MS, ...plan };
  }
  open(
    plan: Pick<FlowPlan, 'from' | 'to'> & Partial<FlowPlan>,
    closed: (counts: FlowCounts) => void = () => {},
  ): Flow {
    return this.relay.flows.open(this.#whole(plan), closed) ?? assert.fail('no room');
  }
  channel(client: Outsider): { out: Flow; back: Flow } {
    const out = this.open({ from: this.clientEnd(client), to: this.peerEnd() });
    const back = this.open({ from: this.peerEnd(), to: this.clientEnd(client) });
    return { out, back };
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const outsider of this.#outsiders) outsider.close();
    await this.relay.close();
  }
}

const nobody: DatagramSocket = {
  local: { address: '', port: 0 },
  send: () => 'closed',
  close: () => {},
};

/** Sockets that share address and port when there are several. */
async function sharedSockets(count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  let port = 0;
  for (let n = 0; n < count; n += 1) {
    const socket = createSocket({ type: 'udp4', reusePort: count > 1 });
    socket.bind(port, LISTENER);
    await once(socket, 'listening');
    port = socket.address().port;
    sockets.push(socket);
  }
  return sockets;
}
