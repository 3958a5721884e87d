import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges, type ConferenceInfo } from '#protocols/conference';
import { type CallWords, FocusStage, GUEST } from './testing/focus-stage.ts';

const EVENT = [['Event', 'conference']] as const;

function subscribes(stage: FocusStage, id: string, words: CallWords = {}) {
  const { callId } = stage.sends('SUBSCRIBE', id, { headers: EVENT, fromTag: 's', ...words });
  const response = stage.response(200);
  stage.passes(0);
  stage.network.clock.advance(0);
  stage.network.settle();
  return { response, inDialog: { ...words, fromTag: 's', callId, toTag: response.to.tag ?? '' } };
}
const namesIn = (info: ConferenceInfo | undefined) => info?.users?.list.map(({ displayText }) => displayText);

test('who takes part may know who else does: the whole first, then what changes, at most every five seconds', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  stage.joins(id, { name: 'Alice' });
  const { response } = subscribes(stage, id);
  assert.equal(response.header('Expires'), '3600');
  const first = stage.notified();
  assert.ok(first.info !== undefined);
  assert.equal(first.request.header('Subscription-State'), 'active;expires=3600');
  assert.equal(first.request.header('Event'), 'conference');
  assert.deepEqual([first.info.state, first.info.version, first.info.subject], ['full', 1, 'Budget']);
  assert.deepEqual(namesIn(first.info), ['Alice']);
  const carol = stage.joins(id, { from: 'carol@example.com', name: 'Carol' });
  stage.joins(id, { from: 'dave@example.com', name: 'Dave' });
  stage.passes(4000);
  assert.deepEqual(stage.hop.take(), []);
  stage.passes(1500);
  const { info: second } = stage.notified();
  assert.deepEqual([second?.state, second?.version, second?.userCount], ['partial', 2, 3]);
  assert.deepEqual(namesIn(second), ['Carol', 'Dave']);
  stage.meeting(id).setLocked(true);
  stage.sends('BYE', id, { ...carol.inDialog, cseq: 2 });
  stage.response(200);
  stage.passes(5500);
  const { info: third } = stage.notified();
  assert.ok(second !== undefined && third !== undefined);
  assert.equal(third.locked, true);
  assert.deepEqual(
    third.users?.list.map(({ state }) => state),
    ['deleted'],
  );
  const told = applyChanges(first.info, second);
  assert.ok(typeof told === 'object');
  const known = applyChanges(told, third);
  assert.ok(typeof known === 'object');
  assert.deepEqual(namesIn(known), ['Alice', 'Dave']);
});

test('colleagues see addresses, guests and partners see numbers', () => {
  const stage = new FocusStage();
  const { id, key } = stage.create();
  stage.joins(id);
  stage.joins(id, { from: 'bob@partner.example', mark: 'federated' });
  stage.guestSends('INVITE', id, key, { name: 'Grace' });
  stage.hop.take();
  const entitiesFor = (ask: () => void) => {
    ask();
    stage.response(200);
    stage.network.clock.advance(0);
    stage.network.settle();
    return stage.notified().info?.users?.list.map(({ entity }) => entity);
  };
  const numbers = [1, 2, 3].map((number) => `sip:participant-${number}@anonymous.invalid`);
  assert.deepEqual(
    entitiesFor(() => stage.sends('SUBSCRIBE', id, { headers: EVENT })),
    ['sip:alice@example.com', 'sip:bob@partner.example', numbers[2]],
  );
  assert.deepEqual(
    entitiesFor(() => stage.guestSends('SUBSCRIBE', id, key, { headers: EVENT })),
    numbers,
  );
  assert.deepEqual(
    entitiesFor(() =>
      stage.sends('SUBSCRIBE', id, { headers: EVENT, from: 'bob@partner.example', mark: 'federated' }),
    ),
    numbers,
  );
});

test('nobody else is told anything, and a guest proves the key again', () => {
  const stage = new FocusStage();
  const { id, key } = stage.create();
  stage.joins(id);
  stage.sends('SUBSCRIBE', id, { headers: EVENT, from: 'carol@example.com' });
  stage.response(480);
  stage.guestSends('SUBSCRIBE', id, 'AAAAAAAAAAAAAAAA', { headers: EVENT });
  stage.response(403);
  stage.guestSends('SUBSCRIBE', id, key, { headers: EVENT });
  stage.response(480);
  stage.sends('SUBSCRIBE', 'zzzzzzzzzzzzzzzz', { headers: EVENT });
  stage.response(480);
  stage.passes(6000);
  assert.deepEqual(stage.hop.take(), []);
});

test('a refresh brings the whole, an unsubscribe the last word, a poll one document', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  stage.joins(id);
  const { inDialog } = subscribes(stage, id);
  stage.notified();
  stage.sends('SUBSCRIBE', id, { ...inDialog, headers: [...EVENT, ['Expires', '600']], cseq: 2 });
  assert.equal(stage.response(200).header('Expires'), '600');
  stage.passes(1500);
  const { info } = stage.notified();
  assert.deepEqual([info?.state, info?.version], ['full', 2]);
  stage.sends('SUBSCRIBE', id, { ...inDialog, headers: [...EVENT, ['Expires', '0']], cseq: 3 });
  stage.response(200);
  assert.equal(stage.notified().request.header('Subscription-State'), 'terminated;reason=timeout');
  assert.equal(stage.focus.subscriptions, 0);
  stage.sends('SUBSCRIBE', id, { headers: [...EVENT, ['Expires', '0']] });
  stage.response(200);
  const poll = stage.notified();
  assert.equal(poll.info?.state, 'full');
  assert.match(poll.request.header('Subscription-State') ?? '', /^terminated/);
  stage.sends('SUBSCRIBE', id, { headers: [...EVENT, ['Expires', '30']] });
  assert.equal(stage.response(423).header('Min-Expires'), '60');
});

test('a subscription ends with its time, with the participant and with the meeting (RFC 4575 §3.3)', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  const alice = stage.joins(id);
  stage.joins(id, { from: 'carol@example.com' });
  const ended = () => stage.notified().request.header('Subscription-State');
  subscribes(stage, id, { headers: [...EVENT, ['Expires', '60']] });
  stage.notified();
  stage.passes(61_000);
  assert.equal(ended(), 'terminated;reason=timeout');
  subscribes(stage, id);
  stage.notified();
  stage.sends('BYE', id, { ...alice.inDialog, cseq: 2 });
  stage.response(200);
  assert.equal(ended(), 'terminated;reason=rejected');
  subscribes(stage, id, { from: 'carol@example.com' });
  stage.notified();
  stage.meeting(id).end();
  stage.meetings.flush();
  stage.network.settle();
  assert.equal(stage.hop.takeRequest('BYE').to.uri, 'sip:carol@example.com');
  assert.equal(ended(), 'terminated;reason=noresource');
  assert.equal(stage.focus.subscriptions, 0);
});

test('who takes no NOTIFY is told no more; who cannot be reached hears the whole later', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  stage.joins(id);
  subscribes(stage, id);
  stage.notified(481);
  assert.equal(stage.focus.subscriptions, 0);
  subscribes(stage, id);
  stage.notified();
  stage.reachable = false;
  stage.joins(id, { from: 'carol@example.com' });
  stage.passes(6000);
  assert.deepEqual(stage.hop.take(), []);
  stage.reachable = true;
  stage.passes(6000);
  const { info } = stage.notified();
  assert.deepEqual([info?.state, info?.userCount], ['full', 2]);
});

test('so many subscriptions of one participant, and of all, and no more', () => {
  const stage = new FocusStage();
  const { id, key } = stage.create();
  stage.joins(id);
  for (let number = 0; number < 4; number++) {
    subscribes(stage, id);
    stage.notified();
  }
  stage.sends('SUBSCRIBE', id, { headers: EVENT });
  stage.response(503);
  stage.guestSends('INVITE', id, key, { from: GUEST });
  stage.hop.take();
  stage.settings = { ...stage.settings, subscriptions: 4 };
  stage.guestSends('SUBSCRIBE', id, key, { headers: EVENT });
  stage.response(503);
});
