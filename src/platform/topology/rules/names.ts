import { pathText } from '../finding.ts';
import { usualName, zoneOf } from '../plan/external-names.ts';
import { type EdgeFacts, EXTERNAL } from './edge-facts.ts';
import type { Rule } from './rule.ts';

type Service = (typeof EXTERNAL)[number];

/** The services whose names are published, for what the document asks. */
function published({ draft }: EdgeFacts): Service[] {
  const { media, webConferencing } = draft.policy?.features ?? {};
  const on = { access: true, webConferencing: webConferencing === true, av: media === true };
  return EXTERNAL.filter((service) => on[service]);
}

function together({ draft }: EdgeFacts, one: Service, other: Service): boolean {
  const { addresses } = draft.host ?? {};
  return addresses?.[one]?.join() === addresses?.[other]?.join();
}

/** A name leads to all its addresses: whoever looks it up for one service must not get that of another. */
const sharedName: Rule<EdgeFacts> = {
  name: 'name-shared',
  check(facts, say) {
    const names = facts.draft.policy?.names ?? {};
    const services = published(facts);
    for (const [index, service] of services.entries()) {
      const name = names[service];
      const first = services
        .slice(0, index)
        .find((other) => names[other] === name && !together(facts, other, service));
      if (name === undefined || first === undefined) continue;
      const what = `${name} is also policy.names.${first}, and their addresses are not the same`;
      say(['policy', 'names', service], 'error', what, 'write a name of its own, or give both one address');
    }
  },
};

/** The names that every SIP domain gets (`sip.<domain>`, `av.<domain>`) are not another service's. */
const usualNameTaken: Rule<EdgeFacts> = {
  name: 'name-shared',
  check(facts, say) {
    const { names = {}, sipDomains = [] } = facts.draft.policy ?? {};
    const domains = sipDomains.filter((domain) => domain !== undefined);
    const services = published(facts);
    for (const service of (['access', 'av'] as const).filter((one) => services.includes(one))) {
      const own = names[service];
      if (own === undefined) continue;
      const zone = zoneOf(own, domains);
      const usual = new Map(
        domains.filter((domain) => domain !== zone).map((domain) => [usualName(service, domain), domain]),
      );
      for (const other of services) {
        const name = names[other];
        const domain = name === undefined ? undefined : usual.get(name);
        if (domain === undefined || other === service || together(facts, service, other)) continue;
        const path = ['policy', 'names', other];
        const what = `${name} is what the ${service === 'av' ? 'A/V Edge' : 'Access Edge'} service is called in ${domain}, where ${pathText(['policy', 'names', service])} does not lie`;
        say(path, 'error', what, 'write another name');
      }
    }
  },
};

/** RFC 1035 §2.3.4, as text without the final dot. */
const LONGEST_NAME = 253;
/** The longest of what stands in front of a SIP domain in DNS. */
const LONGEST_LABELS = '_sipfederationtls._tcp.';

/** A SIP domain leaves room for its service records. */
const domainLength: Rule<EdgeFacts> = {
  name: 'sip-domain-length',
  check({ draft }, say) {
    const most = LONGEST_NAME - LONGEST_LABELS.length;
    for (const [index, domain] of (draft.policy?.sipDomains ?? []).entries()) {
      if (domain === undefined || domain.length <= most) continue;
      const what = `the domain has ${domain.length} characters, and ${LONGEST_LABELS} in front of it makes too long a name for DNS`;
      say(['policy', 'sipDomains', index], 'error', what, `write a domain of at most ${most} characters`);
    }
  },
};

/** As `realm` of `schema/setting.ts` has it; here for the realm that is taken from the first domain. */
const LONGEST_REALM = 127;

const realmLength: Rule<EdgeFacts> = {
  name: 'realm-length',
  check({ draft }, say) {
    const realm = draft.policy?.relay?.realm ?? '';
    if (realm.length <= LONGEST_REALM) return;
    const what = `the realm of the relay is taken from this domain, which has ${realm.length} characters`;
    const instead = `write policy.relay.realm, at most ${LONGEST_REALM} characters`;
    say(['policy', 'sipDomains', 0], 'error', what, instead);
  },
};

export const nameRules: readonly Rule<EdgeFacts>[] = [sharedName, usualNameTaken, domainLength, realmLength];
