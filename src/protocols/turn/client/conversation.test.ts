import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Monotonic, SeededRandom } from '#kernel';
import type { TurnListener } from '../relay/turn-listener.ts';
import { inside, outside, PASSWORD, type RelayStage, RelayStage as Stage } from '../testing/relay-stage.ts';
import { TurnClient } from './turn-client.ts';
import type { TurnClientEvent } from './turn-client-sink.ts';

/** Our client against our relay, in memory and in virtual time. A datagram takes no time unless it is lost. */
class Caller {
  readonly client: TurnClient;
  readonly events: TurnClientEvent[] = [];
  readonly heard: string[] = [];
  readonly outbox: Buffer[] = [];
  readonly listener: TurnListener;
  readonly address: string;
  /** Says of the n-th datagram whether it is lost. */
  loses: (count: number) => boolean = () => false;
  #sent = 0;

  constructor(name: string, listener: TurnListener, address: string, seed: number) {
    this.listener = listener;
    this.address = address;
    this.client = new TurnClient({
      username: name,
      password: PASSWORD,
      random: new SeededRandom(seed),
      sink: {
        send: (bytes) => {
          if (!this.loses(this.#sent++)) this.outbox.push(Buffer.from(bytes));
        },
        data: (from, port, bytes) => this.heard.push(`${from}:${port} ${Buffer.from(bytes).toString()}`),
        event: (event) => this.events.push(event),
      },
    });
  }
  get last(): TurnClientEvent | undefined {
    return this.events.at(-1);
  }
  get relayed(): { address: string; port: number } {
    assert.ok(this.client.relayed);
    return this.client.relayed;
  }
}

class Scene {
  readonly stage: RelayStage;
  readonly callers: readonly Caller[];

  constructor(stage: RelayStage, callers: readonly Caller[]) {
    this.stage = stage;
    this.callers = callers;
  }
  /** Carries datagrams until nobody has anything left to say. */
  settle(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const caller of this.callers) {
        for (let out = caller.outbox.shift(); out !== undefined; out = caller.outbox.shift()) {
          this.stage.relay.handleClientDatagram(caller.listener, caller.address, 4_000, out, this.stage.now);
          this.stage.bindAll();
          moved = true;
        }
      }
      for (
        let item = this.stage.sink.toClient.shift();
        item !== undefined;
        item = this.stage.sink.toClient.shift()
      ) {
        const { address, bytes } = item;
        this.callers
          .find((caller) => caller.address === address)
          ?.client.handleDatagram(bytes, this.stage.now);
        moved = true;
      }
    }
  }
  /** Lets time pass from one deadline to the next. */
  pass(seconds: number): void {
    const end: Monotonic = this.stage.now + seconds * 1_000;
    for (;;) {
      const deadlines = this.callers.map((caller) => caller.client.deadline() ?? end);
      const next = Math.max(this.stage.now, Math.min(end, ...deadlines));
      this.stage.wall += next - this.stage.now;
      this.stage.now = next;
      this.stage.relay.handleTimeouts(next);
      if (next >= end) return;
      for (const caller of this.callers) caller.client.handleTimeouts(next);
      this.settle();
    }
  }
}

function scene(): { scene: Scene; alice: Caller; bob: Caller; stage: RelayStage } {
  const stage = new Stage();
  const alice = new Caller('alice', outside, '198.51.100.7', 11);
  const bob = new Caller('bob', inside, '10.1.2.3', 22);
  return { scene: new Scene(stage, [alice, bob]), alice, bob, stage };
}

function meet(play: ReturnType<typeof scene>): void {
  const { alice, bob, stage } = play;
  alice.client.allocate(stage.now);
  bob.client.allocate(stage.now);
  play.scene.settle();
  assert.equal(alice.last?.type, 'allocated');
  assert.equal(bob.last?.type, 'allocated');
}

test('alice outside and bob inside talk relay to relay for half an hour, and hang up', () => {
  const play = scene();
  const { alice, bob, stage } = play;
  meet(play);
  assert.equal(alice.client.send(bob.relayed.address, bob.relayed.port, Buffer.from('too early')), false);
  alice.client.permit(bob.relayed.address, bob.relayed.port, stage.now);
  const channel = bob.client.bindChannel(alice.relayed.address, alice.relayed.port, stage.now);
  play.scene.settle();
  assert.deepEqual(alice.last, { type: 'permitted', address: bob.relayed.address });
  assert.deepEqual(bob.last, { type: 'channel-bound', peer: alice.relayed, channel });
  for (let minute = 0; minute < 30; minute++) {
    assert.ok(alice.client.send(bob.relayed.address, bob.relayed.port, Buffer.from(`a${minute}`)));
    assert.ok(bob.client.send(alice.relayed.address, alice.relayed.port, Buffer.from(`b${minute}`)));
    play.scene.settle();
    play.scene.pass(60);
  }
  assert.equal(bob.heard.length, 30);
  assert.equal(alice.heard.length, 30);
  assert.equal(bob.heard[29], `${alice.relayed.address}:${alice.relayed.port} a29`);
  assert.equal(alice.heard[29], `${bob.relayed.address}:${bob.relayed.port} b29`);
  assert.deepEqual(stage.sink.toPeer, []);
  assert.equal(stage.relay.counters.switchedPackets, 60);
  alice.client.deallocate(stage.now);
  bob.client.deallocate(stage.now);
  play.scene.settle();
  assert.deepEqual(alice.last, { type: 'ended' });
  assert.deepEqual(bob.last, { type: 'ended' });
  assert.equal(stage.relay.allocations.size, 0);
  assert.equal(alice.client.deadline(), undefined);
});

test('with every third datagram lost, they meet all the same', () => {
  const play = scene();
  const { alice, bob, stage } = play;
  alice.loses = (count) => count % 3 === 1;
  bob.loses = (count) => count % 3 === 0;
  alice.client.allocate(stage.now);
  bob.client.allocate(stage.now);
  play.scene.settle();
  play.scene.pass(20);
  alice.client.bindChannel(bob.relayed.address, bob.relayed.port, stage.now);
  bob.client.bindChannel(alice.relayed.address, alice.relayed.port, stage.now);
  play.scene.settle();
  play.scene.pass(20);
  assert.equal(alice.last?.type, 'channel-bound');
  assert.equal(bob.last?.type, 'channel-bound');
  assert.equal(stage.relay.allocations.size, 2);
  play.scene.pass(4_000);
  assert.equal(stage.relay.allocations.size, 2);
});

test('a nonce that went stale is replaced without anybody noticing', () => {
  const play = scene();
  meet(play);
  play.scene.pass(3 * 3_600);
  assert.equal(play.stage.relay.allocations.size, 2);
  assert.ok((play.stage.relay.refusals.get(438) ?? 0) >= 2);
});

test('when the credential ends, the client is told at its next refresh', () => {
  const play = scene();
  play.stage.expiries.set('alice', play.stage.wall + 700_000);
  meet(play);
  play.scene.pass(1_000);
  assert.equal(play.alice.last?.type, 'ended');
  assert.equal(play.alice.last?.type === 'ended' && play.alice.last.failure?.code, 'SLP-AV-0104');
  assert.equal(play.stage.relay.allocations.size, 1);
});

test('a peer that the relay refuses is reported, and the allocation lives on', () => {
  const play = scene();
  const { alice, stage } = play;
  meet(play);
  alice.client.permit('127.0.0.1', 9, stage.now);
  alice.client.bindChannel('10.1.1.1', 9, stage.now);
  play.scene.settle();
  assert.deepEqual(
    alice.events.slice(1).map((event) => event.type === 'peer-refused' && [event.address, event.code]),
    [
      ['127.0.0.1', 403],
      ['10.1.1.1', 403],
    ],
  );
  assert.equal(alice.client.state, 'allocated');
});

test('when the relay has lost the allocation, the client is told at its next request', () => {
  const play = scene();
  meet(play);
  play.stage.relay.closeAll(play.stage.now);
  play.alice.client.permit('192.0.2.1', 9, play.stage.now);
  play.scene.settle();
  const { last } = play.alice;
  assert.ok(last?.type === 'ended');
  assert.equal(last.code, 437);
});
