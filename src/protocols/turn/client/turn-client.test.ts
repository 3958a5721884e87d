import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '#kernel';
import {
  AttributeType,
  decodeStun,
  encodeErrorCode,
  encodeLifetime,
  encodeMappedAddress,
  encodeMessageIntegrity,
  encodeText,
  encodeXorAddress,
  longTermKey,
  MessageClass,
  Method,
  type StunMessage,
  StunWriter,
} from '#protocols/stun';
import { TurnClient } from './turn-client.ts';
import type { TurnClientEvent } from './turn-client-sink.ts';

const key = longTermKey('alice', 'example.org', 'secret');

/** A client whose server is played by the test, message by message. */
class Play {
  readonly sent: Buffer[] = [];
  readonly events: TurnClientEvent[] = [];
  readonly heard: string[] = [];
  readonly client = new TurnClient({
    username: 'alice',
    password: 'secret',
    random: new SeededRandom(3),
    limits: { peers: 2 },
    sink: {
      send: (bytes) => this.sent.push(Buffer.from(bytes)),
      data: (address, port, bytes) => this.heard.push(`${address}:${port} ${Buffer.from(bytes)}`),
      event: (event) => this.events.push(event),
    },
  });

  request(): StunMessage {
    const decoded = decodeStun(this.sent.at(-1) ?? Buffer.alloc(0));
    assert.ok(decoded.ok);
    return decoded.value;
  }
  answer(messageClass: MessageClass, fill: (writer: StunWriter) => void, now = 0): void {
    const { method, transactionId } = this.request();
    const writer = new StunWriter().begin(new Uint8Array(600), method, messageClass, transactionId);
    fill(writer);
    this.client.handleDatagram(writer.bytes, now);
  }
  challenge(code = 401): void {
    this.answer(MessageClass.Error, (writer) => {
      encodeErrorCode(writer, code);
      encodeText(writer, AttributeType.Realm, Buffer.from('example.org'));
      encodeText(writer, AttributeType.Nonce, Buffer.from(`nonce ${this.sent.length}`));
    });
  }
  allocated(): void {
    this.client.allocate(0);
    this.challenge();
    this.answer(MessageClass.Success, allocation);
  }
}

function allocation(writer: StunWriter): void {
  encodeXorAddress(writer, AttributeType.XorRelayedAddress, '203.0.113.30', 50_000);
  encodeXorAddress(writer, AttributeType.XorMappedAddress, '198.51.100.7', 4_000);
  encodeLifetime(writer, 600);
  encodeMessageIntegrity(writer, key);
}

test('RFC 8489 §6.2.1: sent at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, failed at 39500', () => {
  const play = new Play();
  const times: number[] = [0];
  play.client.allocate(0);
  for (let now = play.client.deadline(); now !== undefined; now = play.client.deadline()) {
    const before = play.sent.length;
    play.client.handleTimeouts(now);
    if (play.sent.length > before) times.push(now);
    else assert.equal(now, 39_500);
  }
  assert.deepEqual(times, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
  assert.ok(play.sent.every((bytes) => bytes.equals(play.sent[0] ?? Buffer.alloc(0))));
  const [event] = play.events;
  assert.equal(event?.type === 'ended' && event.failure?.code, 'SLP-AV-0102');
});

test('the first request carries no credentials, the next all of them', () => {
  const play = new Play();
  play.client.allocate(0);
  assert.ok(!play.request().hasIntegrity && !play.request().has(AttributeType.Username));
  play.challenge();
  assert.ok(play.request().hasIntegrity && play.request().has(AttributeType.Nonce));
  play.answer(MessageClass.Success, allocation);
  const [event] = play.events;
  assert.ok(event?.type === 'allocated');
  assert.deepEqual(event.relayed, { address: '203.0.113.30', port: 50_000 });
  assert.deepEqual(event.mapped, { address: '198.51.100.7', port: 4_000 });
});

test('a second 401 means that the credentials are refused', () => {
  const play = new Play();
  play.client.allocate(0);
  play.challenge();
  play.challenge();
  const [event] = play.events;
  assert.equal(event?.type === 'ended' && event.failure?.code, 'SLP-AV-0104');
});

test('a server that calls every nonce stale is given up', () => {
  const play = new Play();
  play.client.allocate(0);
  for (let count = 0; count < 10 && play.events.length === 0; count++) play.challenge(438);
  const [event] = play.events;
  assert.equal(event?.type === 'ended' && event.failure?.code, 'SLP-AV-0107');
  assert.equal(play.sent.length, 4);
});

test('answers without the right integrity are ignored, and told at the end', () => {
  const play = new Play();
  play.client.allocate(0);
  play.challenge();
  play.answer(MessageClass.Success, (writer) => {
    encodeXorAddress(writer, AttributeType.XorRelayedAddress, '203.0.113.66', 1);
    encodeXorAddress(writer, AttributeType.XorMappedAddress, '198.51.100.7', 1);
    encodeLifetime(writer, 600);
  });
  play.answer(MessageClass.Error, (writer) => encodeErrorCode(writer, 400));
  assert.equal(play.events.length, 0);
  assert.equal(play.client.drops.get('unauthenticated-answer'), 2);
  for (let now = play.client.deadline(); now !== undefined; now = play.client.deadline()) {
    play.client.handleTimeouts(now);
  }
  const [event] = play.events;
  assert.equal(event?.type === 'ended' && event.failure?.code, 'SLP-AV-0103');
});

test('300 names the other server', () => {
  const play = new Play();
  play.client.allocate(0);
  play.answer(MessageClass.Error, (writer) => {
    encodeErrorCode(writer, 300);
    encodeMappedAddress(writer, AttributeType.AlternateServer, '203.0.113.31', 3_478);
  });
  const [event] = play.events;
  assert.ok(event?.type === 'ended');
  assert.deepEqual(event.alternate, { address: '203.0.113.31', port: 3_478 });
});

test('the allocation is refreshed a minute before its end', () => {
  const play = new Play();
  play.allocated();
  assert.equal(play.client.deadline(), 540_000);
  play.client.handleTimeouts(540_000);
  assert.equal(play.request().method, Method.Refresh);
});

test('data of peers that were never permitted, and of unknown channels, are dropped', () => {
  const play = new Play();
  play.allocated();
  const writer = new StunWriter().begin(
    new Uint8Array(100),
    Method.Data,
    MessageClass.Indication,
    Buffer.alloc(12),
  );
  encodeXorAddress(writer, AttributeType.XorPeerAddress, '192.0.2.1', 7);
  writer.put(AttributeType.Data, Buffer.from('spam'));
  play.client.handleDatagram(writer.bytes, 1);
  play.client.handleDatagram(Buffer.from('4000000178', 'hex'), 1);
  play.client.handleDatagram(Buffer.from('40000009', 'hex'), 1);
  play.client.handleDatagram(Buffer.alloc(8, 0xff), 1);
  assert.deepEqual(play.heard, []);
  const drops = ['no-permission', 'no-channel', 'malformed-data', 'not-stun'] as const;
  assert.deepEqual(
    drops.map((reason) => play.client.drops.get(reason)),
    [1, 1, 1, 1],
  );
});

test('peers are bounded, and no address is asked for twice', () => {
  const play = new Play();
  play.allocated();
  assert.ok(play.client.permit('192.0.2.1', 1, 0));
  assert.ok(play.client.permit('192.0.2.2', 1, 0));
  const { length } = play.sent;
  assert.ok(play.client.permit('192.0.2.1', 2, 0));
  assert.equal(play.client.permit('192.0.2.3', 1, 0), false);
  assert.equal(play.client.permit('nowhere', 1, 0), false);
  assert.equal(play.sent.length, length);
  assert.equal(play.client.bindChannel('192.0.2.1', 1, 0), 0x4000);
  assert.equal(play.client.bindChannel('192.0.2.1', 1, 0), 0x4000);
  assert.equal(play.client.bindChannel('192.0.2.1', 2, 0), 0x4001);
  assert.equal(play.client.bindChannel('192.0.2.1', 3, 0), undefined);
});

test('before an allocation there is nothing to command', () => {
  const play = new Play();
  assert.equal(play.client.permit('192.0.2.1', 1, 0), false);
  assert.equal(play.client.bindChannel('192.0.2.1', 1, 0), undefined);
  assert.equal(play.client.send('192.0.2.1', 1, Buffer.from('x')), false);
  play.client.deallocate(0);
  assert.deepEqual(play.events, [{ type: 'ended' }]);
  assert.throws(() => play.client.allocate(0));
});
