import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TestDialog } from '../testing/dialog.ts';
import { AccessLab } from '../testing/lab.ts';
import { request } from '../testing/messages.ts';
import { contactOf, signIn } from '../testing/plays.ts';
import type { SipPeer } from '../testing/sip-peer.ts';

async function start(t: TestContext) {
  const lab = await AccessLab.start(t);
  return { lab, fe: await lab.frontEnds[0].connection() };
}

let numbers = 0;
type Fields = Readonly<Record<string, string>>;
function register(contact: string, fields: Fields = {}, uri = 'sip:example.com'): Buffer {
  numbers += 1;
  return request('REGISTER', uri, {
    Via: `SIP/2.0/TLS h;branch=z9hG4bKproof${numbers}`,
    From: '<sip:alice@example.com>;tag=r',
    To: '<sip:alice@example.com>',
    'Call-ID': 'reg-alice',
    CSeq: `${numbers} REGISTER`,
    Contact: contact,
    ...fields,
  });
}
/** Whether what this connection sends as alice is marked as hers. */
async function isBelieved(client: SipPeer, fe: SipPeer): Promise<boolean> {
  numbers += 1;
  client.sends(
    request('MESSAGE', 'sip:bob@example.com', { Via: `SIP/2.0/TLS h;branch=z9hG4bKproof${numbers}` }),
  );
  const message = await fe.receivesRequest('MESSAGE');
  fe.answers(message, 200);
  await client.receives(200);
  return message.has('Sallyport-Asserted-Source');
}

test('S11: nobody outside can answer a REGISTER: the next hop sends none to a client', async (t) => {
  const { lab, fe } = await start(t);
  const path = await signIn(await lab.client(), fe, 'mallory');
  fe.sends(register('<sip:alice@192.0.2.1>', { Route: path }, contactOf('mallory')));
  await fe.receives(403);
});

test('S11: a REGISTER goes to a domain of ours and to nobody there, so that no device can accept it for a registrar', async (t) => {
  const { lab, fe } = await start(t);
  const client = await lab.client();
  for (const uri of ['sip:mallory@example.com', 'sip:elsewhere.example', 'sip:alice@elsewhere.example']) {
    client.sends(register('<sip:alice@192.0.2.1>', {}, uri));
    await client.receives(403);
  }
  for (const uri of ['sip:example.com', 'sips:EXAMPLE.com', 'sip:example.com:5061;transport=tls']) {
    client.sends(register('<sip:alice@192.0.2.1>', {}, uri));
    fe.answers(await fe.receivesRequest('REGISTER'), 401);
    await client.receives(401);
  }
});

test('S11: a REGISTER that takes the route of a dialog goes no such way', async (t) => {
  const { lab, fe } = await start(t);
  const client = await lab.client();
  await signIn(client, fe, 'mallory');
  TestDialog.begins(client, 'mallory', 'INVITE', 'own-call');
  const invite = await fe.receivesRequest('INVITE');
  fe.sends(TestDialog.answer(invite, 200));
  const route = (await client.receives(200)).values('Record-Route').reverse().join(', ');
  client.sends(register('<sip:alice@192.0.2.1>', { Route: route }));
  assert.ok(!(await fe.receivesRequest('REGISTER')).has('Route'));
});

test('who may not be outside is not let in under another spelling of the address, and a registrar is not where maddr says', async (t) => {
  const { lab, fe } = await start(t);
  const { externalAccess } = lab.document.policy;
  externalAccess.remote = true;
  externalAccess.users = [{ user: 'alice@example.com', remote: false, federation: true }];
  await lab.commit();
  const client = await lab.client();
  for (const name of ['%61lice@example.com', 'alice@example.com.']) {
    client.sends(register('<sip:alice@192.0.2.1>', { To: `<sip:${name}>` }));
    const asked = await fe.receivesRequest('REGISTER');
    assert.ok(!asked.has('Contact'), 'it comes to nothing, whatever the password');
    fe.answers(asked, 200);
    await client.receives(403);
  }
  client.sends(register('<sip:alice@192.0.2.1>', {}, 'sip:example.com;maddr=192.0.2.66'));
  await client.receives(403);
});

test('a binding of before that is cleared away leaves the one of this connection (RFC 3261 §10.2.2)', async (t) => {
  const { lab, fe } = await start(t);
  const client = await lab.client();
  const [now, before] = [
    '<sip:alice@192.0.2.1:5061;transport=tls>',
    '<sip:alice@192.0.2.1:4000;transport=tls>',
  ];
  const asks = async (contact: string, left: string, fields: Fields = {}) => {
    client.sends(register(contact, fields));
    const headers: [string, string][] = left === '' ? [] : [['Contact', left]];
    fe.answers(await fe.receivesRequest('REGISTER'), 200, { headers });
    await client.receives(200);
  };
  await asks(now, `${now};expires=300`);
  await asks(`${before};expires=0`, `${now};expires=300`);
  assert.ok(await isBelieved(client, fe));
  const second = '<sip:alice@192.0.2.1:5062;transport=tls>';
  await asks(second, `${now};expires=300, ${second};expires=300`);
  await asks(`<sip:%61lice@192.0.2.1:5061;transport=TLS>;expires=0`, `${second};expires=300`);
  assert.ok(await isBelieved(client, fe), 'the second one of this connection is there');
  await asks(second, '', { Expires: '0' });
  assert.ok(!(await isBelieved(client, fe)));
  await asks(now, `${now};expires=300`);
  await asks('*', '', { Expires: '0' });
  assert.ok(!(await isBelieved(client, fe)));
});
