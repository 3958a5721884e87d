import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock, SeededRandom } from '#kernel';
import { MessageClass } from '#protocols/stun';
import { imaginedServer, SEEN_ADDRESS, sntpAnswer, stunAnswer } from '../testing/imagined-server.ts';
import { decodeSntpAnswer, encodeSntpRequest } from './sntp-message.ts';
import { askStunServer } from './stun-server.ts';
import { askTimeServer } from './time-server.ts';

const WALL = Date.UTC(2026, 0, 1);
const world = () => ({
  clock: new ManualClock({ wall: WALL }),
  random: new SeededRandom(7),
  waits: [50, 50, 400],
});

test('a time server tells how far the clock is off', async (context) => {
  const server = await imaginedServer(context, (request) => [sntpAnswer(request, WALL + 90_500)]);
  const offset = await askTimeServer(server, '127.0.0.1', world());
  assert.deepEqual(offset, { ok: true, value: { seconds: 90.5, uncertainty: 0 } });
});

test('half of the way there and back is what may be wrong', async (context) => {
  const { clock, ...rest } = world();
  const server = await imaginedServer(context, (request) => {
    clock.advance(200);
    return [sntpAnswer(request, WALL)];
  });
  const offset = await askTimeServer(server, undefined, { clock, ...rest });
  assert.deepEqual(offset, { ok: true, value: { seconds: -0.1, uncertainty: 0.1 } });
});

test('an answer to another request, from a refusing or a lost server, is passed over; the next one counts', async (context) => {
  const server = await imaginedServer(context, (request, _, attempt) => {
    if (attempt === 0) return [];
    return [
      Buffer.from('nonsense'),
      sntpAnswer(request, WALL, (bytes) => bytes.fill(0, 24, 32)),
      sntpAnswer(request, WALL, (bytes) => bytes.fill(0, 1, 2)),
      sntpAnswer(request, WALL, (bytes) => bytes.fill(0xe4, 0, 1)),
      sntpAnswer(request, WALL + 1000),
    ];
  });
  const offset = await askTimeServer(server, '127.0.0.1', world());
  assert.deepEqual(offset.ok && offset.value.seconds, 1);
});

test('no answer, one that means nothing, and nobody there', async (context) => {
  const dumb = await imaginedServer(context, () => []);
  const waits = [10, 10];
  assert.deepEqual(await askTimeServer(dumb, '127.0.0.1', { ...world(), waits }), {
    ok: false,
    error: 'no-answer',
  });
  const odd = await imaginedServer(context, () => [Buffer.from('x')]);
  assert.deepEqual(await askStunServer(odd, '127.0.0.1', new SeededRandom(1), waits), {
    ok: false,
    error: 'not-understood',
  });
  const foreign = await askStunServer(odd, '192.0.2.77', new SeededRandom(1), waits);
  assert.deepEqual(foreign, { ok: false, error: 'unreachable' });
});

test('a STUN server tells which address it saw', async (context) => {
  const server = await imaginedServer(context, (request, from) => {
    const id = request.subarray(8, 20);
    const answer = (transactionId: Uint8Array, messageClass: MessageClass): Uint8Array =>
      stunAnswer(transactionId, messageClass, from.port);
    return [
      answer(new Uint8Array(12), MessageClass.Success),
      answer(id, MessageClass.Error),
      answer(id, MessageClass.Success),
    ];
  });
  const seen = await askStunServer(server, '127.0.0.1', new SeededRandom(3), [400]);
  assert.deepEqual(seen, { ok: true, value: SEEN_ADDRESS });
});

test('a request is a client of version 4 and says nothing about this host', () => {
  const bytes = encodeSntpRequest(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  assert.equal(bytes[0], 0x23);
  assert.deepEqual([...bytes.subarray(1, 40)], Array(39).fill(0));
  assert.throws(() => encodeSntpRequest(new Uint8Array(7)), RangeError);
});

test('times are read in the era that is nearest [RFC 5905 §6]', () => {
  const nonce = new Uint8Array(8);
  const times = fc.integer({ min: Date.UTC(1975), max: Date.UTC(2100) });
  fc.assert(
    fc.property(times, (time) => {
      const answer = decodeSntpAnswer(sntpAnswer(encodeSntpRequest(nonce), time), nonce, time + 3_600_000);
      assert.ok(answer.ok && Math.abs(answer.value.answeredAt - time) < 1);
    }),
  );
});

test('no datagram makes it fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const answer = decodeSntpAnswer(bytes, new Uint8Array(8), WALL);
      if (answer.ok) assert.ok(Number.isFinite(answer.value.answeredAt));
    }),
  );
});
