import type { Draft, ReadSetting } from '../document/read-document.ts';
import type { TracedListener } from '../plan/listeners.ts';
import type { InternalDocument } from '../schema/internal-schema.ts';
import {
  type CommonFacts,
  duplicate,
  limitOrder,
  portClash,
  sayRepeatedServers,
  socketPath,
} from './common.ts';
import type { Rule } from './rule.ts';

export interface InternalFacts extends CommonFacts {
  readonly draft: Draft<InternalDocument>;
  readonly settings: readonly ReadSetting[];
  readonly listeners: readonly TracedListener[];
}

const edgeRepeats: Rule<InternalFacts> = {
  name: 'duplicate',
  check({ draft }, say) {
    sayRepeatedServers(draft.frontEnd?.edges, ['frontEnd', 'edges'], say);
  },
};

/** A domain is ours or one peer's; a name is that of one edge or one peer, which may have conferences beside other domains. */
const peerRepeats: Rule<InternalFacts> = {
  name: 'duplicate',
  check({ draft }, say) {
    const { trustedPeers, edges, sipDomains } = draft.frontEnd ?? {};
    const edgeNames = new Map((edges ?? []).map((edge, at) => [edge?.name, `frontEnd.edges[${at}]`]));
    const names = new Map<string | undefined, string>();
    const domains = new Map((sipDomains ?? []).map((domain) => [domain, 'frontEnd.sipDomains']));
    for (const [at, peer] of (trustedPeers ?? []).entries()) {
      const path = ['frontEnd', 'trustedPeers', at];
      const shown = `frontEnd.trustedPeers[${at}]`;
      const name = peer?.conferences === true ? `${peer.name} conferences` : peer?.name;
      const first = edgeNames.get(peer?.name) ?? names.get(name);
      if (first === undefined) names.set(name, shown);
      else
        say([...path, 'name'], 'error', `${peer?.name} is also the name of ${first}`, 'write another name');
      for (const [index, domain] of (peer?.domains ?? []).entries()) {
        const owner = domains.get(domain);
        if (owner === undefined) domains.set(domain, shown);
        else if (owner !== shown) {
          const what = `${domain} is also a domain of ${owner}`;
          say([...path, 'domains', index], 'error', what, 'keep it in one of the two');
        }
      }
    }
  },
};

/** The shortest time is not longer than the usual one, nor that than the longest. */
const expiresOrder: Rule<InternalFacts> = {
  name: 'expires-order',
  check({ draft }, say) {
    for (const section of ['registrar', 'presence'] as const) {
      const times = draft.frontEnd?.[section] ?? {};
      const { minExpiresSeconds: min, defaultExpiresSeconds: usual, maxExpiresSeconds: max } = times;
      if (min === undefined || usual === undefined || max === undefined) continue;
      const path = ['frontEnd', section];
      if (min > max) {
        const what = `minExpiresSeconds ${min} is more than maxExpiresSeconds ${max}`;
        say([...path, 'minExpiresSeconds'], 'error', what, `write at most ${max}`);
      } else if (usual < min || usual > max) {
        const what = `defaultExpiresSeconds ${usual} is not between minExpiresSeconds and maxExpiresSeconds`;
        say([...path, 'defaultExpiresSeconds'], 'error', what, `write a number from ${min} to ${max}`);
      }
    }
  },
};

/** The conferences of this document are reached through its own front end, unless another next hop is listed. */
const conferencePeer: Rule<InternalFacts> = {
  name: 'conference-peer',
  check({ draft }, say) {
    const { domain, nextHops } = draft.webConferencing ?? {};
    if (domain === undefined || (nextHops ?? []).length > 0) return;
    const peers = draft.frontEnd?.trustedPeers ?? [];
    if (peers.some((peer) => peer?.conferences === true && peer.domains?.includes(domain) === true)) return;
    const what = `no trusted peer of the front end has conferences in ${domain}: nobody can call them`;
    const name = draft.host?.name ?? 'the name of this host';
    const instead = `list ${name} in frontEnd.trustedPeers, with domains: [${domain}] and conferences: true`;
    say(['webConferencing', 'domain'], 'warning', what, instead);
  },
};

export const internalRules: readonly Rule<InternalFacts>[] = [
  duplicate,
  edgeRepeats,
  peerRepeats,
  portClash,
  socketPath,
  limitOrder(['frontEnd', 'limits']),
  expiresOrder,
  conferencePeer,
];
