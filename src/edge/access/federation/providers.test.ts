import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../testing/messages.ts';
import { fromAlice } from './testing/partners.ts';
import { from, provider, startProvider } from './testing/providers.ts';
import { SDP, session } from './testing/sessions.ts';

const ALICE = 'sip:alice@example.com';
test('a provider carries many domains over one server, and is marked as what it is [setting policy.publicProviders[].proxy] [setting policy.publicProviders[].domains] [setting policy.publicProviders[].verification]', async (t) => {
  const { lab, fe, dialled, entry, partner } = await startProvider(t);
  for (const domain of provider.domains) {
    dialled.sends(
      request('MESSAGE', ALICE, from(domain, {}, domain === 'one.example' ? 'd(e.example)' : 'dave')),
    );
    const arrived = await fe.receivesRequest('MESSAGE');
    assert.match(arrived.header('Sallyport-Asserted-Source') ?? '', /;source=provider;verified=no;/);
    assert.match(
      arrived.header('ms-edge-proxy-message-trust') ?? '',
      /^ms-source-type=AuthorizedServer;.*ms-source-network=publiccloud;ms-remote-fqdn=federation\.provider\.example$/,
    );
    fe.answers(arrived, 200);
    await dialled.receives(200);
  }
  fe.sends(request('MESSAGE', 'sip:dave@two.example', fromAlice()));
  const theirs = await partner.connection();
  await theirs.receivesRequest('MESSAGE');
  fe.sends(request('MESSAGE', 'sip:d@one.example', fromAlice()));
  await theirs.receivesRequest('MESSAGE');
  entry.verification = 'always-verifiable';
  entry.domains = ['two.example'];
  delete entry.decorationDomain;
  await lab.commit();
  dialled.sends(request('MESSAGE', ALICE, from('two.example')));
  const verified = await fe.receivesRequest('MESSAGE');
  assert.match(verified.header('Sallyport-Asserted-Source') ?? '', /verified=yes/);
  fe.answers(verified, 200);
  await dialled.receives(200);
  dialled.sends(request('MESSAGE', ALICE, from('one.example')));
  await dialled.receives(403);
  entry.proxy = 'other.provider.example';
  await lab.commit();
  await dialled.isClosed();
});

test('nothing is exchanged with one that is not enabled, or while the feature is off [setting policy.publicProviders[].enabled]', async (t) => {
  const { lab, fe, entry } = await startProvider(t);
  const refused = async (diagnostic: number): Promise<void> => {
    fe.sends(request('MESSAGE', 'sip:dave@two.example', fromAlice()));
    const answer = await fe.receives(403);
    assert.match(answer.header('ms-diagnostics-public') ?? '', new RegExp(`^${diagnostic};`));
  };
  entry.enabled = false;
  await lab.commit();
  await refused(1001);
  entry.enabled = true;
  lab.document.policy.features.publicProviders = false;
  await lab.commit();
  await refused(1001);
});

test('one to one only: messages and presence, calls where they are allowed; a hosting provider is an organisation [setting policy.publicProviders[].audioVideo] [setting policy.publicProviders[].kind]', async (t) => {
  const { lab, fe, dialled, entry } = await startProvider(t);
  const refused = async (
    status: number,
    method: string,
    change: Record<string, string> = {},
    body = '',
  ): Promise<void> => {
    dialled.sends(request(method, ALICE, from('two.example', change), body));
    await dialled.receives(status);
  };
  const passes = async (method: string, change: Record<string, string> = {}, body = ''): Promise<void> => {
    dialled.sends(request(method, ALICE, from('two.example', change), body));
    fe.answers(await fe.receivesRequest(method), 486);
    await dialled.receives(486);
    if (method === 'INVITE') await fe.receivesRequest('ACK');
  };
  await passes('SUBSCRIBE', { Event: 'presence' });
  await passes('INVITE', SDP, session('message'));
  await refused(403, 'SUBSCRIBE', { Event: 'conference' });
  await refused(403, 'REFER', { 'Refer-To': '<sip:x@two.example>' });
  await refused(403, 'INVITE', { ...SDP, Contact: '<sip:c@two.example>;isfocus' });
  await refused(488, 'INVITE', SDP, session('audio'));
  await refused(488, 'INVITE', SDP, session('message', 'application'));
  await refused(488, 'INVITE');
  await refused(488, 'INVITE', { 'Content-Type': 'multipart/mixed;boundary=x' }, 'x');
  entry.audioVideo = true;
  lab.document.policy.features.publicProviderMedia = true;
  await lab.commit();
  await passes('INVITE', SDP, session('audio', 'video'));
  await refused(488, 'INVITE', SDP, session('application'));
  entry.kind = 'hosting';
  await lab.commit();
  dialled.sends(request('REFER', ALICE, from('two.example', { 'Refer-To': '<sip:x@two.example>' })));
  const arrived = await fe.receivesRequest('REFER');
  assert.match(arrived.header('Sallyport-Asserted-Source') ?? '', /;source=federated;/);
  // Its level counts like that of a public one: the front end delivers to contacts only.
  const isForContacts = async (): Promise<boolean> => {
    dialled.sends(request('MESSAGE', ALICE, from('two.example')));
    const mark = (await fe.receivesRequest('MESSAGE')).header('Sallyport-Asserted-Source') ?? '';
    return /;source=federated;verified=no;.*;deliver=contacts$/.test(mark);
  };
  assert.ok(await isForContacts());
  entry.verification = 'use-source';
  await lab.commit();
  assert.ok(await isForContacts(), 'without a word of it a sender is unverified');
  entry.verification = 'always-verifiable';
  await lab.commit();
  assert.ok(!(await isForContacts()));
});

test('users of elsewhere are written under the domain of decorated names [setting policy.publicProviders[].decorationDomain]', async (t) => {
  const { lab, fe, dialled, entry, partner } = await startProvider(t);
  entry.decorationDomain = 'users.example';
  await lab.commit();
  dialled.sends(request('MESSAGE', ALICE, from('users.example')));
  await dialled.receives(404);
  dialled.sends(request('MESSAGE', ALICE, from('users.example', {}, 'joe(elsewhere.example)')));
  await fe.receivesRequest('MESSAGE');
  fe.sends(request('MESSAGE', 'sip:joe@users.example', fromAlice()));
  await fe.receives(404);
  fe.sends(request('MESSAGE', 'sip:joe(elsewhere.example)@users.example', fromAlice()));
  await (await partner.connection()).receivesRequest('MESSAGE');
});
