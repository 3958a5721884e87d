import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipFlow } from '#platform/sip-endpoint';
import { asRequest, asResponse, request, sipText } from '../testing/messages.ts';
import { LentRequests } from './lent-requests.ts';

const limits = { requests: 4, characters: 100_000 };
const FLOW = { id: 1 } as SipFlow;
const OTHER_FLOW = { id: 2 } as SipFlow;
const OWNER = { worker: 1, by: 'flow' } as const;

function message(callId: string, method = 'MESSAGE', fields: Record<string, string> = {}) {
  return asRequest(request(method, 'sip:bob@example.com', { 'Call-ID': callId, ...fields }, 'a body'));
}
function left(lent: LentRequests, now = 0): string[] {
  return lent.takeLeft(1, now).map(({ request }) => request.callId);
}

test('what a worker leaves is what it was lent and has not answered, and nothing of another one', () => {
  const lent = new LentRequests(limits);
  lent.add(message('a'), FLOW, OWNER, 0);
  lent.handleAnswered(lent.add(message('b'), FLOW, OWNER, 0));
  lent.add(message('c'), FLOW, { worker: 2, by: 'partner' }, 0);
  lent.add(message('d'), OTHER_FLOW, OWNER, 0);
  lent.handleClosed(OTHER_FLOW);
  const [first, ...more] = lent.takeLeft(1, 0);
  assert.deepEqual(
    [first?.request.callId, first?.request.method, first?.flow, first?.by],
    ['a', 'MESSAGE', FLOW, 'flow'],
  );
  assert.deepEqual(more, []);
  assert.deepEqual(left(lent), []);
  assert.equal(lent.size, 1);
});

test('nobody waits for an answer to an ACK, to a BENOTIFY, or to an answer', () => {
  const lent = new LentRequests(limits);
  const answer = sipText([
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/TLS a.example;branch=z9hG4bK1',
    'From: <sip:a@example.com>;tag=a',
    'To: <sip:b@example.com>;tag=b',
    'Call-ID: c',
    'CSeq: 1 MESSAGE',
  ]);
  for (const one of [message('a', 'ACK'), message('b', 'BENOTIFY'), asResponse(answer)])
    assert.equal(lent.add(one, FLOW, OWNER, 0), 0);
  assert.equal(lent.size, 0);
});

test('beyond either limit the oldest give way', () => {
  const many = new LentRequests(limits);
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) many.add(message(id), FLOW, OWNER, 0);
  assert.deepEqual(left(many), ['c', 'd', 'e', 'f']);
  const long = new LentRequests({ requests: 100, characters: 3000 });
  for (const id of ['a', 'b', 'c'])
    long.add(message(id, 'MESSAGE', { Subject: 'x'.repeat(1000) }), FLOW, OWNER, 0);
  assert.deepEqual(left(long), ['b', 'c']);
  // What has left counts no more.
  for (const id of ['d', 'e'])
    long.add(message(id, 'MESSAGE', { Subject: 'x'.repeat(1000) }), FLOW, OWNER, 0);
  assert.deepEqual(left(long), ['d', 'e']);
});

test('a request is remembered for as long as its sender waits: 32 s, and an INVITE until it is silent for 240 s', () => {
  const lent = new LentRequests(limits);
  lent.add(message('a'), FLOW, OWNER, 0);
  assert.deepEqual(left(lent, 32_000), []);
  lent.add(message('b'), FLOW, OWNER, 0);
  assert.deepEqual(left(lent, 31_999), ['b']);

  const invite = lent.add(message('c', 'INVITE'), FLOW, OWNER, 0);
  lent.handleRinging(invite, undefined, 200_000);
  lent.handleRinging(invite, 'first', 300_000);
  lent.handleRinging(invite, 'second', 400_000);
  const [ringing] = lent.takeLeft(1, 639_999);
  assert.deepEqual([ringing?.request.callId, ringing?.toTag], ['c', 'first']);
  lent.handleRinging(invite, 'late', 640_000);
  lent.add(message('d', 'INVITE'), FLOW, OWNER, 0);
  assert.deepEqual(left(lent, 240_000), []);

  for (const id of ['e', 'f', 'g']) lent.add(message(id), FLOW, OWNER, 0);
  lent.add(message('h'), FLOW, OWNER, 32_000);
  assert.equal(lent.size, 1);
});
