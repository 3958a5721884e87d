import { negotiate } from '#protocols/xmpp';
import type { Path } from '../finding.ts';
import type { EdgeFacts } from './edge-facts.ts';
import { type ListedDomain, noneOfOurs } from './listed-domains.ts';
import type { Rule } from './rule.ts';

const PARTNERS: Path = ['policy', 'xmpp', 'partners'];

function listedDomains({ draft }: EdgeFacts): ListedDomain[] {
  return (draft.policy?.xmpp?.partners ?? []).flatMap((partner, index) => {
    const more = (partner?.additionalDomains ?? []).map((domain, at) => ({
      domain,
      path: [...PARTNERS, index, 'additionalDomains', at],
    }));
    return [{ domain: partner?.domain, path: [...PARTNERS, index, 'domain'] }, ...more].flatMap(
      ({ domain, path }) => (domain === undefined ? [] : [{ domain, path }]),
    );
  });
}

const listedOnce: Rule<EdgeFacts> = {
  name: 'xmpp-domain-twice',
  check(facts, say) {
    const first = new Map<string, Path>();
    for (const { domain, path } of listedDomains(facts)) {
      const other = first.get(domain);
      first.set(domain, other ?? path);
      // Twice in one list is the rule `duplicate`.
      const sameList = other !== undefined && other.slice(0, -1).join() === path.slice(0, -1).join();
      if (other === undefined || (sameList && path.includes('additionalDomains'))) continue;
      say(
        path,
        'error',
        `${domain} already stands at ${other.join('.')}`,
        'write each domain at one partner only',
      );
    }
  },
};

const listedOwn = noneOfOurs('xmpp-own-domain', listedDomains);

/** What comes of TLS, SASL and dialback together. */
const negotiation: Rule<EdgeFacts> = {
  name: 'xmpp-negotiation',
  check({ draft }, say) {
    for (const [index, partner] of (draft.policy?.xmpp?.partners ?? []).entries()) {
      const { tls, sasl, dialback, domain = 'the partner' } = partner ?? {};
      if (tls === undefined || sasl === undefined || dialback === undefined) continue;
      const { state, why = '', methods } = negotiate({ tls, sasl, dialback });
      const path = [...PARTNERS, index, 'domain'];
      if (state === 'refused') {
        const what = `nothing is left by which ${domain} could prove its domain: ${why}`;
        say(path, 'error', what, 'write tls: required and sasl: required, or dialback: true');
      } else if (state === 'warning') {
        const instead = `as it is written: ${methods.join(', ')}; the clear form is tls: required, sasl: required, dialback: false`;
        say(path, 'warning', `${domain}: ${why}`, instead);
      }
    }
  },
};

/** There is no other switch: a partner has to be listed. */
const noPartners: Rule<EdgeFacts> = {
  name: 'xmpp-no-partners',
  check({ draft }, say) {
    if (draft.policy?.features?.xmpp !== true || draft.policy.xmpp?.partners?.length !== 0) return;
    const what = 'XMPP federation is on, and no partner is listed: nothing is exchanged with anybody';
    say(
      ['policy', 'features', 'xmpp'],
      'warning',
      what,
      'list partners in policy.xmpp.partners, or write false',
    );
  },
};

export const xmppRules: readonly Rule<EdgeFacts>[] = [listedOnce, listedOwn, negotiation, noPartners];
