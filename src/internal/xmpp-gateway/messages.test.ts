import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeTyping } from '#protocols/sip-xmpp';
import { BALCONY, JULIET, ROMEO, Stage } from './testing/stage.ts';

const TEXT = [['Content-Type', 'text/plain']] as const;
const chat = (inside: string, attributes = "id='m1' type='chat'") =>
  `<message from='${BALCONY}' to='${ROMEO}' ${attributes}>${inside}</message>`;

test('a message of XMPP becomes a MESSAGE and is acknowledged by its 200, not before (RFC 7572 §4)', () => {
  const stage = new Stage();
  const arrival = stage.arrives(
    chat(
      '<subject>Love</subject><body>Art thou not Romeo?</body><thread>e0ffe42b</thread>' +
        "<request xmlns='urn:xmpp:receipts'/>",
      "id='m1' type='chat' xml:lang='en'",
    ),
  );
  const message = stage.gets('MESSAGE');
  assert.equal(message.uri, `sip:${ROMEO}`);
  assert.equal(message.from.uri, `sip:${JULIET};gr=balcony`);
  assert.equal(message.body.toString(), 'Art thou not Romeo?');
  assert.deepEqual(
    ['Subject', 'Content-Language', 'Call-ID'].map((name) => message.header(name)),
    ['Love', 'en', 'e0ffe42b'],
  );
  assert.equal(arrival.done(), false);
  stage.answers(message, 200);
  assert.equal(arrival.done(), true);
  const [receipt, ...rest] = stage.said();
  assert.match(
    receipt ?? '',
    /to="juliet@xmpp.example\/balcony".*<received xmlns="urn:xmpp:receipts" id="m1"\/>/,
  );
  assert.deepEqual(rest, []);
});

test('202 says that nobody knows yet: no receipt', () => {
  const stage = new Stage();
  const arrival = stage.arrives(chat("<body>x</body><request xmlns='urn:xmpp:receipts'/>"));
  stage.answers(stage.gets('MESSAGE'), 202);
  assert.equal(arrival.done(), true);
  stage.isQuiet();
});

test('an answer of SIP goes back as its condition, and a next hop that is away as remote-server-timeout (RFC 7247 §7.2)', () => {
  const stage = new Stage();
  const arrival = stage.arrives(chat('<body>x</body>'));
  stage.answers(stage.gets('MESSAGE'), 404);
  assert.equal(arrival.done(), true);
  const [error] = stage.said();
  assert.match(
    error ?? '',
    /^<message from="romeo@sip.example" to="juliet@xmpp.example\/balcony" id="m1" type="error">/,
  );
  assert.match(error ?? '', /<item-not-found /);
  stage.reachable = false;
  assert.equal(stage.arrives(chat('<body>x</body>')).done(), true);
  assert.match(stage.said()[0] ?? '', /<remote-server-timeout /);
});

test('a stanza that comes again is acknowledged and goes no further, after a restart too', () => {
  const first = new Stage();
  const again = { stream: 's', number: 7 };
  const one = first.arrives(chat('<body>x</body>'), again);
  // The link broke; the other edge brings it while the first is under way.
  const two = first.arrives(chat('<body>x</body>'), again);
  const message = first.gets('MESSAGE');
  first.isQuiet();
  assert.deepEqual([one.done(), two.done()], [false, false]);
  first.answers(message, 200);
  assert.deepEqual([one.done(), two.done()], [true, true]);
  const second = new Stage({}, first);
  assert.equal(second.arrives(chat('<body>x</body>'), again).done(), true);
  second.isQuiet();
  second.arrives(chat('<body>x</body>'), { stream: 's', number: 8 });
  second.gets('MESSAGE');
});

test('ten minutes later a stanza with the same number is another one', () => {
  const stage = new Stage();
  const again = { stream: 's', number: 7 };
  stage.arrives(chat('<body>x</body>'), again);
  stage.answers(stage.gets('MESSAGE'), 200);
  stage.wait(540_000);
  stage.arrives(chat('<body>x</body>'), again);
  stage.isQuiet();
  stage.wait(130_000);
  stage.arrives(chat('<body>x</body>'), again);
  stage.gets('MESSAGE');
});

test('a MESSAGE of SIP becomes a message; a receipt makes it 200, an error its status (RFC 7572 §5, RFC 7247 §7.1)', () => {
  const stage = new Stage();
  stage.asks('MESSAGE', {
    from: `sip:${ROMEO};gr=orchard`,
    callId: 'the-call',
    body: 'Neither, fair saint',
    headers: [...TEXT, ['Content-Language', 'en'], ['Subject', 'Re: Love']],
  });
  const sent = stage.sent();
  const id = sent.attributes.get('id') ?? '';
  assert.equal(sent.attributes.get('from'), `${ROMEO}/orchard`);
  assert.equal(sent.attributes.get('to'), JULIET);
  assert.equal(sent.attributes.get('type'), undefined);
  assert.equal(sent.attributes.get('xml:lang'), 'en');
  stage.isQuiet();
  stage.arrives(chat(`<received xmlns='urn:xmpp:receipts' id='${id}'/>`));
  stage.getsResponse(200);
  for (const [condition, status, to] of [
    ['service-unavailable', 403, JULIET],
    ['item-not-found', 604, JULIET],
    ['item-not-found', 404, `${JULIET};gr=balcony`],
  ] as const) {
    stage.asks('MESSAGE', { to: `sip:${to}`, body: 'x', headers: TEXT });
    const refused = stage.sent().attributes.get('id');
    const error = `<error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
    assert.equal(stage.arrives(chat(error, `id='${refused}' type='error'`)).done(), true);
    stage.getsResponse(status);
  }
});

test('without a word of the partner a message is accepted after a while [setting xmppGateway.answerSeconds]', () => {
  for (const answerMs of [2000, 3000]) {
    const stage = new Stage({ answerMs });
    stage.asks('MESSAGE', { body: 'x', headers: TEXT });
    const id = stage.sent().attributes.get('id');
    stage.wait(answerMs - 1000);
    stage.isQuiet();
    stage.wait(1000);
    stage.getsResponse(202);
    stage.arrives(chat(`<received xmlns='urn:xmpp:receipts' id='${id}'/>`));
    stage.isQuiet();
  }
});

test('a message that its partner does not have yet is not accepted: it is when the partner has it, or an error, or 408', () => {
  const waits = () => {
    const stage = new Stage();
    stage.holds = true;
    stage.asks('MESSAGE', { body: 'x', headers: TEXT });
    const id = stage.sent().attributes.get('id');
    stage.wait(10_000);
    stage.getsResponse(100);
    stage.isQuiet();
    return { stage, id };
  };
  const passed = waits().stage;
  passed.settles();
  passed.wait(2000);
  passed.getsResponse(202);
  const { stage, id } = waits();
  const error =
    "<error type='wait'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
  stage.arrives(chat(error, `id='${id}' type='error'`));
  stage.getsResponse(404);
  const late = waits().stage;
  late.wait(15_000);
  assert.equal(late.getsResponse(408).reason, 'Delivery Unknown');
  late.settles();
  late.wait(2000);
  late.isQuiet();
});

test('what waits for one partner, or at one edge, keeps no other message from being accepted', () => {
  const stage = new Stage();
  stage.holds = true;
  stage.asks('MESSAGE', { body: 'x', headers: TEXT });
  stage.holds = false;
  stage.asks('MESSAGE', { body: 'y', headers: TEXT });
  assert.equal(stage.said().length, 2);
  stage.wait(2000);
  stage.getsResponse(202);
  stage.wait(2000);
  stage.getsResponse(100);
  stage.isQuiet();
});

test('an error that comes after the message was accepted is counted, and nothing is answered twice', async () => {
  const stage = new Stage();
  stage.asks('MESSAGE', { body: 'x', headers: TEXT });
  const id = stage.sent().attributes.get('id');
  stage.wait(2000);
  stage.getsResponse(202);
  const error = "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
  assert.equal(stage.arrives(chat(error, `id='${id}' type='error'`)).done(), true);
  stage.isQuiet();
  assert.match(await stage.metrics.text(), /messages_to_xmpp_total\{outcome="failed-later"\} 1/);
});

test('a receipt counts only from the one whom the message was for', () => {
  const stage = new Stage();
  stage.asks('MESSAGE', { body: 'x', headers: TEXT });
  const id = stage.sent().attributes.get('id');
  stage.arrives(
    `<message from='tybalt@xmpp.example' to='${ROMEO}'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>`,
  );
  stage.arrives(
    `<message from='tybalt@xmpp.example' to='${ROMEO}' id='${id}' type='error'><error/></message>`,
  );
  stage.isQuiet();
  stage.wait(2000);
  stage.getsResponse(202);
});

test('no edge that takes the stanza is an answer at once', () => {
  const stage = new Stage();
  stage.failure = { condition: 'remote-server-timeout', reason: 'No Edge Reachable' };
  stage.asks('MESSAGE', { body: 'x', headers: TEXT });
  stage.getsResponse(408);
});

test('someone who moved is told with the new address: 301 and a Contact (RFC 7247 §7.1)', () => {
  const stage = new Stage();
  stage.asks('MESSAGE', { body: 'x', headers: TEXT });
  const id = stage.sent().attributes.get('id');
  const gone = "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:juliet@tomb.example</gone>";
  stage.arrives(chat(`<error type='cancel'>${gone}</error>`, `id='${id}' type='error'`));
  assert.equal(stage.getsResponse(301).header('Contact'), '<sip:juliet@tomb.example>');
});

test('a notification of delivery that a SIP client asked for is sent when the receipt comes (RFC 5438 §7)', () => {
  const stage = new Stage();
  const body =
    'From: <sip:romeo@sip.example>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n' +
    'imdn.Disposition-Notification: positive-delivery\r\n\r\nContent-Type: text/plain\r\n\r\nHello';
  stage.asks('MESSAGE', { body, headers: [['Content-Type', 'message/cpim']] });
  const id = stage.sent().attributes.get('id');
  stage.wait(2000);
  stage.getsResponse(202);
  stage.arrives(chat(`<received xmlns='urn:xmpp:receipts' id='${id}'/>`));
  const notification = stage.gets('MESSAGE');
  assert.equal(notification.uri, `sip:${ROMEO}`);
  assert.match(notification.body.toString(), /<message-id>34jk324j<\/message-id>/);
  stage.answers(notification, 200);
  stage.isQuiet();
});

test('typing goes both ways, and is not repeated to a client that does not know it (RFC 3994, XEP-0085)', () => {
  const stage = new Stage();
  stage.asks('MESSAGE', {
    body: writeTyping('active'),
    headers: [['Content-Type', 'application/im-iscomposing+xml']],
  });
  stage.getsResponse(200);
  assert.match(
    stage.said()[0] ?? '',
    /type="chat".*<composing xmlns="http:\/\/jabber.org\/protocol\/chatstates"\/>/,
  );
  const composing = chat("<composing xmlns='http://jabber.org/protocol/chatstates'/>");
  assert.equal(stage.arrives(composing).done(), true);
  stage.isQuiet();
  stage.arrives(chat('<body>x</body>'));
  stage.answers(stage.gets('MESSAGE'), 200);
  stage.arrives(composing);
  const typing = stage.gets('MESSAGE');
  assert.match(typing.body.toString(), /<state>active<\/state>/);
  stage.answers(typing, 415);
  stage.arrives(chat("<paused xmlns='http://jabber.org/protocol/chatstates'/>"));
  stage.isQuiet();
});

test('an answer within a conversation keeps its thread and its type', () => {
  const stage = new Stage();
  stage.arrives(chat('<body>x</body><thread>t1</thread>'));
  stage.answers(stage.gets('MESSAGE'), 200);
  stage.asks('MESSAGE', { body: 'y', headers: TEXT });
  assert.match(stage.said()[0] ?? '', /type="chat".*<thread>t1<\/thread>/);
});

test('what cannot pass is refused with its reason', () => {
  const stage = new Stage();
  stage.asks('MESSAGE', { body: 'x', headers: [['Content-Type', 'text/rtf']] });
  assert.match(stage.getsResponse(415).header('Accept') ?? '', /text\/plain/);
  stage.asks('MESSAGE', { from: 'sip:x@other.example', body: 'x', headers: TEXT });
  stage.getsResponse(403);
  stage.asks('MESSAGE', { to: 'sip:juliet@192.0.2.1', body: 'x', headers: TEXT });
  stage.getsResponse(404);
  stage.asks('PUBLISH');
  stage.getsResponse(405);
  assert.equal(stage.arrives(chat('<body>x</body>', "type='groupchat'")).done(), true);
  assert.match(stage.said()[0] ?? '', /<service-unavailable /);
  stage.arrives(
    `<iq from='${BALCONY}' to='${ROMEO}' id='i' type='get'><query xmlns='jabber:iq:version'/></iq>`,
  );
  assert.match(stage.said()[0] ?? '', /^<iq .*type="error".*<service-unavailable /);
  stage.arrives(`<message from='xmpp.example' to='${ROMEO}'><body>x</body></message>`);
  assert.match(stage.said()[0] ?? '', /<jid-malformed /);
  stage.arrives(`<message from='${BALCONY}' to='sip.example'><body>x</body></message>`);
  assert.match(stage.said()[0] ?? '', /<jid-malformed /);
  stage.isQuiet();
  const rules = [
    'media-type',
    'foreign-domain',
    'address',
    'not-supported',
    'not-supported',
    'not-supported',
    'address',
    'address',
  ];
  assert.deepEqual(
    stage.refusals.map(({ reason }) => reason),
    rules,
  );
});

test('a partner of type public-unverified reaches whoever has written to it, and nobody else', () => {
  const stage = new Stage();
  const unverified = { type: 'public-unverified' } as const;
  assert.equal(stage.arrives(chat('<body>x</body>'), unverified).done(), true);
  assert.match(stage.said()[0] ?? '', /<forbidden /);
  stage.arrives(`<presence from='${JULIET}' to='${ROMEO}' type='subscribe'/>`, unverified);
  assert.match(stage.said()[0] ?? '', /type="unsubscribed"/);
  assert.deepEqual(
    stage.refusals.map(({ reason, from }) => `${reason} ${from}`),
    [`not-invited ${BALCONY}`, `not-invited ${JULIET}`],
  );
  stage.isQuiet();
  stage.asks('MESSAGE', { body: 'x', headers: TEXT });
  stage.sent();
  const later = new Stage({}, stage);
  later.arrives(chat('<body>x</body>'), unverified);
  later.gets('MESSAGE');
  later.arrives(chat('<body>x</body>'), { type: 'public-verified' });
  later.gets('MESSAGE');
});

test('limits hold [setting xmppGateway.limits.messages] [setting xmppGateway.limits.contactsPerUser]', () => {
  const stage = new Stage({ messages: 1 });
  stage.asks('MESSAGE', { body: 'x', headers: TEXT });
  stage.asks('MESSAGE', { body: 'y', headers: TEXT });
  stage.getsResponse(503);
  const few = new Stage({ contactsPerUser: 1 });
  few.asks('MESSAGE', { body: 'x', headers: TEXT });
  few.asks('MESSAGE', { to: 'sip:nurse@xmpp.example', body: 'x', headers: TEXT });
  few.getsResponse(403);
  few.asks('MESSAGE', { from: 'sip:mercutio@sip.example', body: 'x', headers: TEXT });
  assert.equal(few.said().length, 2);
});
