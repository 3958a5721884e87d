import type { TestContext } from 'node:test';
import type { EdgeDocument } from '#platform/topology';
import { fromBob, startFederation, TestPartner } from './partners.ts';

export const PROXY = 'federation.provider.example';
const ADDRESS = '127.0.9.43';
type Provider = EdgeDocument['policy']['publicProviders'][number];

export const provider: Provider = {
  name: 'Messenger',
  kind: 'public',
  proxy: PROXY,
  enabled: true,
  domains: ['one.example', 'two.example'],
  decorationDomain: 'one.example',
  audioVideo: false,
  verification: 'always-unverifiable',
};

/** An Access Edge with a public provider, which has dialled it and is listening. */
export async function startProvider(t: TestContext, change: (document: EdgeDocument) => void = () => {}) {
  const stage = await startFederation(t, (document) => {
    const { policy } = document;
    policy.features.publicProviders = true;
    policy.publicProviders = [structuredClone(provider)];
    change(document);
  });
  stage.names.hosts.set(PROXY, [ADDRESS]);
  const partner = await TestPartner.create(t, stage.lab, { hosts: [PROXY] });
  await partner.listen(ADDRESS);
  const dialled = await partner.dials(stage.lab, ADDRESS);
  const entry = stage.lab.document.policy.publicProviders[0] ?? structuredClone(provider);
  return { ...stage, partner, dialled, entry };
}

/** What a request of dave, at one of the provider's domains, has. */
export function from(domain: string, change: Record<string, string> = {}, user = 'dave') {
  const Via = String(fromBob().Via).replace('sip.partner.example', PROXY);
  return fromBob({ Via, From: `<sip:${user}@${domain}>;tag=d`, ...change });
}
