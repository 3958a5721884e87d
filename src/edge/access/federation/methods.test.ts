import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '#protocols/sip';
import { request } from '../testing/messages.ts';
import { dialogResponse, INSIDE } from '../testing/plays.ts';
import { PartnerDialog, PartnerLine } from './testing/partner-dialog.ts';
import { fromAlice, fromBob } from './testing/partners.ts';

/*
 * Every method between a partner and the inside, in dialogs of either side's making: what each end sends is put together from
 * what it was shown, and arrives with the target, the routes and the Call-ID of the other.
 */

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';
const SDP = { 'Content-Type': 'application/sdp' };

/** What may happen in a call from its first reliable answer to its end. */
async function afterProgress(line: PartnerLine, dialog: PartnerDialog, caller: 'outside' | 'inside') {
  const callerAsks = caller === 'outside' ? dialog.outsideAsks : dialog.insideAsks;
  const prack = await callerAsks.call(dialog, 'PRACK', { RAck: '17 1 INVITE' });
  assert.equal(prack.header('RAck'), '17 1 INVITE');
  await dialog.outsideAsks('UPDATE', { 'Session-Expires': '1800' });
  await dialog.insideAsks('UPDATE', {}, 491);
  assert.doesNotMatch(line.shown, INSIDE);
}
async function afterAnswer(line: PartnerLine, dialog: PartnerDialog) {
  // A re-INVITE is a transaction of its own with an ACK of its own, from either side.
  await dialog.outsideAsks('INVITE', SDP);
  await dialog.outsideSends('ACK');
  await dialog.insideAsks('INVITE', SDP);
  await dialog.insideSends('ACK');
  // One that is refused has the ACK of the hop (RFC 3261 §17.1.1.3).
  const refused = await dialog.outsideAsks('INVITE', SDP, 488);
  assert.equal((await line.fe.receivesRequest('ACK')).topVia.branch, refused.topVia.branch);
  const other = await dialog.insideAsks('INVITE', SDP, 488);
  const ack = await (await line.receiving()).receivesRequest('ACK');
  assert.equal(ack.topVia.branch, other.topVia.branch);
  for (const method of ['INFO', 'MESSAGE', 'OPTIONS', 'NOBODYKNOWSTHIS']) {
    for (const status of [200, 405]) {
      await dialog.outsideAsks(method, {}, status);
      await dialog.insideAsks(method, {}, status);
    }
  }
  await transfers(dialog);
  assert.doesNotMatch(line.shown, INSIDE);
}
/** RFC 3515, both ways: a target of the inside is hidden from the partner, and opened where it comes back. */
async function transfers(dialog: PartnerDialog) {
  const shown = await dialog.insideAsks('REFER', { 'Refer-To': '<sip:carol@10.45.32.98:5061>' }, 202);
  const hidden = shown.header('Refer-To') ?? '';
  assert.match(hidden, /^<sip:~/);
  await dialog.outsideAsks('NOTIFY', { Event: 'refer', 'Subscription-State': 'active;expires=60' });
  const back = await dialog.outsideAsks('REFER', { 'Refer-To': hidden }, 202);
  assert.match(back.header('Refer-To') ?? '', /^<sip:carol@10\.45\.32\.98:5061/);
  await dialog.insideAsks('NOTIFY', { Event: 'refer', 'Subscription-State': 'terminated;reason=noresource' });
}

test('a call from a partner: 183, PRACK, UPDATE, 200, re-INVITE, INFO, REFER, NOTIFY, what nobody knows, and BYE from inside', async (t) => {
  const line = await PartnerLine.open(t);
  const invite = await PartnerDialog.bobBegins(line, 'INVITE', { ...SDP, Supported: '100rel' });
  const early = { Require: '100rel', RSeq: '17' };
  const { dialog, answer } = await PartnerDialog.aliceAnswers(line, invite, 183, early);
  assert.deepEqual([answer.header('RSeq'), answer.header('Require')], ['17', '100rel']);
  await afterProgress(line, dialog, 'outside');
  await PartnerDialog.aliceAnswers(line, invite, 200);
  await dialog.outsideSends('ACK', { CSeq: '1 ACK' });
  await afterAnswer(line, dialog);
  await dialog.insideAsks('BYE');
});

test('a call to a partner: the same, and BYE from outside', async (t) => {
  const line = await PartnerLine.open(t);
  const invite = await PartnerDialog.aliceBegins(line, 'INVITE', { ...SDP, Supported: '100rel' });
  const early = { Require: '100rel', RSeq: '17' };
  const { dialog, answer } = await PartnerDialog.bobAnswers(line, invite, 183, early);
  assert.deepEqual([answer.header('RSeq'), answer.header('Require')], ['17', '100rel']);
  await afterProgress(line, dialog, 'inside');
  await PartnerDialog.bobAnswers(line, invite, 200);
  await dialog.insideSends('ACK', { CSeq: '1 ACK' });
  await afterAnswer(line, dialog);
  await dialog.outsideAsks('BYE');
});

const cancelOf = (invite: Record<string, string | string[]>, uri: string) =>
  request('CANCEL', uri, { ...invite, CSeq: '1 CANCEL' });

test('a partner cancels its call: the CANCEL goes inside by the branch of the INVITE, 487 comes back', async (t) => {
  const line = await PartnerLine.open(t);
  const call = fromBob();
  line.sending.sends(request('INVITE', ALICE, call));
  const invite = await line.fe.receivesRequest('INVITE');
  line.fe.sends(dialogResponse(invite, 180, { tag: 'alice' }));
  await line.sending.receives(180);
  line.sending.sends(cancelOf(call, ALICE));
  await line.sending.receives(200);
  const cancel = await line.fe.receivesRequest('CANCEL');
  assert.equal(cancel.topVia.branch, invite.topVia.branch);
  line.fe.answers(cancel, 200);
  line.fe.sends(dialogResponse(invite, 487, { tag: 'alice' }));
  await line.sending.receives(487);
  assert.equal((await line.fe.receivesRequest('ACK')).topVia.branch, invite.topVia.branch);
});

test('a call to a partner is cancelled: the CANCEL goes by the connection and branch of the INVITE, 487 comes back', async (t) => {
  const line = await PartnerLine.open(t);
  const { Via, ...rest } = fromAlice();
  const call = { ...rest, Via: [Via].flat()[0] ?? '' };
  line.fe.sends(request('INVITE', BOB, call));
  const theirs = await line.receiving();
  const invite = await theirs.receivesRequest('INVITE');
  theirs.sends(dialogResponse(invite, 180, { tag: 'bob' }));
  await line.fe.receives(180);
  line.fe.sends(cancelOf(call, BOB));
  await line.fe.receives(200);
  const cancel = await theirs.receivesRequest('CANCEL');
  assert.equal(cancel.topVia.branch, invite.topVia.branch);
  theirs.answers(cancel, 200);
  theirs.sends(dialogResponse(invite, 487, { tag: 'bob' }));
  await line.fe.receives(487);
  assert.equal((await theirs.receivesRequest('ACK')).topVia.branch, invite.topVia.branch);
  assert.doesNotMatch(line.shown, INSIDE);
});

const Event = 'presence';
const ACTIVE = { Event, 'Subscription-State': 'active;expires=599' };
const WATCH = { Event, Expires: '600' };

test('a partner subscribes: NOTIFY, refresh, BENOTIFY that nobody answers, and the end (RFC 6665)', async (t) => {
  const line = await PartnerLine.open(t);
  const subscribe = await PartnerDialog.bobBegins(line, 'SUBSCRIBE', WATCH);
  const { dialog } = await PartnerDialog.aliceAnswers(line, subscribe, 200, { Expires: '600' });
  const notify = await dialog.insideAsks('NOTIFY', ACTIVE);
  assert.equal(notify.header('Subscription-State'), ACTIVE['Subscription-State']);
  await dialog.outsideAsks('SUBSCRIBE', WATCH);
  await dialog.insideSends('BENOTIFY', ACTIVE);
  await nothingWaits(line);
  await dialog.outsideAsks('SUBSCRIBE', { Event, Expires: '0' });
  await dialog.insideAsks('NOTIFY', { Event, 'Subscription-State': 'terminated;reason=timeout' }, 481);
});

test('a partner is subscribed to: the same the other way round', async (t) => {
  const line = await PartnerLine.open(t);
  const subscribe = await PartnerDialog.aliceBegins(line, 'SUBSCRIBE', WATCH);
  const { dialog } = await PartnerDialog.bobAnswers(line, subscribe, 200, { Expires: '600' });
  const notify = await dialog.outsideAsks('NOTIFY', ACTIVE);
  assert.equal(notify.header('Subscription-State'), ACTIVE['Subscription-State']);
  await dialog.insideAsks('SUBSCRIBE', WATCH);
  await dialog.outsideSends('BENOTIFY', ACTIVE);
  await nothingWaits(line);
  await dialog.insideAsks('SUBSCRIBE', { Event, Expires: '0' });
  await dialog.outsideAsks('NOTIFY', { Event, 'Subscription-State': 'terminated;reason=timeout' }, 481);
});

async function nothingWaits({ lab }: PartnerLine) {
  const metrics = await lab.metrics.text();
  assert.match(metrics, /^sallyport_access_sip_server_transactions[^ ]* 0$/m);
  assert.match(metrics, /^sallyport_access_sip_client_transactions[^ ]* 0$/m);
}

/** Outside of a dialog. INVITE, SUBSCRIBE and BENOTIFY have plays of their own; REGISTER, SERVICE and PUBLISH are refused. */
const ALONE = ['INFO', 'MESSAGE', 'NOTIFY', 'OPTIONS', 'REFER', 'UPDATE', 'NOBODYKNOWSTHIS'] as const;

test('a method without a dialog, known or not, passes in both directions, and so do answers and refusals (RFC 3261 §16.1)', async (t) => {
  const line = await PartnerLine.open(t);
  const more = (method: string) => (method === 'NOTIFY' ? ACTIVE : {});
  for (const method of ALONE) {
    for (const status of [200, 404]) {
      line.sending.sends(request(method, ALICE, { ...fromBob(), ...more(method) }));
      line.fe.answers(await line.fe.receivesRequest(method), status);
      await line.sending.receives(status);
      line.fe.sends(request(method, BOB, { ...fromAlice(), ...more(method) }));
      const theirs = await line.receiving();
      const arrived: SipRequest = await theirs.receivesRequest(method);
      theirs.answers(arrived, status);
      await line.fe.receives(status);
    }
  }
  assert.doesNotMatch(line.shown, INSIDE);
});
