import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../testing/messages.ts';
import { until } from '../testing/plays.ts';
import type { TrialStep } from './partner-trial.ts';
import { fromBob, PARTNER, startFederation, TestPartner } from './testing/partners.ts';

interface Trial {
  readonly ok: boolean;
  readonly steps: readonly TrialStep[];
}

test('federation test tells the whole story of a domain, step by step', async (t) => {
  const { lab, names } = await startFederation(t);
  const ask = async (domain: string): Promise<Trial> =>
    (await lab.service.verbs['federation-test']?.({ domain })) as Trial;
  const last = async (domain = PARTNER.domain): Promise<string> => {
    const { ok, steps } = await ask(domain);
    const { step, ok: fine, detail } = steps.at(-1) as TrialStep;
    assert.equal(ok, fine);
    assert.ok(steps.every(({ milliseconds }) => milliseconds >= 0));
    return `${step}: ${detail}`;
  };
  assert.equal(await last('elsewhere.example'), 'policy: refused by the rule unlisted-domain');
  const address = names.hosts.get(PARTNER.proxy) ?? [];
  names.hosts.delete(PARTNER.proxy);
  assert.equal(await last(), `names: partner-unresolvable: no address of ${PARTNER.proxy}`);
  names.hosts.set(PARTNER.proxy, address);
  assert.match(await last(), /^connection: SLP-NET-0010 .*ECONNREFUSED/);
  const wrong = await TestPartner.create(t, lab, { hosts: ['sip.elsewhere.example'] });
  await wrong.listen();
  assert.match(await last(), /^certificate: SLP-NET-0014 .*found sip\.elsewhere\.example/);
  await wrong.stop();
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const asking = ask(PARTNER.domain);
  const theirs = await partner.connection();
  theirs.answers(await theirs.receivesRequest('OPTIONS'), 405);
  const { ok, steps } = await asking;
  assert.ok(ok);
  assert.deepEqual(
    steps.map(({ step }) => step),
    ['policy', 'names', 'certificate', 'revocation', 'options'],
  );
  assert.equal(
    steps[2]?.detail,
    'it names sip.partner.example; sip.partner.example (proxy) speaks for partner.example',
  );
  assert.match(steps[3]?.detail ?? '', /^the certificate stands/);
  assert.equal(steps[4]?.detail, '405');
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
