import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageSession } from './session-description.ts';
import { BALCONY, JULIET, ROMEO, Stage } from './testing/stage.ts';

/*
 * Nothing is said twice: what the gateway knows of a stanza that comes again, in this process and in the one after it.
 */

const again = { stream: 's', number: 7 };
const chat = (inside = '<body>x</body>', attributes = "id='m1' type='chat'") =>
  `<message from='${BALCONY}' to='${ROMEO}' ${attributes}>${inside}</message>`;
const SDP = [['Content-Type', 'application/sdp']] as const;

test('a message that was under way when the gateway was killed is not said again: its sender hears that nobody knows', async () => {
  const killed = new Stage();
  killed.arrives(chat(), again);
  killed.gets('MESSAGE');
  // The device has it now, and its 200 finds nobody.
  const next = new Stage({}, killed);
  assert.equal(next.arrives(chat(), again).done(), true);
  assert.deepEqual(next.sip.take(), [], 'the device is not asked a second time');
  const [told, ...rest] = next.said();
  assert.match(told ?? '', /to="juliet@xmpp.example\/balcony" id="m1" type="error"/);
  assert.match(told ?? '', /<internal-server-error .*not known whether the message arrived/);
  assert.deepEqual(rest, []);
  assert.deepEqual(
    next.refusals.map(({ reason }) => reason),
    ['delivery-unknown'],
  );
  assert.equal(next.arrives(chat(), again).done(), true);
  next.isQuiet();
  const counted = await next.metrics.text();
  assert.match(counted, /_duplicates_total 1/);
  assert.match(counted, /_messages_to_sip_total\{outcome="unknown"\} 1/);
});

test('the word that nobody knows is said until an edge has taken it over', () => {
  const killed = new Stage();
  killed.arrives(chat(), again);
  killed.gets('MESSAGE');
  const next = new Stage({}, killed);
  next.holds = true;
  assert.equal(next.arrives(chat(), again).done(), false);
  assert.equal(next.said().length, 1);
  const third = new Stage({}, next);
  assert.equal(third.arrives(chat(), again).done(), true);
  assert.match(third.said()[0] ?? '', /type="error"/);
  third.isQuiet();
});

test('what had not been given to the SIP side when the gateway was killed is passed on when it comes again', () => {
  const killed = new Stage({ sessions: true });
  killed.arrives(chat(), again);
  killed.gets('INVITE');
  const next = new Stage({}, killed);
  const arrival = next.arrives(chat(), again);
  next.answers(next.gets('MESSAGE'), 200);
  assert.equal(arrival.done(), true);
  next.isQuiet();
});

test('presence, typing and receipts are nothing that anybody reads twice: they pass when they come again', () => {
  const states = [
    `<presence from='${JULIET}' to='${ROMEO}' type='subscribe'/>`,
    chat("<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
    chat("<received xmlns='urn:xmpp:receipts' id='unknown'/>"),
  ];
  for (const [number, text] of states.entries()) {
    const stage = new Stage();
    assert.equal(stage.arrives(text, { stream: 'p', number }).done(), true);
    assert.equal(stage.store.fateOf('p', number), 'done');
  }
});

test('a message in a session is written down as one by itself is; after 408 it does not go by itself as well', () => {
  const stage = new Stage();
  stage.asks('INVITE', { headers: SDP, body: messageSession('10.0.0.9', 1) });
  stage.getsResponse(200);
  const arrival = stage.arrives(chat(), again);
  const message = stage.gets('MESSAGE');
  assert.notEqual(message.to.tag, undefined);
  assert.equal(stage.store.fateOf('s', 7), 'begun');
  stage.answers(message, 408);
  assert.deepEqual(stage.sip.take(), []);
  assert.match(stage.said()[0] ?? '', /<remote-server-timeout .*not known whether the message arrived/);
  assert.equal(arrival.done(), true);
  stage.arrives(chat('<body>y</body>', "id='m2' type='chat'"));
  assert.equal(stage.gets('MESSAGE').to.tag, undefined, 'the session is over');
});

test('a user hears that nobody knows whether a message arrived in the words of the answer, and it is not sent again', async () => {
  const stage = new Stage();
  stage.away = true;
  stage.asks('MESSAGE', { body: 'x', headers: [['Content-Type', 'text/plain']] });
  stage.sent();
  stage.comesBack('remote-server-timeout', 'unknown');
  assert.equal(stage.getsResponse(408).reason, 'Delivery Unknown');
  stage.failure = { condition: 'remote-server-timeout', reason: 'Delivery Unknown' };
  stage.asks('MESSAGE', { body: 'y', headers: [['Content-Type', 'text/plain']] });
  stage.sent();
  assert.equal(stage.getsResponse(408).reason, 'Delivery Unknown', 'the link broke with it');
  stage.isQuiet();
  assert.match(await stage.metrics.text(), /_messages_to_xmpp_total\{outcome="unknown"\} 2/);
});
