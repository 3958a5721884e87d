import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipMessage } from '#protocols/sip';
import { TestDialog } from '../testing/dialog.ts';
import {
  CHAT,
  FOCUS,
  From,
  guestSays,
  inDialog,
  joins,
  MRAS,
  OTHER,
  startWithGuests,
} from '../testing/guests.ts';
import { AccessLab } from '../testing/lab.ts';
import { request } from '../testing/messages.ts';
import { dialogResponse, signIn } from '../testing/plays.ts';

function contactOf(message: SipMessage): string {
  return /<([^>]+)>/.exec(message.header('Contact') ?? '')?.[1] ?? assert.fail('no Contact');
}
test('guests are off unless the document lets them in [setting policy.remoteAccess.guests.allowed]', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  client.sends(guestSays('INVITE', FOCUS));
  await client.receives(403);
  lab.document.policy.remoteAccess.guests.allowed = true;
  await lab.commit();
  await joins(await lab.client(), fe);
  lab.document.policy.remoteAccess.guests.allowed = false;
  await lab.commit();
  await lab.clients.at(-1)?.isClosed();
});

test('a guest joins one conference, speaks in it, and is marked as a guest', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const client = await lab.client();
  client.sends(guestSays('INVITE', FOCUS, { 'Sallyport-Asserted-Source': '<sip:alice@example.com>' }));
  const invite = await fe.receivesRequest('INVITE');
  assert.equal(
    invite.header('Sallyport-Asserted-Source'),
    '<sip:guest1@anonymous.invalid>;source=guest;edge=edge1.corp.example',
  );
  fe.sends(dialogResponse(invite, 200, { tag: 'focus', Contact: `<${FOCUS}>` }));
  await client.receives(200);
  for (const method of ['INFO', 'BYE']) {
    client.sends(inDialog(method, invite.callId));
    const received = await fe.receivesRequest(method);
    assert.match(received.header('Sallyport-Asserted-Source') ?? '', /;source=guest;/);
    fe.answers(received, 200);
    await client.receives(200);
  }
  client.sends(inDialog('INFO', invite.callId));
  await client.receives(403);
});

test('S16: a guest has no REGISTER, no MESSAGE, no other event, no other target and no second conference', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const client = await lab.client();
  await joins(client, fe);
  const refusals: [string, string, Record<string, string>?][] = [
    ['REGISTER', 'sip:example.com', { From, To: '<sip:guest1@anonymous.invalid>' }],
    ['REGISTER', 'sip:example.com', { From: '<sip:alice@example.com>;tag=1', To: '<sip:alice@example.com>' }],
    ['MESSAGE', FOCUS],
    ['SUBSCRIBE', FOCUS, { Event: 'presence' }],
    ['INVITE', 'sip:alice@example.com'],
    ['INVITE', 'sip:x@anonymous.invalid;gruu;opaque=app:conf:focus:id:ABC'],
    ['INVITE', `${FOCUS};maddr=10.45.32.11`],
    ['INVITE', OTHER],
    ['SUBSCRIBE', OTHER, { Event: 'conference' }],
    ['INFO', FOCUS, { To: `<${FOCUS}>;tag=focus`, 'Call-ID': 'another' }],
    ['SERVICE', 'sip:alice@example.com'],
    ['REFER', FOCUS],
  ];
  for (const [method, uri, fields] of refusals) {
    client.sends(guestSays(method, uri, fields));
    await client.receives(403);
  }
  client.sends(guestSays('SUBSCRIBE', FOCUS, { Event: 'conference;id=1' }));
  fe.answers(await fe.receivesRequest('SUBSCRIBE'), 200);
  await client.receives(200);
  client.sends(guestSays('INVITE', CHAT));
  fe.answers(await fe.receivesRequest('INVITE'), 486);
  await client.receives(486);
});

test('S16: with a To tag that a guest made up nothing goes anywhere but to its conference', async (t) => {
  const { lab, fe } = await startWithGuests(t, { requestsPerMinute: 120 });
  const client = await lab.client();
  // Its Call-ID is known as soon as the INVITE is under way.
  client.sends(guestSays('INVITE', FOCUS, { 'Call-ID': 'mine' }));
  const invite = await fe.receivesRequest('INVITE');
  const outside = async () => {
    for (const method of ['INVITE', 'INFO', 'SUBSCRIBE', 'BYE']) {
      for (const uri of ['sip:alice@example.com', 'sip:alice@192.168.1.5', OTHER]) {
        const fields = { To: `<${FOCUS}>;tag=focus`, 'Call-ID': 'mine', Event: 'conference' };
        client.sends(guestSays(method, uri, fields));
        await client.receives(403);
      }
    }
  };
  await outside();
  fe.sends(dialogResponse(invite, 200, { tag: 'focus', Contact: `<${FOCUS}>` }));
  await client.receives(200);
  await outside();
  const presence = { To: `<${FOCUS}>;tag=focus`, 'Call-ID': 'mine', Event: 'presence' };
  client.sends(guestSays('SUBSCRIBE', FOCUS, presence));
  await client.receives(403);
  client.sends(inDialog('INFO', 'mine'));
  fe.answers(await fe.receivesRequest('INFO'), 200);
  await client.receives(200);
});

test('a guest follows its conference to where that says it is, and not to a target that others were shown', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const user = await lab.client();
  await signIn(user, fe, 'alice');
  TestDialog.begins(user, 'alice', 'INVITE', 'private');
  fe.sends(TestDialog.answer(await fe.receivesRequest('INVITE'), 200));
  const stolen = contactOf(await user.receives(200));
  const client = await lab.client();
  client.sends(guestSays('INVITE', FOCUS, { 'Call-ID': 'mine', Contact: '<sip:guest1@192.168.1.5>' }));
  const invite = await fe.receivesRequest('INVITE');
  const first = 'sip:mcu1@10.45.32.7:5061;transport=tls';
  const routes = invite.values('Record-Route').join(', ');
  fe.sends(dialogResponse(invite, 200, { tag: 'focus', Contact: `<${first}>`, 'Record-Route': routes }));
  const answer = await client.receives(200);
  const says = (method: string, uri: string) =>
    client.sends(
      guestSays(method, uri, {
        To: `<${FOCUS}>;tag=focus`,
        'Call-ID': 'mine',
        Route: answer.header('Record-Route') ?? '',
      }),
    );
  says('INFO', contactOf(answer));
  const info = await fe.receivesRequest('INFO');
  assert.equal(info.uri, first);
  fe.answers(info, 200);
  await client.receives(200);
  says('INFO', stolen);
  await client.receives(403);
  // The conference moves (RFC 3261 §12.2.2), and the guest goes there.
  const second = 'sip:mcu2@10.45.32.8:5061;transport=tls';
  fe.sends(
    request('INVITE', 'sip:guest1@192.168.1.5', {
      Via: 'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKmoves',
      Route: routes,
      From: `<${FOCUS}>;tag=focus`,
      To: From,
      'Call-ID': 'mine',
      Contact: `<${second}>`,
    }),
  );
  const moved = await client.receivesRequest('INVITE');
  client.answers(moved, 200);
  await fe.receives(200);
  says('BYE', contactOf(moved));
  const bye = await fe.receivesRequest('BYE');
  assert.equal(bye.uri, second);
});

test('relay credentials only after the conference let the guest in', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const client = await lab.client();
  client.sends(guestSays('SERVICE', MRAS));
  await client.receives(403);
  await joins(client, fe);
  client.sends(guestSays('SERVICE', MRAS));
  fe.answers(await fe.receivesRequest('SERVICE'), 200);
  await client.receives(200);
});

test('domains of conferences [setting policy.remoteAccess.guests.conferenceDomains]', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const room = 'sip:room7@conf.example.com';
  const client = await lab.client();
  client.sends(guestSays('INVITE', room));
  await client.receives(403);
  lab.document.policy.remoteAccess.guests.conferenceDomains = ['conf.example.com'];
  await lab.commit();
  await joins(await lab.client(), fe, room);
});

test('so many guests and no more [setting policy.remoteAccess.guests.connections]', async (t) => {
  const { lab, fe } = await startWithGuests(t, { connections: 1 });
  await joins(await lab.client(), fe);
  const second = await lab.client();
  second.sends(guestSays('INVITE', FOCUS));
  await second.receives(503);
  lab.document.policy.remoteAccess.guests.connections = 2;
  await lab.commit();
  await joins(second, fe);
});

test('so many requests and no more [setting policy.remoteAccess.guests.requestsPerMinute]', async (t) => {
  const { lab, fe } = await startWithGuests(t, { requestsPerMinute: 5 });
  const client = await lab.client();
  const callId = await joins(client, fe);
  for (let i = 0; i < 4; i++) {
    client.sends(inDialog('INFO', callId));
    fe.answers(await fe.receivesRequest('INFO'), 200);
    await client.receives(200);
  }
  client.sends(inDialog('INFO', callId));
  assert.ok((await client.receives(503)).has('Retry-After'));
});

test('S16: a guest has eight dialogs at a time, of which one that ends or is refused makes room', async (t) => {
  const { lab, fe } = await startWithGuests(t, { requestsPerMinute: 120 });
  const client = await lab.client();
  const first = await joins(client, fe);
  const subscribes = (callId: string) =>
    client.sends(guestSays('SUBSCRIBE', FOCUS, { Event: 'conference', 'Call-ID': callId }));
  for (let dialog = 2; dialog <= 8; dialog++) {
    subscribes(`events${dialog}`);
    fe.answers(await fe.receivesRequest('SUBSCRIBE'), 200);
    await client.receives(200);
  }
  const isRefused = async (callId: string): Promise<void> => {
    subscribes(callId);
    await client.receives(403);
  };
  await isRefused('ninth');
  // What belongs to those that are there goes on.
  client.sends(inDialog('INFO', first));
  fe.answers(await fe.receivesRequest('INFO'), 200);
  await client.receives(200);
  client.sends(inDialog('BYE', first));
  fe.answers(await fe.receivesRequest('BYE'), 200);
  await client.receives(200);
  subscribes('refused');
  fe.answers(await fe.receivesRequest('SUBSCRIBE'), 489);
  await client.receives(489);
  subscribes('again');
  fe.answers(await fe.receivesRequest('SUBSCRIBE'), 200);
  await client.receives(200);
  await isRefused('tenth');
});

test('a guest acknowledges what comes when its requests are used up, and no more than as many again', async (t) => {
  const { lab, fe } = await startWithGuests(t, { requestsPerMinute: 2 });
  const client = await lab.client();
  const callId = await joins(client, fe);
  client.sends(inDialog('INFO', callId));
  fe.answers(await fe.receivesRequest('INFO'), 200);
  await client.receives(200);
  client.sends(inDialog('INFO', callId));
  await client.receives(503);
  for (const Subject of ['second', 'third'])
    client.sends(guestSays('ACK', FOCUS, { To: `<${FOCUS}>;tag=focus`, 'Call-ID': callId, Subject }));
  assert.equal((await fe.receivesRequest('ACK')).header('Subject'), 'second');
  client.sends(inDialog('INFO', callId));
  await client.receives(503);
  fe.sends(request('OPTIONS', 'sip:edge1.corp.example', { Via: 'SIP/2.0/TLS h;branch=z9hG4bKlast' }));
  await fe.receives(200);
});

test('the longest stay [setting policy.remoteAccess.guests.minutes]', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const client = await lab.client();
  await joins(client, fe);
  // No document may say less than a minute; the running one may, and shows that the time counts.
  lab.document.policy.remoteAccess.guests.minutes = 0;
  await lab.commit();
  await client.isClosed();
});

test('remote access as a whole [setting policy.remoteAccess.allowed]', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  lab.document.policy.remoteAccess.allowed = false;
  await lab.commit();
  client.sends(request('MESSAGE', 'sip:bob@example.com', { Via: 'SIP/2.0/TLS h;branch=z9hG4bKoff' }));
  await client.receives(403);
  const guest = await lab.client();
  guest.sends(guestSays('INVITE', FOCUS));
  await guest.receives(403);
});

test('who may not be outside is refused, and nobody can tell without a password [setting policy.externalAccess.remote] [setting policy.externalAccess.users[].user] [setting policy.externalAccess.users[].remote]', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const { externalAccess } = lab.document.policy;
  externalAccess.remote = false;
  externalAccess.users = [{ user: 'carol@example.com', remote: true, federation: false }];
  await lab.commit();
  const client = await lab.client();
  const register = (branch: string) =>
    request('REGISTER', 'sip:example.com', {
      Via: `SIP/2.0/TLS h;branch=z9hG4bKlist${branch}`,
      To: '<sip:alice@example.com>',
      Contact: '<sip:alice@192.168.1.5>',
    });
  client.sends(register('1'));
  const challenged = await fe.receivesRequest('REGISTER');
  assert.ok(!challenged.has('Contact'), 'the sign-in goes on as a question');
  fe.answers(challenged, 401);
  assert.ok(!(await client.receives(401)).has('ms-diagnostics-public'));
  client.sends(register('2'));
  fe.answers(await fe.receivesRequest('REGISTER'), 200);
  assert.match((await client.receives(403)).header('ms-diagnostics-public') ?? '', /^4003;/);
  client.sends(request('MESSAGE', 'sip:bob@example.com', { Via: 'SIP/2.0/TLS h;branch=z9hG4bKlist3' }));
  await client.receives(403);
  await signIn(client, fe, 'carol');
  client.sends(
    request('MESSAGE', 'sip:bob@example.com', {
      Via: 'SIP/2.0/TLS h;branch=z9hG4bKlist4',
      From: '<sip:carol@example.com>;tag=1',
    }),
  );
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await client.receives(200);
  // What was allowed when somebody signed in need not be so any more.
  externalAccess.users = [{ user: 'carol@example.com', remote: false, federation: true }];
  await lab.commit();
  client.sends(
    request('MESSAGE', 'sip:bob@example.com', {
      Via: 'SIP/2.0/TLS h;branch=z9hG4bKlist5',
      From: '<sip:carol@example.com>;tag=1',
    }),
  );
  await client.receives(403);
  externalAccess.remote = true;
  externalAccess.users = [];
  await lab.commit();
  await signIn(await lab.client(), fe, 'alice');
});
