import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildRequest } from '../messages/build.ts';
import { sipLimits } from '../messages/limits.ts';
import { parseSipMessage } from '../messages/parse.ts';
import { eventOf, formatEvent } from './event.ts';
import {
  formatSubscriptionState,
  type SubscriptionState,
  subscriptionStateOf,
  terminationReasons,
} from './subscription-state.ts';

function notify(...headers: (readonly [string, string])[]) {
  const bytes = buildRequest({
    method: 'NOTIFY',
    uri: 'sip:watcher@example.com',
    headers: [
      ['Via', 'SIP/2.0/TLS a.example;branch=z9hG4bKn'],
      ['From', '<sip:a@example.com>;tag=a'],
      ['To', '<sip:b@example.com>;tag=b'],
      ['Call-ID', 'c'],
      ['CSeq', '1 NOTIFY'],
      ...headers,
    ],
  });
  const parsed = parseSipMessage(bytes, sipLimits);
  assert.ok(parsed.ok);
  return parsed.value;
}

test('RFC 6665 §8.2.1: an event is a package, perhaps with an id; also by its short name', () => {
  const event = (text: string, name = 'Event') => eventOf(notify([name, text]));
  assert.deepEqual(event('presence'), { package: 'presence' });
  assert.deepEqual(event('Presence.WInfo ; ID = 7a', 'o'), { package: 'presence.winfo', id: '7a' });
  assert.deepEqual(event('presence;x;y=z'), { package: 'presence' });
  assert.equal(event('presence, dialog'), undefined);
  assert.equal(event('pre sence'), undefined);
  assert.equal(eventOf(notify()), undefined);
  assert.equal(eventOf(notify(['Event', 'presence'], ['Event', 'dialog'])), undefined);
  assert.equal(formatEvent({ package: 'presence', id: '7a' }), 'presence;id=7a');
});

test('RFC 6665 §8.2.3: a state with its time or its reason', () => {
  const state = (text: string) => subscriptionStateOf(notify(['Subscription-State', text]));
  assert.deepEqual(state('active;expires=3599'), { state: 'active', expires: 3599 });
  assert.deepEqual(state('Pending'), { state: 'pending' });
  assert.deepEqual(state('terminated;reason=probation;retry-after=60'), {
    ...{ state: 'terminated', reason: 'probation', retryAfter: 60 },
  });
  assert.deepEqual(state('terminated;reason=boredom'), { state: 'terminated' });
  assert.deepEqual(state('waiting'), { state: 'active' });
  assert.equal(subscriptionStateOf(notify()), undefined);
});

test('every state is written and read as the same', () => {
  const states: SubscriptionState[] = [
    { state: 'active' },
    { state: 'pending', expires: 0 },
    { state: 'terminated' },
    ...terminationReasons.map((reason) => ({ state: 'terminated', reason, retryAfter: 5 }) as const),
  ];
  for (const state of states) {
    assert.deepEqual(
      subscriptionStateOf(notify(['Subscription-State', formatSubscriptionState(state)])),
      state,
    );
  }
});
