import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { type IssuedCertificate, LabAuthority, type LeafRequest } from '#platform/pki';
import { ChildProgram } from '../../../apps/lab/testing/child-program.ts';
import type { KamailioPartner } from '../../../apps/lab/testing/kamailio-partner.ts';
import { request } from '../testing/messages.ts';
import { sendsToAlice, startKamailio } from './testing/kamailio.ts';
import { EDGE, type FederationLab, fromAlice, PARTNER, startFederation } from './testing/partners.ts';
import { asksForLists, LIST, publishLists } from './testing/revocation-lists.ts';

/*
 * Debian's Kamailio as the edge of a partner, with every kind of certificate: who is none is refused with a reason, in both
 * directions, and nothing of what it sent reaches the next hop.
 */
const BOB = 'sip:bob@partner.example';
const DAY = 86_400_000;
const OURS: LeafRequest = { name: 'partner', hosts: [PARTNER.proxy] };

/** What becomes of a connection that the partner opens, and of one that we open to it. */
interface Verdict {
  readonly event: 'tls-failed' | 'partner-connection-refused';
  readonly rule: string;
  readonly detail: RegExp;
  /** Of what the operator is told when the partner cannot be reached: the rule, and why. */
  readonly outward: readonly [rule: string, detail: RegExp];
}

/** How it stands with a certificate whose chain, purpose or dates are not right. */
function badCertificate(detail: RegExp): Verdict {
  return {
    ...{ event: 'tls-failed', rule: 'bad-certificate', detail },
    outward: ['partner-certificate', detail],
  };
}

for (const [what, usages] of [
  ['for servers and clients', undefined],
  ['for servers only', ['serverAuth']],
] as const)
  test(`S10 Kamailio with a certificate ${what} is a partner in both directions`, async (t) => {
    const stage = await startFederation(t);
    const certificate = await stage.lab.authority.issue({ ...OURS, ...(usages && { usages: [...usages] }) });
    const partner = await startKamailio(t, stage, { certificate });
    const sending = sendsToAlice(partner, stage);
    stage.fe.answers(await stage.fe.receivesRequest('MESSAGE'), 200);
    assert.equal(await sending, '200');
    stage.fe.sends(request('MESSAGE', BOB, fromAlice({ 'Content-Type': 'text/plain' }), 'both ways'));
    await partner.took('both ways');
    await stage.fe.receives(200);
  });

test('S10 Kamailio that shows no certificate is no partner; OpenSSL that has none is not spoken to', async (t) => {
  const stage = await startFederation(t);
  const partner = await startKamailio(t, stage, { dialsWithout: true });
  await isRefused(stage, partner, { event: 'tls-failed', rule: 'no-certificate', detail: /^$/ });
  // A Kamailio has to have one where it is the server; OpenSSL can do without.
  await partner.stop();
  const server = await startBareServer(t, stage);
  await isNotReached(stage, ['partner-unreachable', /a TLS handshake failed: .*HANDSHAKE_FAILURE/]);
  assert.doesNotMatch(server.output, /MESSAGE/);
});

for (const [what, change, detail] of [
  ['for clients only', { usages: ['clientAuth'] }, /wrong-purpose/],
  [
    'that has expired',
    { notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY) },
    /expired/,
  ],
] as [string, Partial<LeafRequest>, RegExp][])
  test(`S10 Kamailio with a certificate ${what} is no partner in either direction`, async (t) => {
    const stage = await startFederation(t);
    const certificate = await stage.lab.authority.issue({ ...OURS, ...change });
    await neitherWay(t, stage, certificate, badCertificate(detail));
  });

for (const [what, make, detail] of [
  ['that it signed itself', () => LabAuthority.selfSigned(OURS), /self-signed/],
  [
    'of an authority that nobody knows',
    async () => (await LabAuthority.create({ name: 'Nobody' })).issue(OURS),
    /unknown-issuer/,
  ],
] as [string, () => Promise<IssuedCertificate>, RegExp][])
  test(`S10 Kamailio with a certificate ${what} is no partner in either direction`, async (t) => {
    await neitherWay(t, await startFederation(t), await make(), badCertificate(detail));
  });

test('S10 Kamailio with a certificate that was revoked is no partner in either direction', async (t) => {
  const stage = await startFederation(t, asksForLists);
  const lists = await publishLists(t, stage.lab);
  const certificate = await stage.lab.authority.issue({ ...OURS, lists: [LIST] });
  lists.revoke(certificate);
  await neitherWay(t, stage, certificate, {
    ...{ event: 'partner-connection-refused', rule: 'partner-certificate', detail: /revoked/ },
    outward: ['partner-certificate', /revoked/],
  });
});

test('S10 Kamailio with a certificate for a name of nobody on the list is no partner in either direction', async (t) => {
  const stage = await startFederation(t);
  const certificate = await stage.lab.authority.issue({ ...OURS, hosts: ['sip.elsewhere.example'] });
  await neitherWay(t, stage, certificate, {
    ...{ event: 'partner-connection-refused', rule: 'unlisted-domain', detail: /^$/ },
    outward: ['partner-certificate', /found sip\.elsewhere\.example/],
  });
});

test('S9 Kamailio with the certificate of another partner speaks for that one only', async (t) => {
  const proxy = 'sip.other.example';
  const stage = await startFederation(t, ({ policy }) => {
    policy.federation.allowed.push({ domain: 'other.example', proxy, verification: 'use-source' });
  });
  const certificate = await stage.lab.authority.issue({ ...OURS, hosts: [proxy] });
  const partner = await startKamailio(t, stage, { certificate });
  assert.equal(await sendsToAlice(partner, stage), '403');
  const refused = await told(stage, 'partner-message-refused');
  assert.deepEqual([refused.fields.rule, refused.fields.domain], ['from-not-verified', PARTNER.domain]);
  const sending = sendsToAlice(partner, stage, 'sip:eve@other.example');
  const arrived = await stage.fe.receivesRequest('MESSAGE');
  assert.equal(arrived.from.uri, 'sip:eve@other.example', 'the first that reached the next hop');
  stage.fe.answers(arrived, 200);
  assert.equal(await sending, '200');
});

async function neitherWay(
  t: TestContext,
  stage: FederationLab,
  certificate: IssuedCertificate,
  { outward, ...inward }: Verdict,
): Promise<void> {
  const partner = await startKamailio(t, stage, { certificate });
  await isRefused(stage, partner, inward);
  await isNotReached(stage, outward);
  assert.doesNotMatch(partner.program.output, /GOT /, 'it was told nothing');
}

/** What it sends is not answered but by the end of the connection, and goes nowhere. */
async function isRefused(
  stage: FederationLab,
  partner: KamailioPartner,
  { event, rule, detail }: Omit<Verdict, 'outward'>,
): Promise<void> {
  stage.lab.events.demand({ providers: { Tls: { level: 'info', bodies: false } } });
  const sending = sendsToAlice(partner, stage);
  const refused = await told(stage, event);
  assert.equal(refused.fields.rule, rule);
  assert.match(String(refused.fields.detail ?? ''), detail);
  assert.deepEqual(refused.keys?.address, [PARTNER.address]);
  await partner.wasClosedBy(EDGE.address);
  assert.equal(await sending, '408', 'the answer that Kamailio makes itself when none comes');
  assert.doesNotMatch(stage.fe.shown, /MESSAGE/, 'the next hop has seen nothing of it');
}

/** A message of alice to bob is refused, and the operator is told why. */
async function isNotReached({ lab, fe }: FederationLab, [rule, detail]: Verdict['outward']): Promise<void> {
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const answer = await fe.receives(504);
  assert.match(answer.header('ms-diagnostics-public') ?? '', /^10(10|07);/);
  const told = lab.log.lines.find(({ event }) => event === 'partner not reached');
  assert.equal(told?.rule, rule);
  assert.match(String(told?.detail), detail);
}

/** OpenSSL as a TLS server without a certificate: all that it can agree on are cipher suites without authentication. */
async function startBareServer(t: TestContext, { lab }: FederationLab): Promise<ChildProgram> {
  const server = new ChildProgram({
    ...{ program: 'openssl', debianPackage: 'openssl', folder: lab.folder },
    parameters: [
      ...['s_server', '-accept', `${PARTNER.address}:5061`, '-nocert', '-tls1_2'],
      ...['-cipher', 'aNULL:@SECLEVEL=0'],
    ],
  });
  t.after(() => server.stop());
  await server.printed(/ACCEPT/);
  return server;
}

type Told = ReturnType<FederationLab['lab']['events']['take']>[number];

/** The next event of this name that the edge tells. */
async function told({ lab }: FederationLab, name: string): Promise<Told> {
  let found: Told | undefined;
  await until(() => {
    found ??= lab.events.take(100).find((event) => event.name === name);
    return found !== undefined;
  });
  return found ?? assert.fail(`no ${name}`);
}
