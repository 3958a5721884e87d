import { z } from 'zod';
import { type VerbHandler, verb } from '#platform/service';
import type { Federation } from './federation.ts';
import { tryPartner } from './partner-trial.ts';
import type { Partner } from './policy/partner-table.ts';

const MOST = 1000;

/** The administration verbs of federation. */
export function federationVerbs(
  federation: () => Federation | undefined,
): Readonly<Record<string, VerbHandler>> {
  return {
    /** Why nobody is a partner, if so; the partners of the document, connections in both directions, and who was discovered. */
    'federation-partners': verb(z.strictObject({}), () => {
      const running = federation();
      if (running === undefined) return { partners: [], inbound: [], discovered: [] };
      return {
        closed: running.scene.partners.closed,
        partners: running.scene.partners
          .partners()
          .slice(0, MOST)
          .map((partner) => describe(partner, running)),
        inbound: running
          .inbound()
          .slice(-MOST)
          .map(({ flow, peer, identities }) => ({
            connection: flow.id,
            remote: flow.connection.remote.address,
            names: [...peer.names.uri, ...peer.names.dns].slice(0, 20),
            speaksFor: identities.map(({ domain }) => domain),
            messages: flow.messages,
          })),
        discovered: running.policing.report().slice(-MOST),
      };
    }),
    /** The whole story of one domain, step by step; it asks, dials and sends an OPTIONS, and changes nothing. */
    'federation-test': verb(z.strictObject({ domain: z.string().min(1).max(253) }), ({ domain }) => {
      const running = federation();
      return running === undefined ? { steps: [] } : tryPartner(running, domain);
    }),
  };
}

function describe(partner: Partner, running: Federation) {
  const { kind, domain, proxy, verification, provider } = partner;
  const link = running.links.linkOf(partner);
  return {
    domain,
    kind,
    proxy,
    provider: provider?.name,
    verification,
    connections: link?.open ?? 0,
    trouble: link?.failure?.detail,
  };
}
