import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../testing/messages.ts';
import { sendsToAlice, startKamailio } from './testing/kamailio.ts';
import { fromAlice, PARTNER, startFederation } from './testing/partners.ts';

test('Kamailio as a partner: messages in both directions', async (t) => {
  const stage = await startFederation(t);
  const { fe } = stage;
  const partner = await startKamailio(t, stage);
  const sending = sendsToAlice(partner, stage);
  const arrived = await fe.receivesRequest('MESSAGE');
  assert.match(
    arrived.header('Sallyport-Asserted-Source') ?? '',
    /^<sip:bob@partner\.example>;source=federated/,
  );
  fe.answers(arrived, 200);
  assert.equal(await sending, '200');
  const message = fromAlice({ 'Content-Type': 'text/plain' });
  fe.sends(request('MESSAGE', 'sip:bob@partner.example', message, 'dear bob'));
  const line = await partner.took('dear bob');
  assert.match(line, /src=127\.0\.9\.10 verified=1 san=sip\.example\.com/);
  await fe.receives(200);
});

test('Kamailio as a public provider for two domains', async (t) => {
  const proxy = 'federation.provider.example';
  const stage = await startFederation(t, ({ policy }) => {
    policy.features.publicProviders = true;
    policy.publicProviders = [
      {
        ...{ name: 'Messenger', kind: 'public', proxy, enabled: true, audioVideo: false },
        ...{ domains: ['one.example', 'two.example'], verification: 'always-unverifiable' },
      } as (typeof policy.publicProviders)[number],
    ];
  });
  stage.names.hosts.set(proxy, [PARTNER.address]);
  const certificate = await stage.lab.authority.issue({ name: 'provider', hosts: [proxy] });
  const partner = await startKamailio(t, stage, { certificate });
  for (const domain of ['one.example', 'two.example']) {
    const sending = sendsToAlice(partner, stage, `sip:dave@${domain}`);
    const arrived = await stage.fe.receivesRequest('MESSAGE');
    assert.match(arrived.header('Sallyport-Asserted-Source') ?? '', /;source=provider;verified=no;/);
    stage.fe.answers(arrived, 200);
    assert.equal(await sending, '200');
    const message = fromAlice({ 'Content-Type': 'text/plain' });
    stage.fe.sends(request('MESSAGE', `sip:dave@${domain}`, message, `dear ${domain}`));
    await partner.took(`dear ${domain}`);
    await stage.fe.receives(200);
  }
  assert.notEqual(await sendsToAlice(partner, stage), '200', 'it does not speak for another partner');
});
