import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '#kernel';
import { request } from '../testing/messages.ts';
import type { Trial } from './partner-trial.ts';
import { fromBob, PARTNER, startFederation, TestPartner } from './testing/partners.ts';

test('federation test tells the whole story of a domain, step by step', async (t) => {
  const { lab, names } = await startFederation(t);
  const ask = async (domain: string): Promise<Trial> =>
    (await lab.service.verbs['federation-test']?.({ domain })) as Trial;
  const last = async (domain = PARTNER.domain): Promise<string> => {
    const { ok, steps } = await ask(domain);
    const { topic, ok: fine, text } = steps.at(-1) ?? assert.fail('no steps');
    assert.equal(ok, fine);
    assert.ok(steps.every(({ atMs, tookMs }) => atMs >= 0 && tookMs >= 0));
    return `${topic}: ${text}`;
  };
  assert.equal(await last('elsewhere.example'), 'policy: refused by the rule unlisted-domain');
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
