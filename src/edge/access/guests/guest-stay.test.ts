import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestDialog } from '../testing/dialog.ts';
import { FOCUS, From, guestSays, inDialog, joins, MRAS, startWithGuests } from '../testing/guests.ts';
import { request } from '../testing/messages.ts';
import { dialogResponse, signIn } from '../testing/plays.ts';
import type { SipPeer } from '../testing/sip-peer.ts';

const ROOM = 'sip:room7@conf.example.com';
let branches = 0;

async function isRefused(client: SipPeer, bytes: Buffer): Promise<void> {
  client.sends(bytes);
  await client.receives(403);
}
async function passes(
  client: SipPeer,
  fe: SipPeer,
  method: string,
  bytes: Buffer,
  status = 200,
): Promise<void> {
  client.sends(bytes);
  fe.answers(await fe.receivesRequest(method), status);
  await client.receives(status);
}
/** The other side of a guest's dialog says something, and the guest agrees. */
async function insideSays(
  [client, fe]: readonly [SipPeer, SipPeer],
  method: string,
  [callId, route]: readonly [string, string],
  fields: Record<string, string> = {},
): Promise<void> {
  branches += 1;
  fe.sends(
    request(method, 'sip:guest1@192.168.1.5', {
      Via: `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKinside${branches}`,
      Route: route,
      From: `<${FOCUS}>;tag=focus`,
      To: From,
      'Call-ID': callId,
      CSeq: `${branches} ${method}`,
      ...fields,
    }),
  );
  client.answers(await client.receivesRequest(method), 200);
  await fe.receives(200);
}
/** The same as {@link joins}, with the route by which the inside reaches the guest. */
async function joinsBy(client: SipPeer, fe: SipPeer): Promise<readonly [string, string]> {
  client.sends(guestSays('INVITE', FOCUS, { Contact: '<sip:guest1@192.168.1.5>' }));
  const invite = await fe.receivesRequest('INVITE');
  const route = invite.values('Record-Route').join(', ');
  fe.sends(dialogResponse(invite, 200, { tag: 'focus', Contact: `<${FOCUS}>`, 'Record-Route': route }));
  const { callId } = await client.receives(200);
  client.sends(inDialog('ACK', callId));
  await fe.receivesRequest('ACK');
  return [callId, route];
}

test('S11: a guest has no name of ours, in whatever spelling, at any time of the stay', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const client = await lab.client();
  const callId = await joins(client, fe);
  const own = [
    '<sip:ceo@example.com>',
    '<sips:ceo@EXAMPLE.com>',
    '<sip:ceo@example.com.>',
    '<sip:ceo@sip.example.com>',
  ];
  const inside = ['<sip:focus@fe1.corp.example>', '<sip:pbx@10.45.1.1>', '<sip:x@127.0.9.20>'];
  for (const name of [
    ...own,
    ...inside,
    '<tel:+15550100>',
    '<sip:example.com>',
    '<sip:ceo:pw@example.com>',
  ]) {
    const fields = { From: `${name};tag=g1` };
    await isRefused(client, guestSays('INVITE', FOCUS, fields));
    await isRefused(client, inDialog('INFO', callId, fields));
  }
  for (const name of [...own.slice(2), ...inside]) {
    const stranger = await lab.client();
    await isRefused(stranger, guestSays('INVITE', FOCUS, { From: `${name};tag=g1` }));
  }
});

test('S12: a conference is where its domain is, not where a guest says that it is', async (t) => {
  const { lab, fe } = await startWithGuests(t, { conferenceDomains: ['conf.example.com'] });
  const client = await lab.client();
  for (const more of [
    ';maddr=10.45.1.1',
    ';transport=udp;maddr=evil.example',
    ';method=REGISTER',
    ';ttl=1',
    ':22',
  ])
    await isRefused(client, guestSays('INVITE', ROOM + more));
  await passes(client, fe, 'INVITE', guestSays('INVITE', `${ROOM};transport=tls`), 486);
});

test('S12: a guest begins nothing by the route of somebody’s dialog', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  const user = await lab.client();
  await signIn(user, fe, 'mallory');
  TestDialog.begins(user, 'mallory', 'INVITE', 'own-call');
  fe.sends(TestDialog.answer(await fe.receivesRequest('INVITE'), 200));
  const Route = (await user.receives(200)).values('Record-Route').reverse().join(', ');
  const client = await lab.client();
  for (const method of ['SUBSCRIBE', 'INVITE']) {
    client.sends(guestSays(method, FOCUS, { Route, Event: 'conference' }));
    const arrived = await fe.receivesRequest(method);
    assert.ok(!arrived.has('Route'));
    fe.answers(arrived, 486);
    await client.receives(486);
  }
});

test('who was sent out of the conference has no relay credentials, and may come back', async (t) => {
  const { lab, fe } = await startWithGuests(t, { requestsPerMinute: 120 });
  const client = await lab.client();
  for (let visit = 0; visit < 10; visit++) {
    const dialog = await joinsBy(client, fe);
    await passes(client, fe, 'SERVICE', guestSays('SERVICE', MRAS));
    await insideSays([client, fe], 'BYE', dialog);
    await isRefused(client, guestSays('SERVICE', MRAS));
    await isRefused(client, inDialog('INFO', dialog[0]));
  }
});

test('a subscription that the conference ends makes room (RFC 6665 §4.4.1)', async (t) => {
  const { lab, fe } = await startWithGuests(t, { requestsPerMinute: 120 });
  const client = await lab.client();
  await joins(client, fe);
  for (let visit = 0; visit < 10; visit++) {
    client.sends(guestSays('SUBSCRIBE', FOCUS, { Event: 'conference', Contact: '<sip:guest1@192.168.1.5>' }));
    const subscribe = await fe.receivesRequest('SUBSCRIBE');
    const route = subscribe.values('Record-Route').join(', ');
    fe.sends(dialogResponse(subscribe, 200, { tag: 'focus', 'Record-Route': route, Contact: `<${FOCUS}>` }));
    const { callId } = await client.receives(200);
    const notify = (state: string) => {
      const fields = { Event: 'conference', 'Subscription-State': state };
      return insideSays([client, fe], 'NOTIFY', [callId, route], fields);
    };
    await notify('active;expires=60');
    const refresh = () => inDialog('SUBSCRIBE', callId, { Event: 'conference' });
    await passes(client, fe, 'SUBSCRIBE', refresh());
    await notify('Terminated;reason=noresource');
    await isRefused(client, refresh());
  }
});

test('a BYE that was not heard may be repeated', async (t) => {
  const { lab, fe } = await startWithGuests(t);
  // The edge asks a next hop that answers 503 whether it is there.
  fe.answersProbes = true;
  const client = await lab.client();
  const callId = await joins(client, fe);
  await passes(client, fe, 'BYE', inDialog('BYE', callId), 503);
  await passes(client, fe, 'BYE', inDialog('BYE', callId), 200);
  await isRefused(client, inDialog('BYE', callId));
});
