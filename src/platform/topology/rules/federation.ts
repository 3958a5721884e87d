import type { Path } from '../finding.ts';
import type { EdgeFacts } from './edge-facts.ts';
import { type ListedDomain, noneOfOurs } from './listed-domains.ts';
import type { Rule } from './rule.ts';

const FEDERATION: Path = ['policy', 'federation'];
const PROVIDERS: Path = ['policy', 'publicProviders'];

/** Every domain that stands on a list of partners, providers or blocked ones, in the order of the document. */
function listedDomains({ draft }: EdgeFacts): ListedDomain[] {
  const { federation, publicProviders } = draft.policy ?? {};
  const of = (list: 'allowed' | 'blocked') =>
    (federation?.[list] ?? []).map((entry, index) => ({
      domain: entry?.domain,
      path: [...FEDERATION, list, index, 'domain'],
    }));
  const provided = (publicProviders ?? []).flatMap((provider, index) => {
    const path = [...PROVIDERS, index];
    const domains = (provider?.domains ?? []).map((domain, at) => ({
      domain,
      path: [...path, 'domains', at],
    }));
    return [...domains, { domain: provider?.decorationDomain, path: [...path, 'decorationDomain'] }];
  });
  return [...of('allowed'), ...of('blocked'), ...provided].flatMap(({ domain, path }) => {
    return domain === undefined ? [] : [{ domain, path }];
  });
}

/** A domain is a partner's, a provider's or blocked, and only one of them. */
const listedOnce: Rule<EdgeFacts> = {
  name: 'federation-domain-twice',
  check(facts, say) {
    const first = new Map<string, Path>();
    for (const { domain, path } of listedDomains(facts)) {
      const other = first.get(domain);
      first.set(domain, other ?? path);
      // A provider may write its users of elsewhere under a domain of its own.
      const own = path.at(-1) === 'decorationDomain' && other?.[2] === path[2] && other?.[1] === path[1];
      if (other === undefined || own) continue;
      const what = `${domain} already stands at ${other.join('.')}`;
      say(path, 'error', what, 'write each domain on one list only; the block list needs no counterpart');
    }
  },
};

const listedOwn = noneOfOurs('federation-own-domain', listedDomains);

const routes: Rule<EdgeFacts> = {
  name: 'federation-routing',
  check({ draft }, say) {
    const { features, federation, publicProviders } = draft.policy ?? {};
    if (federation?.routing !== 'default-route') return;
    if (federation.defaultRoute?.publicProvider === true && features?.publicProviders !== true) {
      const what = 'the default route leads to public providers, and nothing is exchanged with those';
      const instead = 'write policy.features.publicProviders: true, or false here';
      say([...FEDERATION, 'defaultRoute', 'publicProvider'], 'warning', what, instead);
    }
    const path = [...FEDERATION, 'routing'];
    if (federation.defaultRoute?.proxy === undefined) {
      say(path, 'error', 'there is no default route', 'write policy.federation.defaultRoute.proxy');
    }
    if (federation.discovery?.enabled === true) {
      say(path, 'error', 'discovery goes by DNS only', 'write dns, or turn policy.federation.discovery off');
    }
    if ((publicProviders ?? []).length > 0) {
      const instead = 'take the providers out of policy.publicProviders, or write dns';
      say(path, 'error', 'a default route excludes providers', instead);
    }
  },
};

const providerProxies: Rule<EdgeFacts> = {
  name: 'provider-proxy-twice',
  check({ draft }, say) {
    const seen = new Set<string>();
    for (const [index, provider] of (draft.policy?.publicProviders ?? []).entries()) {
      const proxy = provider?.proxy;
      if (proxy === undefined) continue;
      if (seen.has(proxy)) {
        const what = `${proxy} is the server of another provider`;
        say([...PROVIDERS, index, 'proxy'], 'error', what, 'write one entry for each server');
      }
      seen.add(proxy);
    }
  },
};

export const federationRules: readonly Rule<EdgeFacts>[] = [listedOnce, listedOwn, routes, providerProxies];
