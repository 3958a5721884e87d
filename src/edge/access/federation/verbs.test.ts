import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '#kernel';
import { LabAuthority } from '#platform/pki';
import type { AccessLab } from '../testing/lab.ts';
import { request } from '../testing/messages.ts';
import type { Trial } from './partner-trial.ts';
import { fromBob, PARTNER, startFederation, TestPartner } from './testing/partners.ts';

const tried = async (lab: AccessLab, domain: string): Promise<Trial> =>
  (await lab.service.verbs['federation-test']?.({ domain })) as Trial;

test('federation test tells the whole story of a domain, step by step', async (t) => {
  const { lab, names } = await startFederation(t);
  const ask = (domain: string): Promise<Trial> => tried(lab, domain);
  const last = async (domain = PARTNER.domain): Promise<string> => {
    const { ok, steps } = await ask(domain);
    const { topic, ok: fine, text } = steps.at(-1) ?? assert.fail('no steps');
    assert.equal(ok, fine);
    assert.ok(steps.every(({ atMs, tookMs }) => atMs >= 0 && tookMs >= 0));
    return `${topic}: ${text}`;
  };
  const refused = 'policy: elsewhere.example is refused by the rule unlisted-domain: ';
  assert.ok(
    (await last('elsewhere.example')).startsWith(`${refused}it stands neither in policy.federation.allowed`),
  );
  const address = names.hosts.get(PARTNER.proxy) ?? [];
  names.hosts.delete(PARTNER.proxy);
  assert.equal(
    await last(),
    `answer: partner-unresolvable: a name does not exist in the DNS: ${PARTNER.proxy}`,
  );
  names.hosts.set(PARTNER.proxy, address);
  assert.match(await last(), /^answer: partner-unreachable: .*ECONNREFUSED/);
  const wrong = await TestPartner.create(t, lab, { hosts: ['sip.elsewhere.example'] });
  await wrong.listen();
  assert.match(await last(), /^answer: partner-certificate: .*found sip\.elsewhere\.example/);
  await wrong.stop();
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const asking = ask(PARTNER.domain);
  const theirs = await partner.connection();
  theirs.answers(await theirs.receivesRequest('OPTIONS'), 405);
  const { ok, steps } = await asking;
  assert.ok(ok);
  assert.deepEqual(
    steps.map(({ topic }) => topic),
    ['policy', 'dns', 'dns', 'certificate', 'names', 'revocation', 'connect', 'answer'],
  );
  const told = steps.map(({ text }) => text);
  assert.match(told[2] ?? '', /^A sip\.partner\.example: 127\.0\.9\.41 \(from /);
  assert.equal(told[4], 'partner.example or sip.partner.example sought in sip.partner.example: recognised');
  assert.match(told[5] ?? '', /^the certificate stands/);
  assert.match(told[6] ?? '', /^sip\.partner\.example at 127\.0\.9\.41:5061 from 127\.0\.9\.10: connected$/);
  assert.equal(told[7], 'OPTIONS answered with 405');
});

test('federation test says what there is to change for each rule, and what is no domain', async (t) => {
  const { lab } = await startFederation(t, ({ policy }) => {
    policy.federation.blocked = [{ domain: 'blocked.example' }];
    policy.publicProviders = [
      {
        ...{ name: 'Off', kind: 'public', proxy: 'p.provider.example', enabled: false },
        ...{ domains: ['provider.example'], audioVideo: false, verification: 'use-source' },
      } as (typeof policy.publicProviders)[number],
    ];
  });
  const policy = async (domain: string): Promise<string> => {
    const { ok, steps } = await tried(lab, domain);
    assert.deepEqual([ok, steps.map(({ topic }) => topic)], [false, ['policy']]);
    return steps[0]?.text ?? '';
  };
  assert.match(await policy('blocked.example'), /rule blocked-domain: .*policy\.federation\.blocked$/);
  assert.match(await policy('example.com'), /rule own-domain: .*policy\.sipDomains/);
  assert.match(await policy('provider.example'), /rule provider-off: .*policy\.publicProviders/);
  assert.match(
    await policy('Bücher.Example.'),
    /^xn--bcher-kva\.example is refused by the rule unlisted-domain/,
  );
  for (const none of [
    '192.0.2.7',
    '[2001:db8::1]',
    'sip:bob@partner.example',
    'bob@partner.example',
    'a..b',
    ' ',
  ])
    assert.match(await policy(none), /is no domain: write it alone/, none);
  lab.document.policy.federation.enabled = false;
  await lab.commit();
  assert.match(
    await policy(PARTNER.domain),
    /rule federation-not-allowed: policy\.federation\.enabled is off$/,
  );
});

test('federation test shows the certificate that it refuses, by which its partner knows it', async (t) => {
  const { lab } = await startFederation(t);
  const authority = await LabAuthority.create({ name: 'Somebody else' });
  const partner = await TestPartner.create(t, { authority });
  await partner.listen();
  const { steps } = await tried(lab, PARTNER.domain);
  const shown = steps.find(({ topic }) => topic === 'certificate') ?? assert.fail('no certificate');
  assert.equal(shown.ok, false);
  assert.match(
    shown.text,
    /^CN=.*, issued by CN=Somebody else, SHA-256 [0-9a-f]{16}…, valid from \S+Z until \S+Z: unknown-issuer$/,
  );
});

test('partners and connections are shown; discovered ones are reported again and again [setting policy.publicProviders[].name] [setting policy.federation.discovery.reportMinutes]', async (t) => {
  const { lab, names, fe } = await startFederation(t, ({ policy }) => {
    policy.features.publicProviders = true;
    policy.publicProviders = [
      {
        ...{ name: 'Messenger', kind: 'public', proxy: 'p.provider.example', enabled: true },
        ...{ domains: ['provider.example'], audioVideo: false, verification: 'use-source' },
      } as (typeof policy.publicProviders)[number],
    ];
    policy.federation.allowed = [];
    policy.federation.discovery.enabled = true;
  });
  names.publish(PARTNER.domain, PARTNER.proxy);
  const dialled = await (await TestPartner.create(t, lab)).dials(lab);
  dialled.sends(request('MESSAGE', 'sip:alice@example.com', fromBob()));
  await fe.receivesRequest('MESSAGE');
  const shown = (await lab.service.verbs['federation-partners']?.({})) as Record<
    string,
    { [key: string]: unknown }[]
  >;
  assert.deepEqual(
    [shown.partners?.[0]?.provider, shown.partners?.[0]?.domain],
    ['Messenger', 'provider.example'],
  );
  assert.deepEqual(shown.inbound?.[0]?.speaksFor, [PARTNER.domain]);
  assert.equal(shown.discovered?.[0]?.domain, PARTNER.domain);
  // A thousandth of what a document may say, so that the test sees more than one.
  lab.document.policy.federation.discovery.reportMinutes = 0.0005;
  await lab.commit();
  let reports = 0;
  await until(() => {
    reports += lab.events.take(100).filter(({ name }) => name === 'discovered-partner').length;
    return reports >= 2;
  });
});
