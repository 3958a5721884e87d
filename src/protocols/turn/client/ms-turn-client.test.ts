import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Monotonic, SeededRandom } from '#kernel';
import { MsAttributeType } from '#protocols/stun';
import { outside, PASSWORD, RelayStage } from '../testing/relay-stage.ts';
import { MsTurnClient, type MsTurnClientEvent } from './ms-turn-client.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A client and the relay, in virtual time; what either sends reaches the other at once, unless it is lost. */
class Play {
  readonly stage = new RelayStage();
  readonly events: MsTurnClientEvent[] = [];
  readonly sent: Buffer[] = [];
  /** Nothing gets through. */
  lost = false;
  readonly client: MsTurnClient;
  readonly #port: number;

  constructor(port: number, username = 'alice', password = PASSWORD) {
    this.#port = port;
    this.client = new MsTurnClient({
      username: base64(username),
      password: base64(password),
      random: new SeededRandom(port),
      sink: {
        control: (message) => void this.sent.push(Buffer.from(message)),
        event: (event) => void this.events.push(event),
      },
    });
  }
  get now(): Monotonic {
    return this.stage.now;
  }
  /** Carries messages to and fro until nobody has anything to say. */
  exchange(): void {
    for (let message = this.sent.shift(); message !== undefined; message = this.sent.shift()) {
      if (this.lost) continue;
      this.stage.relay.handleClientDatagram(outside, '198.51.100.7', this.#port, message, this.now);
      this.stage.bindAll();
      for (const { bytes } of this.stage.sink.toClient.splice(0)) this.client.handleMessage(bytes, this.now);
    }
  }
  allocate(): MsTurnClientEvent | undefined {
    this.client.allocate(this.now);
    this.exchange();
    return this.events.at(-1);
  }
}

test('allocates after a challenge, sets an active destination, and gives all of it back', () => {
  const play = new Play(40_001);
  const allocated = play.allocate();
  assert.ok(allocated?.type === 'allocated');
  assert.equal(play.stage.relay.allocations.size, 1);
  play.client.setActiveDestination({ address: '192.0.2.7', port: 9_000 }, play.now);
  play.exchange();
  assert.equal(play.events.at(-1)?.type, 'destination-set');
  play.client.deallocate(play.now);
  play.exchange();
  assert.deepEqual(play.events.at(-1), { type: 'ended' });
  assert.equal(play.stage.relay.allocations.size, 0);
});

test('refusals: a wrong password, a user that nobody knows, a peer that is none', () => {
  const code = (event: MsTurnClientEvent | undefined) =>
    event !== undefined && 'failure' in event ? event.failure.code : event?.type;
  assert.equal(code(new Play(40_002, 'alice', 'wrong').allocate()), 'SLP-AV-0104');
  assert.equal(code(new Play(40_003, 'nobody').allocate()), 'SLP-AV-0104');
  const play = new Play(40_004);
  play.allocate();
  play.client.setActiveDestination({ address: '10.1.2.3', port: 9_000 }, play.now);
  play.exchange();
  assert.equal(code(play.events.at(-1)), 'SLP-AV-0105');
  assert.equal(play.client.state, 'allocated', 'another peer may be tried');
});

test('a request is sent again until it is answered, and given up in the end', () => {
  const play = new Play(40_005);
  play.lost = true;
  play.client.allocate(play.now);
  play.exchange();
  play.stage.now += 500;
  play.client.handleTimeouts(play.now);
  play.lost = false;
  play.exchange();
  assert.equal(play.events.at(-1)?.type, 'allocated');
  const silent = new Play(40_006);
  silent.client.allocate(silent.now);
  for (let seconds = 0; seconds < 60; seconds++) {
    silent.stage.now += 1_000;
    silent.client.handleTimeouts(silent.now);
  }
  assert.equal(silent.sent.length, 7);
  const [ended] = silent.events;
  assert.equal(ended?.type === 'ended' && ended.failure?.code, 'SLP-AV-0102');
});

test('an answer that is changed on the way counts for nothing; data are no answers', () => {
  const play = new Play(40_007);
  play.client.allocate(play.now);
  let changed = 0;
  for (let message = play.sent.shift(); message !== undefined; message = play.sent.shift()) {
    play.stage.relay.handleClientDatagram(outside, '198.51.100.7', 40_007, message, play.now);
    play.stage.bindAll();
    for (const { bytes } of play.stage.sink.toClient.splice(0)) {
      const at = bytes.indexOf(
        Buffer.of(MsAttributeType.MappedAddress >> 8, MsAttributeType.MappedAddress, 0, 8),
      );
      // The success has a relayed address: another port is put into it.
      if (bytes.readUInt16BE(0) === 0x0103 && at > 0) {
        bytes.writeUInt16BE(1_234, at + 6);
        changed += 1;
      }
      assert.equal(play.client.handleMessage(bytes, play.now), true);
    }
  }
  assert.equal(changed, 1);
  assert.deepEqual(play.events, []);
  assert.equal(play.client.handleMessage(Buffer.from('audio, perhaps'), play.now), false);
});
