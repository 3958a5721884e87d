import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asRequest, request } from '../testing/messages.ts';
import { Seal } from './index.ts';
import { Trails } from './trails.ts';

const secret = Buffer.alloc(32, 1);
const trails = new Trails(new Seal({ current: secret, others: [] }), 'sip.example.com');
type Fields = Parameters<typeof request>[2];
const BRANCH = 'z9hG4bKaaaabbbbcccc17';
const via = (trail: string, branch = BRANCH) => `SIP/2.0/TLS sip.example.com:443;branch=${branch}${trail}`;
const trailOf = (fields: Fields = {}, uri = 'sip:carol@example.com', by = trails) =>
  by.of(asRequest(request('INVITE', uri, fields)));
const below = (trail: string | undefined, branch?: string): Fields => ({
  Via: ['SIP/2.0/TLS fe1.corp.example;branch=z9hG4bKfe', via(trail ?? assert.fail('looped'), branch)],
});

test('the same request with its own print below has looped, from whichever worker and edge of the pool it went', () => {
  const trail = trailOf();
  assert.match(trail ?? '', /^-[0-9a-f]{16}$/);
  assert.equal(trailOf(below(trail)), undefined);
  assert.equal(trailOf(below(trail, 'z9hG4bKw12.aaaabbbbcccc17')), undefined, 'of another worker');
  const elsewhere = new Trails(new Seal({ current: secret, others: [] }), 'sip.example.com');
  assert.equal(trailOf(below(trail), 'sip:carol@example.com', elsewhere), undefined);
});

test('whatever decides where a request goes makes it another one (RFC 5393 §4.2), and what does not leaves it the same', () => {
  const plain = trailOf();
  const others: [Fields, string?][] = [
    [{}, 'sip:dave@example.com'],
    [{ Route: '<sip:TOKEN@edge1.corp.example;lr>' }],
    [{ 'Call-ID': 'call2' }],
    [{ CSeq: '2 INVITE' }],
    [{ From: '<sip:alice@example.com>;tag=a2' }],
    [{ To: '<sip:carol@example.com>;tag=c1' }],
    [{ 'Proxy-Require': 'x' }],
    [{ 'Proxy-Authorization': 'Digest username="alice"' }],
  ];
  const seen = new Set([plain]);
  for (const [fields, uri] of others) {
    const trail = trailOf({ ...fields, ...below(plain) }, uri);
    assert.ok(trail?.endsWith(plain ?? ''), JSON.stringify(fields));
    seen.add(trailOf(fields, uri));
  }
  assert.equal(seen.size, others.length + 1);
  // RFC 3261 §16.6 step 8: an ACK and a CANCEL have to follow their INVITE.
  assert.equal(trails.of(asRequest(request('ACK', 'sip:carol@example.com'))), plain);
  const same = { From: '"A" <sip:alice@example.com>;tag=a1', 'Max-Forwards': '3', Subject: 'other' };
  assert.equal(trailOf(same), plain);
});

test('the prints of earlier rounds stay, the latest first, and no more of them than fifteen', () => {
  let trail = trailOf({}, 'sip:0@example.com') ?? '';
  const first = trail;
  for (let round = 1; round < 40; round++) {
    const next = trailOf(below(trail), `sip:${round}@example.com`) ?? assert.fail('a spiral is no loop');
    assert.ok(next.endsWith(trail.split('-').slice(0, 16).join('-')));
    trail = next;
  }
  assert.equal(trail.split('-').length, 1 + 16);
  assert.equal(trailOf(below(trail), 'sip:30@example.com'), undefined, 'ten rounds ago');
  assert.ok(!trail.includes(first), 'what is older than that ends by its Max-Forwards');
});

test('a Via is ours by its host, the form of its branch and a print that nobody else can make', () => {
  const trail = trailOf() ?? '';
  const foreign = [
    `SIP/2.0/TLS elsewhere.example;branch=${BRANCH}${trail}`,
    `SIP/2.0/TLS sip.example.com;branch=z9hG4bK${trail}`,
    `SIP/2.0/TLS sip.example.com;branch=z9hG4bKaaaabbbbcccc17${trail}0`,
    `SIP/2.0/TLS sip.example.com;branch=z9hG4bKAAAABBBBCCCC17${trail}`,
    `SIP/2.0/TLS sip.example.com;branch=x${BRANCH}${trail}`,
    `SIP/2.0/TLS sip.example.com;x=${BRANCH}${trail}`,
    'SIP/2.0/TLS sip.example.com',
  ];
  assert.equal(trailOf({ Via: foreign }), trail);
  const other = new Trails(new Seal({ current: Buffer.alloc(32, 2), others: [] }), 'sip.example.com');
  const without = trailOf({}, 'sip:carol@example.com', other);
  assert.notEqual(without, trail, 'it takes the key');
  assert.notEqual(trailOf(below(without)), undefined);
});
