import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { longTermKey } from '#protocols/stun';
import { type MediaKey, MediaTokenIssuer, MediaTokenVerifier, mediaKeyText, parseMediaKey } from './index.ts';

function keyOf(fill: number): MediaKey {
  const parsed = parseMediaKey(Buffer.from(mediaKeyText(Buffer.alloc(32, fill))));
  assert.ok(parsed.ok);
  return parsed.value;
}

const current = keyOf(1);
const previous = keyOf(2);
const wall = 1_800_000_000_000;
const inAnHour = wall + 3_600_000;

test('a token is good as base64 text, keyed by the texts', () => {
  const token = new MediaTokenIssuer(current).issue('sip:alice@example.test', inAnHour);
  assert.equal(token.username.length, 72);
  assert.equal(token.password.length, 28);
  const found = new MediaTokenVerifier([{ key: current, until: Number.POSITIVE_INFINITY }]).lookup(
    Buffer.from(token.username),
    'example.test',
    wall,
  );
  assert.ok(found.ok);
  assert.deepEqual(
    found.value.keys[0],
    longTermKey(Buffer.from(token.username), 'example.test', token.password),
  );
  assert.ok(found.value.expires <= inAnHour && found.value.expires > inAnHour - 2);
});

test('a token is good as the bytes that the text stands for, keyed by the bytes', () => {
  const token = new MediaTokenIssuer(current).issue('sip:alice@example.test', inAnHour);
  const username = Buffer.from(token.username, 'base64');
  assert.equal(username.length, 52);
  assert.deepEqual([...username.subarray(0, 4)], [1, 0, 0, 32]);
  // A plain Uint8Array inside a larger buffer, as an attribute of a message is.
  const message = new Uint8Array(100);
  message.set(username, 24);
  const found = new MediaTokenVerifier([{ key: current, until: Number.POSITIVE_INFINITY }]).lookup(
    message.subarray(24, 76),
    'r',
    wall,
  );
  assert.ok(found.ok);
  assert.deepEqual(found.value.keys[0], longTermKey(username, 'r', Buffer.from(token.password, 'base64')));
});

test('the same identity is the same user, whatever the expiry; another identity is another', () => {
  const issuer = new MediaTokenIssuer(current);
  const verifier = new MediaTokenVerifier([{ key: current, until: Number.POSITIVE_INFINITY }]);
  const userOf = (identity: string, expires: number) => {
    const found = verifier.lookup(Buffer.from(issuer.issue(identity, expires).username), 'r', wall);
    assert.ok(found.ok);
    return found.value.user;
  };
  assert.equal(userOf('sip:a@example.test', inAnHour), userOf('sip:a@example.test', inAnHour + 999));
  assert.notEqual(userOf('sip:a@example.test', inAnHour), userOf('sip:b@example.test', inAnHour));
});

test('an expired token is refused from its expiry on', () => {
  const token = new MediaTokenIssuer(current).issue('sip:alice@example.test', inAnHour);
  const verifier = new MediaTokenVerifier([{ key: current, until: Number.POSITIVE_INFINITY }]);
  const username = Buffer.from(token.username);
  assert.ok(verifier.lookup(username, 'r', inAnHour - 2).ok);
  assert.deepEqual(verifier.lookup(username, 'r', inAnHour), { ok: false, error: 'expired' });
});

test('a token of the previous key is good while that key is honoured', () => {
  const token = new MediaTokenIssuer(previous).issue('sip:alice@example.test', inAnHour);
  const username = Buffer.from(token.username);
  const found = new MediaTokenVerifier([
    { key: current, until: Number.POSITIVE_INFINITY },
    { key: previous, until: Number.POSITIVE_INFINITY },
  ]).lookup(username, 'r', wall);
  assert.ok(found.ok);
  assert.deepEqual(found.value.keys[0], longTermKey(username, 'r', token.password));
  assert.deepEqual(
    new MediaTokenVerifier([{ key: current, until: Number.POSITIVE_INFINITY }]).lookup(username, 'r', wall),
    {
      ok: false,
      error: 'unknown',
    },
  );
});

test('no bit of a token can be changed', () => {
  const verifier = new MediaTokenVerifier([
    { key: current, until: Number.POSITIVE_INFINITY },
    { key: previous, until: Number.POSITIVE_INFINITY },
  ]);
  const raw = Buffer.from(
    new MediaTokenIssuer(current).issue('sip:alice@example.test', inAnHour).username,
    'base64',
  );
  for (let bit = 0; bit < raw.length * 8; bit += 1) {
    const changed = Buffer.from(raw);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    assert.deepEqual(verifier.lookup(changed, 'r', wall), { ok: false, error: 'unknown' });
  }
});

test('a token has one spelling: other base64 of the same bytes is unknown', () => {
  const { username } = new MediaTokenIssuer(current).issue('sip:alice@example.test', inAnHour);
  const verifier = new MediaTokenVerifier([{ key: current, until: Number.POSITIVE_INFINITY }]);
  const spellings = [
    username.replaceAll('=', 'A'),
    `${username.slice(0, 71)}!`,
    username.replaceAll('+', '-'),
  ];
  for (const spelling of spellings.filter((text) => text !== username)) {
    assert.deepEqual(verifier.lookup(Buffer.from(spelling), 'r', wall), { ok: false, error: 'unknown' });
  }
});

test('property: tokens verify, and never begin or end with bytes that a client would trim', () => {
  const issuer = new MediaTokenIssuer(current);
  const verifier = new MediaTokenVerifier([
    { key: previous, until: Number.POSITIVE_INFINITY },
    { key: current, until: Number.POSITIVE_INFINITY },
  ]);
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 260_000 }), (identity, minutes) => {
      const token = issuer.issue(identity, wall + minutes * 60_000);
      assert.deepEqual(token, issuer.issue(identity, wall + minutes * 60_000));
      for (const text of [token.username, token.password]) {
        const raw = Buffer.from(text, 'base64');
        assert.notEqual(raw.at(0), 0x22);
        assert.ok(raw.at(-1) !== 0x22 && raw.at(-1) !== 0);
      }
      assert.ok(verifier.lookup(Buffer.from(token.username), 'realm', wall).ok);
    }),
    { numRuns: 1_000 },
  );
});

test('some tokens had to be minted again, so that the rule is exercised', () => {
  const issuer = new MediaTokenIssuer(current);
  const filetime = (BigInt(inAnHour) + 11_644_473_600_000n) * 10_000n;
  let again = 0;
  for (let n = 0; n < 1_000; n += 1) {
    const raw = Buffer.from(issuer.issue(`sip:user${n}@example.test`, inAnHour).username, 'base64');
    const ticks = BigInt(raw.readUInt32BE(4)) | (BigInt(raw.readUInt32BE(8)) << 32n);
    assert.ok(ticks <= filetime && ticks > filetime - 16n);
    if (ticks !== filetime) again += 1;
  }
  assert.ok(again > 0 && again < 100, `${again} of 1000`);
});

test('key files: white space is ignored, everything else is exact', () => {
  const text = mediaKeyText(Buffer.alloc(32, 7));
  assert.ok(parseMediaKey(Buffer.from(`  ${text}\r\n`)).ok);
  for (const bad of [
    '',
    'short',
    'A'.repeat(40),
    `${text}${text}`,
    Buffer.alloc(100).toString('base64'),
    'é'.repeat(44),
  ]) {
    const parsed = parseMediaKey(Buffer.from(bad));
    assert.ok(!parsed.ok && parsed.error.code === 'SLP-AV-0201', bad);
    assert.ok(bad === '' || !parsed.error.message.includes(bad.slice(0, 5)), 'the message holds no key');
  }
  assert.throws(() => mediaKeyText(Buffer.alloc(16)), RangeError);
});

test('a token is worth nothing from the end of its key on, and says so when it is looked up', () => {
  const token = new MediaTokenIssuer(previous).issue('sip:alice@example.test', inAnHour);
  const until = wall + 60_000;
  const verifier = new MediaTokenVerifier([{ key: previous, until }]);
  const found = verifier.lookup(Buffer.from(token.username), 'r', wall);
  assert.ok(found.ok && found.value.expires === until);
  assert.ok(!verifier.lookup(Buffer.from(token.username), 'r', until).ok);
});
