import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayStore } from './gateway-store.ts';
import { messageSession } from './session-description.ts';
import { JULIET, ROMEO, Stage } from './testing/stage.ts';

const OFFER = messageSession('10.0.0.9', 1);
const SDP = [['Content-Type', 'application/sdp']] as const;
/** People of a partner that wants everything, and of one that does not. */
const greedy = (number: number) => `mallory${number}@greedy.example`;
const presence = (from: string, type: string, to = ROMEO) =>
  `<presence from='${from}' to='${to}' type='${type}'/>`;
const chat = (from: string) =>
  `<message from='${from}' to='${ROMEO}' id='m' type='chat'><body>hello</body></message>`;

test('one partner has its share of the subscriptions, and leaves the rest to others [setting xmppGateway.limits.partnerPercent]', () => {
  for (const [partnerPercent, most] of [
    [50, 2],
    [100, 4],
  ] as const) {
    const stage = new Stage({ subscriptions: 4, partnerPercent });
    for (let one = 1; one <= most; one++) {
      stage.arrives(presence(greedy(one), 'subscribe'));
      stage.gets('SUBSCRIBE');
    }
    assert.equal(stage.arrives(presence(greedy(9), 'subscribe')).done(), true);
    assert.match(stage.said()[0] ?? '', /<resource-constraint/);
    stage.arrives(presence(JULIET, 'subscribe'));
    if (partnerPercent === 100) assert.match(stage.said()[0] ?? '', /<resource-constraint/);
    else stage.gets('SUBSCRIBE');
  }
});

test('what a partner gives back it may have again, and a restart does not lose count', () => {
  const before = new Stage({ subscriptions: 4, partnerPercent: 25 });
  before.arrives(presence(greedy(1), 'subscribe'));
  before.gets('SUBSCRIBE');
  const stage = new Stage({ subscriptions: 4, partnerPercent: 25 }, before);
  stage.arrives(presence(greedy(2), 'subscribe'));
  assert.match(stage.said()[0] ?? '', /<resource-constraint/);
  stage.arrives(presence(greedy(1), 'unsubscribe'));
  assert.match(stage.said()[0] ?? '', /type="unsubscribed"/);
  stage.arrives(presence(greedy(2), 'subscribe'));
  assert.equal(stage.gets('SUBSCRIBE').from.uri, `sip:${greedy(2)}`);
});

test('probes of one partner do not keep others from asking', () => {
  const stage = new Stage({ partnerPercent: 1 });
  for (let one = 0; one < 10; one++) {
    stage.arrives(presence(greedy(one), 'probe'));
    stage.gets('SUBSCRIBE');
  }
  stage.arrives(presence(greedy(10), 'probe'));
  stage.isQuiet();
  stage.arrives(presence(JULIET, 'probe'));
  stage.gets('SUBSCRIBE');
  stage.wait(16_000);
  stage.arrives(presence(greedy(11), 'probe'));
  stage.gets('SUBSCRIBE');
});

test('subscriptions of our users to one partner leave room for those to another', () => {
  const stage = new Stage({ subscriptions: 2, partnerPercent: 50 });
  const watch = (who: string, status: number) => {
    const headers = [
      ['Event', 'presence'],
      ['Accept', 'application/pidf+xml'],
      ['Expires', '600'],
    ] as const;
    stage.asks('SUBSCRIBE', { to: `sip:${who}`, headers });
    assert.match(stage.sip.take()[0] ?? '', new RegExp(`^${status}`));
  };
  watch(greedy(1), 200);
  watch(greedy(2), 503);
  watch(JULIET, 200);
});

test('sessions that one partner opens leave room for others, those that nobody has answered yet too', () => {
  const stage = new Stage({ sessions: true, sessionsAtOnce: 2, partnerPercent: 50 });
  stage.arrives(chat(greedy(1)));
  stage.gets('INVITE');
  stage.arrives(chat(greedy(2)));
  // There is no session for it: it goes alone.
  stage.gets('MESSAGE');
  stage.arrives(chat(JULIET));
  stage.gets('INVITE');
});

test('conversations of one partner push out its own, not those of others', () => {
  const stage = new Stage({ messages: 4, partnerPercent: 50 });
  stage.arrives(chat(JULIET));
  for (let one = 0; one < 9; one++) stage.arrives(chat(greedy(one)));
  assert.equal(stage.gateway.conversations.size, 3);
  assert.ok(stage.gateway.conversations.of({ local: ROMEO, remote: JULIET }) !== undefined);
  assert.ok(stage.gateway.conversations.of({ local: ROMEO, remote: greedy(8) }) !== undefined);
});

test('a session ended makes room for the next one of the same partner', () => {
  const stage = new Stage({ sessionsAtOnce: 2, partnerPercent: 50 });
  const invite = (status: number) => {
    const { callId, tag } = stage.asks('INVITE', { to: `sip:${greedy(1)}`, headers: SDP, body: OFFER });
    return { callId, fromTag: tag, toTag: stage.getsResponse(status).to.tag ?? '' };
  };
  const dialog = invite(200);
  invite(503);
  stage.asks('BYE', { ...dialog, to: `sip:${greedy(1)}`, cseq: 2 });
  stage.getsResponse(200);
  invite(200);
});

test('nothing that a partner says makes it a contact: contacts are made by users of ours alone', () => {
  const stage = new Stage();
  stage.arrives(presence(JULIET, 'subscribe'));
  stage.arrives(presence(JULIET, 'subscribed'));
  stage.arrives(presence(JULIET, 'probe'));
  stage.arrives(chat(JULIET));
  stage.arrives(`<presence from='${JULIET}/balcony' to='${ROMEO}'/>`);
  assert.deepEqual(stage.store.contactsOf(ROMEO), []);
});

test('when too many stanzas are remembered, whoever sent most is forgotten first', () => {
  const opened = GatewayStore.open(':memory:');
  assert.ok(opened.ok);
  const store = opened.value;
  const note = (partner: string, number: number, at: number) =>
    store.noteFate({ stream: `of ${partner}`, number, partner, type: 'federated' }, at, 'done');
  for (let number = 0; number < 3; number++) note('quiet.example', number, number);
  for (let number = 0; number < 20; number++) note('greedy.example', number, 100 + number);
  const kept = (partner: string, most: number) =>
    Array.from({ length: most }, (_, number) => number).filter(
      (number) => store.fateOf(`of ${partner}`, number) === 'done',
    );
  store.forgetSeen(0, 10);
  assert.deepEqual(kept('quiet.example', 3), [0, 1, 2]);
  assert.deepEqual(kept('greedy.example', 20), [13, 14, 15, 16, 17, 18, 19]);
  store.forgetSeen(101, 10);
  assert.deepEqual(kept('quiet.example', 3), []);
  store.close();
});
