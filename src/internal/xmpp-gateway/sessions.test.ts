import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildResponse, type SipRequest } from '#protocols/sip';
import { messageSession } from './session-description.ts';
import { BALCONY, ROMEO, Stage } from './testing/stage.ts';

const TEXT = [['Content-Type', 'text/plain']] as const;
const SDP = [['Content-Type', 'application/sdp']] as const;
const CONTACT = [['Contact', '<sip:romeo@10.0.0.9;transport=tls>']] as const;
const OFFER = messageSession('10.0.0.9', 1);
const said = (text: string, id = 'm') =>
  `<message from='${BALCONY}' to='${ROMEO}' id='${id}' type='chat'><body>${text}</body><thread>t1</thread></message>`;

/** Romeo opens a session with Juliet. */
function opens(stage: Stage) {
  const { callId, tag } = stage.asks('INVITE', { headers: SDP, body: OFFER });
  const ok = stage.getsResponse(200);
  assert.match(ok.body.toString(), /m=message 5060 sip null/);
  return { callId, fromTag: tag, toTag: ok.to.tag ?? '' };
}

test('a session that a SIP user opens carries messages, typing and its end (RFC 7573 §5, §6)', () => {
  const stage = new Stage();
  const dialog = opens(stage);
  stage.asks('MESSAGE', { ...dialog, cseq: 2, body: 'hello', headers: TEXT });
  const id = stage.sent().attributes.get('id');
  stage.arrives(
    `<message from='${BALCONY}' to='${ROMEO}'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>`,
  );
  stage.getsResponse(200);
  const keyboard = '<KeyboardActivity><status status="type"/></KeyboardActivity>';
  stage.asks('INFO', { ...dialog, cseq: 3, body: keyboard, headers: [['Content-Type', 'application/xml']] });
  stage.getsResponse(200);
  assert.match(stage.said()[0] ?? '', new RegExp(`<thread>${dialog.callId}</thread><composing `));
  const answer = stage.arrives(said('good night'));
  const message = stage.gets('MESSAGE');
  assert.equal(message.to.tag, dialog.fromTag);
  assert.equal(message.body.toString(), 'good night');
  stage.answers(message, 200);
  assert.equal(answer.done(), true);
  stage.asks('BYE', { ...dialog, cseq: 4 });
  stage.getsResponse(200);
  assert.match(stage.said()[0] ?? '', /<gone xmlns="http:\/\/jabber.org\/protocol\/chatstates"\/>/);
  stage.asks('MESSAGE', { ...dialog, cseq: 5, body: 'x', headers: TEXT });
  stage.getsResponse(481);
});

test('gone of the other side, and silence, end a session [setting xmppGateway.sessionIdleSeconds]', () => {
  const stage = new Stage();
  opens(stage);
  stage.arrives(
    `<message from='${BALCONY}' to='${ROMEO}' type='chat'><gone xmlns='http://jabber.org/protocol/chatstates'/></message>`,
  );
  stage.answers(stage.gets('BYE'), 200);
  stage.isQuiet();
  for (const sessionIdleMs of [60_000, 600_000]) {
    const idle = new Stage({ sessionIdleMs });
    opens(idle);
    idle.wait(sessionIdleMs - 2000);
    idle.isQuiet();
    idle.wait(2000);
    idle.gets('BYE');
    assert.match(idle.said()[0] ?? '', /<gone /);
  }
});

test('calls of another kind, other senders and old numbers are refused', () => {
  const stage = new Stage();
  const audio = OFFER.toString().replace('m=message 5060 sip null', 'm=audio 4000 RTP/AVP 0');
  stage.asks('INVITE', { headers: SDP, body: audio });
  stage.getsResponse(488);
  const dialog = opens(stage);
  stage.asks('MESSAGE', { ...dialog, from: 'sip:tybalt@sip.example', cseq: 2, body: 'x', headers: TEXT });
  stage.getsResponse(403);
  stage.asks('MESSAGE', { ...dialog, cseq: 1, body: 'x', headers: TEXT });
  stage.getsResponse(500);
  stage.asks('INVITE', { ...dialog, cseq: 3, headers: SDP, body: OFFER });
  stage.getsResponse(200);
  stage.asks('OPTIONS', { ...dialog, cseq: 4 });
  stage.getsResponse(405);
});

function accepts(stage: Stage): SipRequest {
  const invite = stage.gets('INVITE');
  stage.answers(invite, 200, CONTACT);
  stage.gets('ACK');
  return invite;
}

test('a conversation of XMPP opens a session where that is wished, and waits for it in order [setting xmppGateway.sessions]', () => {
  const stage = new Stage({ sessions: true });
  const [one, two] = [stage.arrives(said('1')), stage.arrives(said('2'))];
  const invite = accepts(stage);
  assert.equal(invite.callId, 't1');
  assert.match(invite.body.toString(), /m=message 5060 sip null/);
  for (const text of ['1', '2']) {
    const message = stage.gets('MESSAGE');
    assert.deepEqual([message.body.toString(), message.to.tag], [text, 'peer']);
    stage.answers(message, 200);
  }
  assert.deepEqual([one.done(), two.done()], [true, true]);
  const page = new Stage({ sessions: false });
  page.arrives(said('1'));
  page.gets('MESSAGE');
});

test('a client that knows no sessions gets the message by itself, and is not asked again', () => {
  const stage = new Stage({ sessions: true });
  stage.arrives(said('1'));
  stage.answers(stage.gets('INVITE'), 488);
  stage.gets('ACK');
  stage.answers(stage.gets('MESSAGE'), 200);
  stage.arrives(said('2'));
  stage.gets('MESSAGE');
});

test('a user who is not there is told instead of a session', () => {
  const stage = new Stage({ sessions: true });
  const arrival = stage.arrives(said('1'));
  stage.answers(stage.gets('INVITE'), 480);
  stage.gets('ACK');
  assert.match(stage.said()[0] ?? '', /<recipient-unavailable /);
  assert.equal(arrival.done(), true);
});

test('a long message needs a session, or is refused [setting xmppGateway.pageModeBytes]', () => {
  const long = 'x'.repeat(1301);
  const stage = new Stage();
  stage.arrives(said(long));
  accepts(stage);
  stage.answers(stage.gets('MESSAGE'), 200);
  const none = new Stage();
  const arrival = none.arrives(said(long));
  none.answers(none.gets('INVITE'), 488);
  none.gets('ACK');
  assert.match(none.said()[0] ?? '', /<policy-violation /);
  assert.equal(arrival.done(), true);
  const wide = new Stage({ pageModeBytes: 2000 });
  wide.arrives(said(long));
  wide.gets('MESSAGE');
});

test('a session that the other side has forgotten is left, and the message goes by itself', () => {
  const stage = new Stage();
  opens(stage);
  const arrival = stage.arrives(said('1'));
  stage.answers(stage.gets('MESSAGE'), 481);
  const message = stage.gets('MESSAGE');
  assert.equal(message.to.tag, undefined);
  stage.answers(message, 200);
  assert.equal(arrival.done(), true);
});

test('a second answer to the INVITE is ended (RFC 3261 §13.2.2.4)', () => {
  const stage = new Stage({ sessions: true });
  stage.arrives(said('1'));
  const invite = accepts(stage);
  stage.gets('MESSAGE');
  stage.sip.send(buildResponse(invite, 200, { toTag: 'other', headers: CONTACT }));
  stage.network.settle();
  stage.gets('ACK');
  assert.equal(stage.gets('BYE').to.tag, 'other');
});

test('sessions are bounded [setting xmppGateway.limits.sessions]', () => {
  const stage = new Stage({ sessionsAtOnce: 1 });
  opens(stage);
  stage.asks('INVITE', { to: 'sip:nurse@xmpp.example', headers: SDP, body: OFFER });
  stage.getsResponse(503);
});
