import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LabAuthority } from '#platform/pki';
import { KamailioPartner, type KamailioPartnerOptions } from '../../../apps/lab/testing/kamailio-partner.ts';
import { request } from '../testing/messages.ts';
import { EDGE, type FederationLab, fromAlice, PARTNER, startFederation } from './testing/partners.ts';
import { asksForLists, LIST, publishLists } from './testing/revocation-lists.ts';

/** Debian's Kamailio as the edge of a partner. Its own port is fixed, and so is ours, which it dials. */
async function startKamailio(
  t: TestContext,
  { lab }: FederationLab,
  change: Partial<KamailioPartnerOptions> = {},
): Promise<KamailioPartner> {
  const folder = mkdtempSync(join(tmpdir(), 'kamailio-'));
  const partner = await KamailioPartner.start({
    folder,
    addresses: [PARTNER.address],
    certificate: await lab.authority.issue({ name: 'partner', hosts: [PARTNER.proxy] }),
    authorityPem: lab.authority.certificatePem,
    ...change,
  });
  t.after(async () => {
    await partner.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return partner;
}

function sends(partner: KamailioPartner, { lab }: FederationLab, from = 'sip:bob@partner.example') {
  return partner.sends({
    from,
    to: 'sip:alice@example.com',
    edge: `${EDGE.address}:${lab.document.policy.ports.accessFederation}`,
    socket: PARTNER.address,
  });
}

test('Kamailio as a partner: messages in both directions', async (t) => {
  const stage = await startFederation(t);
  const { fe } = stage;
  const partner = await startKamailio(t, stage);
  const sending = sends(partner, stage);
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

test('S10 Kamailio with a certificate for servers only is a partner in both directions', async (t) => {
  const stage = await startFederation(t);
  const request = { name: 'partner', hosts: [PARTNER.proxy], usages: ['serverAuth' as const] };
  const partner = await startKamailio(t, stage, { certificate: await stage.lab.authority.issue(request) });
  await bothWays(partner, stage);
});

const DAY = 86_400_000;
const past = { notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY) };
for (const [what, change] of [
  ['for clients only', { usages: ['clientAuth'] }],
  ['that has expired', past],
  ['for another name', { hosts: ['sip.elsewhere.example'] }],
] as [string, Partial<Parameters<LabAuthority['issue']>[0]>][]) {
  test(`S10 Kamailio with a certificate ${what} is no partner in either direction`, async (t) => {
    const stage = await startFederation(t);
    const asked = { name: 'partner', hosts: [PARTNER.proxy], ...change };
    await neitherWay(t, stage, { certificate: await stage.lab.authority.issue(asked) });
  });
}

test('S10 Kamailio with a certificate that was revoked is no partner in either direction', async (t) => {
  const stage = await startFederation(t, asksForLists);
  const lists = await publishLists(t, stage.lab);
  const certificate = await stage.lab.authority.issue({
    name: 'partner',
    hosts: [PARTNER.proxy],
    lists: [LIST],
  });
  lists.revoke(certificate);
  await neitherWay(t, stage, { certificate });
});

test('S10 Kamailio with a certificate that it made itself is no partner', async (t) => {
  const stage = await startFederation(t);
  const own = await LabAuthority.create({ name: PARTNER.proxy });
  const asked = { name: 'partner', hosts: [PARTNER.proxy], usages: ['serverAuth' as const] };
  await neitherWay(t, stage, { certificate: await own.issue(asked) });
});

test('S10 Kamailio without a certificate is no partner', async (t) => {
  const stage = await startFederation(t);
  const partner = await startKamailio(t, stage, { mutual: false });
  assert.notEqual(await sends(partner, stage).catch(() => 'failed'), '200');
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
    const sending = sends(partner, stage, `sip:dave@${domain}`);
    const arrived = await stage.fe.receivesRequest('MESSAGE');
    assert.match(arrived.header('Sallyport-Asserted-Source') ?? '', /;source=provider;verified=no;/);
    stage.fe.answers(arrived, 200);
    assert.equal(await sending, '200');
    const message = fromAlice({ 'Content-Type': 'text/plain' });
    stage.fe.sends(request('MESSAGE', `sip:dave@${domain}`, message, `dear ${domain}`));
    await partner.took(`dear ${domain}`);
    await stage.fe.receives(200);
  }
  assert.notEqual(await sends(partner, stage), '200', 'it does not speak for another partner');
});

async function bothWays(partner: KamailioPartner, stage: FederationLab): Promise<void> {
  const sending = sends(partner, stage);
  stage.fe.answers(await stage.fe.receivesRequest('MESSAGE'), 200);
  assert.equal(await sending, '200');
  const message = fromAlice({ 'Content-Type': 'text/plain' });
  stage.fe.sends(request('MESSAGE', 'sip:bob@partner.example', message, 'both ways'));
  await partner.took('both ways');
  await stage.fe.receives(200);
}

async function neitherWay(
  t: TestContext,
  stage: FederationLab,
  change: Partial<KamailioPartnerOptions>,
): Promise<void> {
  const partner = await startKamailio(t, stage, change);
  assert.notEqual(await sends(partner, stage).catch(() => 'failed'), '200');
  stage.fe.sends(request('MESSAGE', 'sip:bob@partner.example', fromAlice()));
  const refused = await stage.fe.receives(504);
  assert.match(refused.header('ms-diagnostics-public') ?? '', /^10(10|07);/);
}
