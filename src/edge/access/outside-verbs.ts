import { z } from 'zod';
import { type VerbHandler, verb } from '#platform/service';
import { Trace } from '#platform/telemetry';
import type { Running } from './running.ts';

/** Longest name in text form (RFC 1035 §2.3.4). */
const NAME = z.string().min(1).max(253);

/** Verbs that try what this edge asks of others outside: names (port rows ext-03 and ext-04) and lists (ext-02). */
export function outsideVerbs(running: () => Running | undefined): Readonly<Record<string, VerbHandler>> {
  return {
    /** What the resolver of this edge says to a question, as federation would be told; perhaps from what it keeps. */
    resolve: verb(
      z.strictObject({ name: NAME, type: z.enum(['A', 'AAAA', 'SRV']) }),
      async ({ name, type }) => {
        const names = running()?.names;
        if (names === undefined) return { problem: 'no document yet' };
        const answer =
          type === 'SRV' ? await names.services(name) : await names.addresses(name, type === 'A' ? 4 : 6);
        if (answer.ok) return answer.value;
        const { reason, message, ttl } = answer.error;
        return { problem: message, reason, ttl };
      },
    ),
    /** Whether a revocation list can be fetched from here, step by step. */
    revocationList: verb(z.strictObject({ url: z.string().min(1).max(2000) }), async ({ url }) => {
      const now = running();
      if (now === undefined) return { problem: 'no document yet' };
      const trace = new Trace(now.proxy.clock);
      const list = await now.revocation.probe(url, trace);
      return { ...(list.ok ? list.value : { problem: list.error.message }), steps: trace.steps };
    }),
  };
}
