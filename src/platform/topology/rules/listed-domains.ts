import type { Path } from '../finding.ts';
import type { EdgeFacts } from './edge-facts.ts';
import type { Rule } from './rule.ts';

/** A domain of another organisation, and where it stands in the document. */
export interface ListedDomain {
  readonly domain: string;
  readonly path: Path;
}

/** None of the listed domains is a SIP domain of ours. */
export function noneOfOurs(
  name: string,
  listedDomains: (facts: EdgeFacts) => readonly ListedDomain[],
): Rule<EdgeFacts> {
  return {
    name,
    check(facts, say) {
      const own = new Set(facts.draft.policy?.sipDomains ?? []);
      for (const { domain, path } of listedDomains(facts)) {
        if (!own.has(domain)) continue;
        const what = `${domain} is one of policy.sipDomains`;
        say(path, 'error', what, 'write domains of other organisations only');
      }
    },
  };
}
