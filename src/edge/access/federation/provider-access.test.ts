import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../testing/messages.ts';
import { fromAlice, refusedWith } from './testing/partners.ts';
import { from, PROXY, startProvider } from './testing/providers.ts';
import { SDP, session } from './testing/sessions.ts';

const ALICE = 'sip:alice@example.com';
const DAVE = 'sip:dave@two.example';
const RIGHTS = 'Sallyport-Sender-Rights';
type Stage = Awaited<ReturnType<typeof startProvider>>;

async function passesInward({ fe, dialled }: Stage, method = 'MESSAGE', body = ''): Promise<void> {
  dialled.sends(request(method, ALICE, from('two.example', body === '' ? {} : SDP), body));
  fe.answers(await fe.receivesRequest(method), 486);
  await dialled.receives(486);
  if (method === 'INVITE') await fe.receivesRequest('ACK');
}
async function refusedInward(
  { dialled }: Stage,
  status: number,
  method = 'MESSAGE',
  body = '',
): Promise<void> {
  dialled.sends(request(method, ALICE, from('two.example', body === '' ? {} : SDP), body));
  const answer = await dialled.receives(status);
  if (status === 403) refusedWith(answer, 1001);
}
async function refusedOutward(
  { fe }: Stage,
  status: number,
  method = 'MESSAGE',
  more: Record<string, string> = {},
  body = '',
) {
  fe.sends(request(method, DAVE, fromAlice({ ...(body === '' ? {} : SDP), ...more }), body));
  const answer = await fe.receives(status);
  if (status === 403) refusedWith(answer, 1001);
}

test('public providers are a right of users beside that of partners [setting policy.externalAccess.publicProviders] [setting policy.externalAccess.users[].publicProviders]', async (t) => {
  const stage = await startProvider(t);
  const { lab, fe, partner } = stage;
  const { externalAccess } = lab.document.policy;
  await passesInward(stage);
  // What was written before there was this right goes on.
  externalAccess.federation = false;
  await lab.commit();
  await refusedInward(stage, 403);
  externalAccess.publicProviders = true;
  await lab.commit();
  await passesInward(stage);
  externalAccess.users = [
    { user: 'alice@example.com', remote: true, federation: true, publicProviders: false },
  ];
  await lab.commit();
  await refusedInward(stage, 403);
  await refusedOutward(stage, 403);
  externalAccess.users = [
    { user: 'alice@example.com', remote: true, federation: false, publicProviders: true },
  ];
  externalAccess.publicProviders = false;
  await lab.commit();
  await passesInward(stage);
  fe.sends(request('MESSAGE', DAVE, fromAlice()));
  const theirs = await partner.connection();
  theirs.answers(await theirs.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
});

test('calls with providers are a right of users, too [setting policy.externalAccess.publicProviderMedia] [setting policy.externalAccess.users[].publicProviderMedia] [setting policy.features.publicProviderMedia]', async (t) => {
  const stage = await startProvider(t, ({ policy }) => {
    for (const entry of policy.publicProviders) entry.audioVideo = true;
  });
  const { lab } = stage;
  const { externalAccess, features } = lab.document.policy;
  const call = session('audio', 'video');
  await refusedInward(stage, 488, 'INVITE', call);
  features.publicProviderMedia = true;
  await lab.commit();
  await passesInward(stage, 'INVITE', call);
  externalAccess.publicProviderMedia = false;
  await lab.commit();
  await refusedInward(stage, 488, 'INVITE', call);
  await refusedOutward(stage, 488, 'INVITE', {}, call);
  await passesInward(stage, 'INVITE', session('message'));
  const alice = { user: 'alice@example.com', remote: true, federation: false, publicProviders: true };
  externalAccess.users = [{ ...alice, publicProviderMedia: true }];
  await lab.commit();
  await passesInward(stage, 'INVITE', call);
  externalAccess.users = [{ ...alice, publicProviders: false, publicProviderMedia: true }];
  await lab.commit();
  await refusedInward(stage, 403, 'INVITE', call);
});

test('the edge holds a request to what the next hop says of the rights of its sender, and shows it to nobody', async (t) => {
  const stage = await startProvider(t, ({ policy }) => {
    policy.features.publicProviderMedia = true;
    for (const entry of policy.publicProviders) entry.audioVideo = true;
  });
  const { fe, partner } = stage;
  const call = session('audio');
  await refusedOutward(stage, 403, 'MESSAGE', { [RIGHTS]: 'federation' });
  await refusedOutward(stage, 403, 'MESSAGE', { [RIGHTS]: 'none' });
  await refusedOutward(stage, 488, 'INVITE', { [RIGHTS]: 'public-providers' }, call);
  const granted = { ...SDP, [RIGHTS]: 'public-providers, public-provider-media' };
  fe.sends(request('INVITE', DAVE, fromAlice(granted), call));
  const theirs = await partner.connection();
  const arrived = await theirs.receivesRequest('INVITE');
  assert.ok(!arrived.has(RIGHTS));
  // The other way round: a partner is not to be had by the right for providers.
  fe.sends(request('MESSAGE', 'sip:bob@partner.example', fromAlice({ [RIGHTS]: 'public-providers' })));
  refusedWith(await fe.receives(403), 1002);
});

test('a default route to public providers is held to what providers are [setting policy.federation.defaultRoute.publicProvider] [setting policy.features.publicProviders]', async (t) => {
  const stage = await startProvider(t, ({ policy }) => {
    policy.publicProviders = [];
    policy.federation.allowed = [];
    policy.federation.routing = 'default-route';
    policy.federation.defaultRoute = { proxy: PROXY, publicProvider: true, verification: 'use-source' };
  });
  const { lab, fe, dialled } = stage;
  const { policy } = lab.document;
  dialled.sends(request('MESSAGE', ALICE, from('two.example')));
  const arrived = await fe.receivesRequest('MESSAGE');
  fe.answers(arrived, 200);
  await dialled.receives(200);
  assert.match(arrived.header('Sallyport-Asserted-Source') ?? '', /;source=provider;verified=no;/);
  assert.match(
    arrived.header('ms-edge-proxy-message-trust') ?? '',
    /ms-source-network=publiccloud;ms-remote-fqdn=federation\.provider\.example$/,
  );
  const call = session('audio');
  await refusedInward(stage, 488, 'INVITE', call);
  policy.features.publicProviderMedia = true;
  // The flag of partners has nothing to do with it.
  policy.features.federation = false;
  await lab.commit();
  await passesInward(stage, 'INVITE', call);
  policy.externalAccess.publicProviders = false;
  await lab.commit();
  await refusedInward(stage, 403);
  policy.externalAccess.publicProviders = true;
  policy.features.federation = true;
  policy.features.publicProviders = false;
  await lab.commit();
  await refusedOutward(stage, 403);
  policy.federation.defaultRoute.publicProvider = false;
  await lab.commit();
  dialled.sends(request('REFER', ALICE, from('two.example', { 'Refer-To': '<sip:x@two.example>' })));
  assert.match(
    (await fe.receivesRequest('REFER')).header('Sallyport-Asserted-Source') ?? '',
    /;source=federated;/,
  );
});
