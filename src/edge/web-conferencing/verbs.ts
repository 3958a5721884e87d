import { z } from 'zod';
import { type VerbHandler, verb } from '#platform/service';
import type { ConferencingEdge } from './conferencing-edge.ts';
import type { EdgeMetrics } from './metrics.ts';
import { refusals } from './policy/refusals.ts';

const MOST = 1000;

/** The administration verbs of the Web Conferencing Edge service. */
export function conferencingVerbs(
  running: () => ConferencingEdge | undefined,
  meters: EdgeMetrics,
): Readonly<Record<string, VerbHandler>> {
  return {
    /** How many are in, by which links, and what was refused since the start. */
    status: verb(z.strictObject({}), () => ({
      participants: running()?.participants.size ?? 0,
      links: (running()?.links.states() ?? []).map((link) => ({ ...link, state: link.state ?? null })),
      refused: refusals
        .map((reason) => ({ reason, count: meters.refused.value(reason) }))
        .filter(({ count }) => count > 0),
    })),
    /** Everybody who is in. */
    participants: verb(z.strictObject({}), () => ({
      participants: [...(running()?.participants ?? [])].slice(0, MOST).map(({ claims, relay, since }) => ({
        conference: claims.conference,
        participant: claims.participant,
        role: claims.role,
        node: claims.node,
        address: relay.outside.remote.address,
        since: new Date(since).toISOString(),
        received: relay.outside.bytesReceived,
        sent: relay.outside.bytesSent,
      })),
    })),
  };
}
