import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TestDialog } from './testing/dialog.ts';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, dialogResponse, INSIDE, signIn } from './testing/plays.ts';

async function scene(t: TestContext) {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const path = await signIn(client, fe, 'alice');
  return { lab, client, fe, path, sides: [client, fe] as const };
}

test('reliable provisional answers: 183, PRACK, UPDATE both ways, 200, re-INVITE both ways, BYE (RFC 3262, RFC 3311)', async (t) => {
  const { client, fe, sides } = await scene(t);
  TestDialog.begins(client, 'alice', 'INVITE', 'early', {
    Supported: '100rel',
    'Content-Type': 'application/sdp',
  });
  const invite = await fe.receivesRequest('INVITE');
  fe.sends(TestDialog.answer(invite, 183, 'bob', { Require: '100rel', RSeq: '17' }));
  const progress = await client.receives(183);
  assert.equal(progress.header('RSeq'), '17');
  assert.equal(progress.header('Require'), '100rel');
  const dialog = new TestDialog(sides, 'alice', invite, progress, 'bob');
  const prack = await dialog.outsideAsks('PRACK', { RAck: '17 1 INVITE' });
  assert.equal(prack.header('RAck'), '17 1 INVITE');
  await dialog.outsideAsks('UPDATE', { 'Session-Expires': '1800' });
  await dialog.insideAsks('UPDATE');
  fe.sends(TestDialog.answer(invite, 200));
  await client.receives(200);
  await dialog.outsideSends('ACK', { CSeq: '1 ACK' });
  // A re-INVITE is a transaction of its own with an ACK of its own, from either side.
  await dialog.outsideAsks('INVITE', { 'Content-Type': 'application/sdp' });
  await dialog.outsideSends('ACK');
  await dialog.insideAsks('INVITE');
  await dialog.insideSends('ACK');
  // One that is refused: the ACK is of the hop (RFC 3261 §17.1.1.3), and the dialog goes on.
  await dialog.outsideAsks('INVITE', {}, 488);
  assert.equal((await fe.receivesRequest('ACK')).header('CSeq')?.split(' ')[1], 'ACK');
  await dialog.insideAsks('BYE');
  assert.doesNotMatch(client.shown, INSIDE);
});

test('[S13] an INVITE forked inside: early dialogs of both callees, and two 200s, each with a dialog of its own', async (t) => {
  const { client, fe, sides } = await scene(t);
  TestDialog.begins(client, 'alice', 'INVITE', 'forked');
  const invite = await fe.receivesRequest('INVITE');
  for (const tag of ['desk', 'mobile']) {
    fe.sends(TestDialog.answer(invite, 180, tag));
    assert.equal((await client.receives(180)).to.tag, tag);
  }
  const dialogs: TestDialog[] = [];
  for (const tag of ['desk', 'mobile']) {
    fe.sends(TestDialog.answer(invite, 200, tag));
    const answered = await client.receives(200);
    assert.equal(answered.to.tag, tag);
    const dialog = new TestDialog(sides, 'alice', invite, answered, tag);
    dialogs.push(dialog);
    await dialog.outsideSends('ACK', { CSeq: '1 ACK' });
  }
  await dialogs[1]?.outsideAsks('BYE');
  await dialogs[0]?.insideAsks('INFO');
  await dialogs[0]?.outsideAsks('BYE');
});

test('the answer was on its way when the call was cancelled: the late 200 arrives, and the call can be ended', async (t) => {
  const { client, fe, sides } = await scene(t);
  TestDialog.begins(client, 'alice', 'INVITE', 'late', { Via: 'SIP/2.0/TLS h;branch=z9hG4bKlate' });
  const invite = await fe.receivesRequest('INVITE');
  fe.sends(TestDialog.answer(invite, 180));
  await client.receives(180);
  client.sends(
    [
      'CANCEL sip:bob@example.com SIP/2.0',
      'Via: SIP/2.0/TLS h;branch=z9hG4bKlate',
      'Max-Forwards: 70',
      'From: <sip:alice@example.com>;tag=alice',
      'To: <sip:bob@example.com>',
      'Call-ID: late',
      'CSeq: 1 CANCEL',
      'Content-Length: 0\r\n\r\n',
    ].join('\r\n'),
  );
  await client.receives(200);
  const cancel = await fe.receivesRequest('CANCEL');
  fe.answers(cancel, 200);
  fe.sends(TestDialog.answer(invite, 200));
  const answered = await client.receives(200);
  assert.match(answered.header('CSeq') ?? '', /INVITE$/);
  const dialog = new TestDialog(sides, 'alice', invite, answered, 'bob');
  await dialog.outsideSends('ACK', { CSeq: '1 ACK' });
  await dialog.outsideAsks('BYE');
});

test('the caller is gone in the moment in which the call is answered: it is ended at once, as by the caller', async (t) => {
  const { client, fe } = await scene(t);
  TestDialog.begins(client, 'alice', 'INVITE', 'gone');
  const invite = await fe.receivesRequest('INVITE');
  fe.sends(TestDialog.answer(invite, 180));
  await client.receives(180);
  client.ends();
  fe.answers(await fe.receivesRequest('CANCEL'), 200);
  for (let i = 0; i < 2; i++) fe.sends(TestDialog.answer(invite, 200));
  for (const method of ['ACK', 'BYE', 'ACK']) {
    const ending = await fe.receivesRequest(method);
    assert.equal(ending.uri, 'sip:bob@10.45.32.99:5061;transport=tls');
    assert.deepEqual(ending.values('Route'), ['<sip:fe1.corp.example;lr>']);
    assert.deepEqual([ending.from.tag, ending.to.tag, ending.callId], ['alice', 'bob', 'gone']);
    // As of whoever has signed in.
    assert.equal(
      ending.header('Sallyport-Asserted-Source'),
      invite.header('Sallyport-Asserted-Source') ?? assert.fail(),
    );
    if (method === 'BYE') fe.answers(ending, 200);
  }
});

test('why a call is given up is told: another device answered, and nobody has missed it (RFC 3326)', async (t) => {
  const { client, fe, path } = await scene(t);
  const elsewhere = 'SIP;cause=200;text="Call completed elsewhere"';
  const via = 'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKelsewhere';
  const common = {
    Via: via,
    Route: path,
    From: '<sip:bob@example.com>;tag=b',
    To: '<sip:alice@example.com>',
  };
  fe.sends(request('INVITE', contactOf('alice'), { ...common, Contact: '<sip:bob@10.45.32.99>' }));
  const ringing = await client.receivesRequest('INVITE');
  client.answers(ringing, 180);
  await fe.receives(180);
  const Reason = [elsewhere, 'Q.850;cause=16;text="by fe1.corp.example"'];
  fe.sends(request('CANCEL', contactOf('alice'), { ...common, CSeq: '1 CANCEL', Reason }));
  await fe.receives(200);
  const cancel = await client.receivesRequest('CANCEL');
  assert.deepEqual(cancel.values('Reason'), [elsewhere]);
  client.answers(cancel, 200);
  client.answers(ringing, 487);
  await client.receivesRequest('ACK');
  await fe.receives(487);
  // And inward, what the client says.
  const Via = 'SIP/2.0/TLS h;branch=z9hG4bKgivesup';
  TestDialog.begins(client, 'alice', 'INVITE', 'gives-up', { Via });
  const invite = await fe.receivesRequest('INVITE');
  fe.sends(TestDialog.answer(invite, 180));
  await client.receives(180);
  client.sends(request('CANCEL', 'sip:bob@example.com', { Via, CSeq: '1 CANCEL', Reason: 'Q.850;cause=16' }));
  await client.receives(200);
  assert.deepEqual((await fe.receivesRequest('CANCEL')).values('Reason'), ['Q.850;cause=16']);
});

test('a refusal is acknowledged by the edge to the next hop, and the ACK of the client ends there (RFC 3261 §17.1.1.3)', async (t) => {
  const { client, fe } = await scene(t);
  TestDialog.begins(client, 'alice', 'INVITE', 'busy', { Via: 'SIP/2.0/TLS h;branch=z9hG4bKbusy' });
  const invite = await fe.receivesRequest('INVITE');
  fe.sends(dialogResponse(invite, 486, { tag: 'bob' }));
  await client.receives(486);
  const ack = await fe.receivesRequest('ACK');
  assert.equal(ack.topVia.branch, invite.topVia.branch);
  client.sends(
    [
      'ACK sip:bob@example.com SIP/2.0',
      'Via: SIP/2.0/TLS h;branch=z9hG4bKbusy',
      'Max-Forwards: 70',
      'From: <sip:alice@example.com>;tag=alice',
      'To: <sip:bob@example.com>;tag=bob',
      'Call-ID: busy',
      'CSeq: 1 ACK',
      'Content-Length: 0\r\n\r\n',
    ].join('\r\n'),
  );
  // What comes next inside is the next request, no second ACK.
  TestDialog.begins(client, 'alice', 'MESSAGE', 'after');
  await fe.receivesRequest('MESSAGE');
});

test('a subscription: NOTIFY before and after the answer, refresh, BENOTIFY that nobody answers, the end (RFC 6665)', async (t) => {
  const { lab, client, fe, sides } = await scene(t);
  const Event = 'presence';
  TestDialog.begins(client, 'alice', 'SUBSCRIBE', 'watch', {
    Event,
    Expires: '600',
    Supported: 'ms-benotify',
    'Proxy-Require': 'ms-benotify',
  });
  const subscribe = await fe.receivesRequest('SUBSCRIBE');
  assert.equal(subscribe.values('Record-Route').length, 2);
  fe.sends(TestDialog.answer(subscribe, 200, 'bob', { Expires: '600' }));
  const accepted = await client.receives(200);
  const dialog = new TestDialog(sides, 'alice', subscribe, accepted, 'bob');
  const state = 'active;expires=599';
  const notify = await dialog.insideAsks('NOTIFY', { Event, 'Subscription-State': state });
  assert.equal(notify.header('Subscription-State'), state);
  await dialog.outsideAsks('SUBSCRIBE', { Event, Expires: '600' });
  await dialog.insideSends('BENOTIFY', { Event, 'Subscription-State': state });
  await dialog.insideSends('BENOTIFY', { Event, 'Subscription-State': state });
  const metrics = await lab.metrics.text();
  assert.match(metrics, /^sallyport_access_sip_server_transactions[^ ]* 0$/m, 'nothing waits to be answered');
  assert.match(metrics, /^sallyport_access_sip_client_transactions[^ ]* 0$/m);
  await dialog.outsideAsks('SUBSCRIBE', { Event, Expires: '0' });
  await dialog.insideAsks('NOTIFY', { Event, 'Subscription-State': 'terminated;reason=timeout' }, 481);
});

test('a subscription that forks: each NOTIFY that comes before the answer begins a dialog, whose refresh goes its way (RFC 6665 §4.4.1)', async (t) => {
  const { client, fe, path } = await scene(t);
  const Event = 'presence';
  TestDialog.begins(client, 'alice', 'SUBSCRIBE', 'forks', { Event, Expires: '600' });
  const subscribe = await fe.receivesRequest('SUBSCRIBE');
  const OWN = '<sip:fe1.corp.example;lr>';
  for (const device of ['desk', 'mobile']) {
    const contact = `sip:bob@10.45.32.99;device=${device}`;
    const parties = { From: `<sip:bob@example.com>;tag=${device}`, To: '<sip:alice@example.com>;tag=alice' };
    fe.sends(
      request('NOTIFY', contactOf('alice'), {
        ...parties,
        ...{ Via: `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bK${device}`, 'Call-ID': 'forks' },
        ...{ Event, 'Subscription-State': 'active;expires=600', Contact: `<${contact}>` },
        ...{ Route: subscribe.values('Record-Route').join(', '), 'Record-Route': OWN },
      }),
    );
    const notify = await client.receivesRequest('NOTIFY');
    client.answers(notify, 200);
    await fe.receives(200);
    client.sends(
      request('SUBSCRIBE', /<([^>]+)>/.exec(notify.header('Contact') ?? '')?.[1] ?? '', {
        ...{ From: parties.To, To: parties.From, 'Call-ID': 'forks', CSeq: '2 SUBSCRIBE', Event },
        ...{ Via: `SIP/2.0/TLS h;branch=z9hG4bK${device}`, Route: notify.values('Record-Route').join(', ') },
      }),
    );
    const refresh = await fe.receivesRequest('SUBSCRIBE');
    assert.deepEqual([refresh.uri, refresh.values('Route')], [contact, [OWN]]);
    fe.answers(refresh, 200);
    await client.receives(200);
  }
  // And of a client that is watched: whoever watches it, inside, finds it by what it sent first.
  const watch = {
    From: '<sip:bob@example.com>;tag=w',
    To: '<sip:alice@example.com>',
    'Call-ID': 'watch',
    Event,
  };
  const via = (name: string) => `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bK${name}`;
  fe.sends(request('SUBSCRIBE', contactOf('alice'), { ...watch, Via: via('watch'), Route: path }));
  const asked = await client.receivesRequest('SUBSCRIBE');
  client.sends(
    request('NOTIFY', 'sip:bob@example.com', {
      ...{ From: '<sip:alice@example.com>;tag=n', To: watch.From, 'Call-ID': 'watch', Event },
      ...{ Via: 'SIP/2.0/TLS h;branch=z9hG4bKfirst', Route: asked.values('Record-Route').join(', ') },
      ...{ Contact: `<${contactOf('alice')}>`, 'Subscription-State': 'active' },
    }),
  );
  const first = await fe.receivesRequest('NOTIFY');
  fe.answers(first, 200);
  await client.receives(200);
  const Route = first.values('Record-Route').join(', ');
  const refresh = {
    ...watch,
    To: '<sip:alice@example.com>;tag=n',
    Via: via('again'),
    CSeq: '2 SUBSCRIBE',
    Route,
  };
  fe.sends(request('SUBSCRIBE', contactOf('alice'), refresh));
  client.answers(await client.receivesRequest('SUBSCRIBE'), 200);
  await fe.receives(200);
});

test('a transfer: REFER to a target that was hidden, NOTIFY of its progress (RFC 3515)', async (t) => {
  const { client, fe, sides } = await scene(t);
  TestDialog.begins(client, 'alice', 'INVITE', 'transfer');
  const invite = await fe.receivesRequest('INVITE');
  fe.sends(TestDialog.answer(invite, 200));
  const answered = await client.receives(200);
  const dialog = new TestDialog(sides, 'alice', invite, answered, 'bob');
  await dialog.outsideSends('ACK', { CSeq: '1 ACK' });
  const hidden = /<([^>]+)>/.exec(answered.header('Contact') ?? '')?.[1] ?? '';
  assert.match(hidden, /^sip:~/);
  const refer = await dialog.outsideSends('REFER', { 'Refer-To': `<${hidden}>` });
  assert.equal(refer.header('Refer-To'), '<sip:bob@10.45.32.99:5061;transport=tls>');
  fe.answers(refer, 202);
  await client.receives(202);
  await dialog.insideAsks('NOTIFY', { Event: 'refer', 'Subscription-State': 'active;expires=60' });
  const back = await dialog.insideSends('REFER', { 'Refer-To': '<sip:carol@10.45.32.98:5061>' });
  assert.match(back.header('Refer-To') ?? '', /^<sip:~/);
  client.answers(back, 603);
  await fe.receives(603);
});
