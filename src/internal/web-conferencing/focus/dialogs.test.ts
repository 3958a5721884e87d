import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALICE, answerOf, DOMAIN, FocusStage, GUEST } from './testing/focus-stage.ts';

const numbersIn = (stage: FocusStage, id: string) =>
  stage.meetings.roster(id).entries.map(({ participant }) => participant);

test('a re-INVITE brings another token, BYE leaves', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  const { answer, inDialog } = stage.joins(id);
  stage.sends('INVITE', id, { ...inDialog, cseq: 2 });
  const again = answerOf(stage.response(200));
  stage.sends('ACK', id, { ...inDialog, cseq: 2 });
  assert.equal(again.participant, answer.participant);
  assert.notEqual(again.token, answer.token);
  stage.sends('BYE', id, { ...inDialog, cseq: 3 });
  stage.response(200);
  assert.deepEqual(numbersIn(stage, id), []);
  assert.equal(stage.focus.calls, 0);
  stage.sends('INVITE', id, { ...inDialog, cseq: 4 });
  stage.response(481);
});

test('who is removed is sent BYE, and everybody is when the meeting ends', () => {
  const stage = new FocusStage();
  const { id, key } = stage.create();
  stage.joins(id);
  stage.joins(id, { from: 'carol@example.com' });
  stage.guestSends('INVITE', id, key);
  stage.hop.take();
  stage.meeting(id).ban('carol@example.com');
  stage.meetings.flush();
  stage.network.settle();
  const removed = stage.hop.takeRequest('BYE');
  assert.equal(removed.to.uri, 'sip:carol@example.com');
  assert.equal(removed.uri, 'sip:carol@192.0.2.7;transport=ws');
  assert.equal(removed.header('Route'), '<sip:fe1.corp.example;lr>');
  assert.equal(removed.header('Reason'), 'SIP;cause=603;text="Removed"');
  stage.hop.answer(removed, 200);
  stage.network.settle();
  assert.deepEqual(stage.hop.take(), []);
  stage.meeting(id).end();
  stage.meetings.flush();
  stage.network.settle();
  const ended = [stage.hop.takeRequest('BYE'), stage.hop.takeRequest('BYE')];
  assert.deepEqual(ended.map(({ to }) => to.uri).sort(), [`sip:${GUEST}`, `sip:${ALICE}`].sort());
  for (const bye of ended) assert.equal(bye.header('Reason'), 'SIP;cause=410;text="Ended"');
  assert.equal(stage.focus.calls, 0);
});

test('a participant that comes again by another dialog is the same one, and the old dialog is over', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  const first = stage.joins(id);
  const { callId } = stage.sends('INVITE', id, { fromTag: 'again' });
  const accepted = stage.response(200);
  assert.equal(answerOf(accepted).participant, first.answer.participant);
  const bye = stage.hop.takeRequest('BYE');
  assert.equal(bye.callId, first.inDialog.callId);
  stage.hop.answer(bye, 200);
  stage.sends('ACK', id, { callId, fromTag: 'again', toTag: accepted.to.tag ?? '' });
  assert.equal(stage.focus.calls, 1);
  assert.deepEqual(numbersIn(stage, id), [first.answer.participant]);
  // Another device of the same user is another participant.
  const contact = '<sip:alice@192.0.2.8>;+sip.instance="<urn:uuid:phone>"';
  stage.sends('INVITE', id, { contact, fromTag: 'p' });
  assert.notEqual(answerOf(stage.response(200)).participant, first.answer.participant);
  assert.equal(numbersIn(stage, id).length, 2);
});

test('an answer that nobody acknowledges is taken back (RFC 3261 §13.3.1.4)', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  stage.sends('INVITE', id);
  stage.response(200);
  stage.passes(32_000);
  assert.match(stage.hop.takeRequest('BYE').header('Reason') ?? '', /cause=408/);
  assert.deepEqual(numbersIn(stage, id), []);
});

test('whoever has been away for too long is sent BYE as well', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  stage.joins(id);
  stage.passes(121_000);
  stage.meetings.handleTime();
  stage.network.settle();
  assert.match(stage.hop.takeRequest('BYE').header('Reason') ?? '', /cause=408/);
});

test('others cannot speak in a dialog, though they may end it', () => {
  const stage = new FocusStage();
  const { id, key } = stage.create();
  stage.guestSends('INVITE', id, key);
  const { to, callId } = stage.response(200);
  const inDialog = { callId, toTag: to.tag ?? '', mark: 'guest', from: GUEST } as const;
  stage.sends('ACK', id, { ...inDialog, cseq: 2 });
  stage.sends('INVITE', id, { ...inDialog, from: 'another@anonymous.invalid', cseq: 3 });
  stage.response(403);
  stage.sends('INVITE', id, { callId, toTag: to.tag ?? '', from: ALICE, cseq: 3 });
  stage.response(403);
  stage.sends('INFO', id, { ...inDialog, cseq: 3 });
  stage.response(405);
  stage.sends('INVITE', id, { ...inDialog, cseq: 2 });
  stage.response(500);
  assert.equal(stage.focus.calls, 1);
  assert.equal(DOMAIN, stage.meetings.domain);
});

test('the service goes away without a word, and participants stay in', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  stage.joins(id);
  stage.focus.stop();
  stage.meeting(id).end();
  stage.meetings.flush();
  stage.network.settle();
  assert.deepEqual(stage.hop.take(), []);
});
