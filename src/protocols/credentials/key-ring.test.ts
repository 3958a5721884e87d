import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type MediaKeyRing,
  MediaTokenVerifier,
  mediaKeyText,
  parseMediaKeyRing,
  RingTokenIssuer,
} from './index.ts';

const MINUTE = 60_000;
const LIFETIME = 480;
const NOON = Date.parse('2026-03-01T12:00:00Z');

function ring(text: string): MediaKeyRing {
  const parsed = parseMediaKeyRing(Buffer.from(text));
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.message);
  return parsed.value;
}

function roll(of: MediaKeyRing, fill: number, from: number, wall: number): MediaKeyRing {
  const text = of.rolled(Buffer.alloc(32, fill), from, wall, LIFETIME);
  assert.ok(text.ok, text.ok ? '' : text.error.message);
  return ring(text.value);
}

function verifier(of: MediaKeyRing): MediaTokenVerifier {
  return new MediaTokenVerifier(of.keys.map((one) => ({ key: one.key, until: of.ends(one, LIFETIME) })));
}

function isGood(of: MediaKeyRing, username: string, wall: number): boolean {
  return verifier(of).lookup(Buffer.from(username), 'example.test', wall).ok;
}

test('a file with one key is a ring of one, used since ever', () => {
  const one = ring(mediaKeyText(Buffer.alloc(32, 1)));
  assert.equal(one.keys.length, 1);
  assert.equal(one.current(0), one.keys[0]);
  assert.equal(one.ends(one.keys[0], LIFETIME), Number.POSITIVE_INFINITY);
});

test('a roll: the new key is known before it is used, the old one counts until its last token ends', () => {
  const old = ring(mediaKeyText(Buffer.alloc(32, 1)));
  const turn = NOON + 60 * MINUTE;
  const rolled = roll(old, 2, turn, NOON);
  // An edge that has the new file, and one that does not have it yet.
  const issuer = new RingTokenIssuer(rolled);
  const late = new RingTokenIssuer(old);
  const before = issuer.issue('sip:a@x', turn - 1 + LIFETIME * MINUTE, turn - 1);
  assert.ok(
    isGood(old, before.username, turn - 1),
    'an edge without the new file knows what is issued before the turn',
  );
  const after = issuer.issue('sip:a@x', turn + LIFETIME * MINUTE, turn);
  assert.ok(!isGood(old, after.username, turn), 'the new key is in use');
  assert.ok(isGood(rolled, after.username, turn));
  assert.ok(isGood(rolled, before.username, turn + LIFETIME * MINUTE - 2), 'to its last token’s end');
  const forever = late.issue('sip:a@x', turn + 10 * LIFETIME * MINUTE, turn);
  assert.ok(isGood(rolled, forever.username, turn + LIFETIME * MINUTE - 1));
  assert.ok(!isGood(rolled, forever.username, turn + LIFETIME * MINUTE), 'whoever stole the old key is out');
});

test('an early token of the next key counts at once: clocks of a pool are never quite the same', () => {
  const rolled = roll(ring(mediaKeyText(Buffer.alloc(32, 1))), 2, NOON + MINUTE, NOON);
  const fast = new RingTokenIssuer(rolled).issue('sip:a@x', NOON + 10 * MINUTE, NOON + MINUTE);
  assert.ok(isGood(rolled, fast.username, NOON), 'on an edge whose clock is a minute behind');
});

test('keys that have ended leave the file with the next roll; their turns ascend', () => {
  const rolled = roll(ring(mediaKeyText(Buffer.alloc(32, 1))), 2, NOON, NOON - MINUTE);
  const much = NOON + (LIFETIME + 1) * MINUTE;
  const third = roll(rolled, 3, much + MINUTE, much);
  assert.deepEqual(
    third.keys.map(({ fingerprint }) => fingerprint),
    [rolled.keys[1]?.fingerprint, roll(third, 4, much + 2 * MINUTE, much).keys[1]?.fingerprint],
  );
  const refused = rolled.rolled(Buffer.alloc(32, 3), NOON, NOON, LIFETIME);
  assert.ok(!refused.ok && refused.error.code === 'SLP-AV-0402');
});

test('no more than a few keys at a time', () => {
  let many = ring(mediaKeyText(Buffer.alloc(32, 1)));
  for (let count = 1; count < 12; count++) many = roll(many, count + 1, NOON + count * MINUTE, NOON);
  const refused = many.rolled(Buffer.alloc(32, 99), NOON + 99 * MINUTE, NOON, LIFETIME);
  assert.ok(!refused.ok && refused.error.code === 'SLP-AV-0402');
});

test('everything that is no ring is refused', () => {
  const key = mediaKeyText(Buffer.alloc(32, 1)).trim();
  for (const text of [
    '',
    '\n\n',
    'nothing',
    `${key} from`,
    `${key} from tomorrow`,
    `${key} from 2026-13-01T00:00:00Z`,
    `${key} until 2026-01-01T00:00:00Z`,
    `${key}\n${key}`,
    `${key} from 2026-01-02T00:00:00Z\n${key} from 2026-01-01T00:00:00Z`,
    `${key} from 2026-01-02T00:00:00Z\n${key}`,
  ]) {
    const parsed = parseMediaKeyRing(Buffer.from(text));
    assert.ok(!parsed.ok && parsed.error.code === 'SLP-AV-0201', text);
  }
});
