import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestDialog } from './testing/dialog.ts';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, dialogResponse, signIn } from './testing/plays.ts';

test('a call to an address at a host of the inside can be ended by who was called', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const path = await signIn(client, fe, 'alice');
  const inside = '<sip:alice@10.45.1.1>';
  fe.sends(
    request('INVITE', contactOf('alice'), {
      Via: 'SIP/2.0/TLS fe1.corp.example;branch=z9hG4bKcall',
      From: '<sip:bob@example.com>;tag=bob',
      To: inside,
      'Call-ID': 'c1@10.45.32.99',
      Route: path,
      'Record-Route': '<sip:fe1.corp.example;lr>',
      Contact: '<sip:bob@10.45.32.99>',
    }),
  );
  const invite = await client.receivesRequest('INVITE');
  const recorded = invite.values('Record-Route').join(', ');
  client.sends(
    dialogResponse(invite, 200, { tag: 'al', 'Record-Route': recorded, Contact: `<${contactOf('alice')}>` }),
  );
  await fe.receives(200);
  client.sends(
    request('BYE', /<([^>]+)>/.exec(invite.header('Contact') ?? '')?.[1] ?? '', {
      From: `${invite.header('To')};tag=al`,
      To: String(invite.header('From')),
      'Call-ID': invite.callId,
      Route: recorded,
    }),
  );
  const bye = await fe.receivesRequest('BYE');
  assert.equal(bye.header('From'), `${inside};tag=al`);
  assert.equal(bye.callId, 'c1@10.45.32.99');
  assert.ok(!bye.has('Sallyport-Asserted-Source'), 'nobody signed in as that');
});

test('S11: what the edge hid is nobody’s name: no sign-in and no request begins under it', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => {
      policy.remoteAccess.guests.allowed = true;
      policy.remoteAccess.guests.conferenceDomains = ['conf.example.com'];
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'mallory');
  // Mallory is shown a seal of an address that Mallory chose, by a Contact of an own device.
  TestDialog.begins(client, 'mallory', 'INVITE', 'own-call');
  const chosen = '<sip:ceo@example.com;x=10.45.1.1>';
  fe.sends(dialogResponse(await fe.receivesRequest('INVITE'), 302, { tag: 'm', Contact: chosen }));
  const sealed = (await client.receives(302)).header('Contact') ?? '';
  assert.match(sealed, /^<sip:~/);

  const stranger = await lab.client();
  for (const [method, uri, From, To] of [
    ['REGISTER', 'sip:example.com', '<sip:mallory@example.com>;tag=1', sealed],
    ['REGISTER', 'sip:example.com', `${sealed};tag=1`, '<sip:mallory@example.com>'],
    ['INVITE', 'sip:room@conf.example.com', `${sealed};tag=1`, '<sip:room@conf.example.com>'],
    ['INFO', 'sip:room@conf.example.com', `${sealed};tag=1`, '<sip:room@conf.example.com>;tag=2'],
  ] as const) {
    stranger.sends(
      request(method, uri, {
        Via: `SIP/2.0/TLS h;branch=z9hG4bK${method}${From.length}${To.length}`,
        From,
        To,
      }),
    );
    await stranger.receives(403);
  }
});
