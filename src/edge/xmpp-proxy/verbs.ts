import { z } from 'zod';
import type { Clock } from '#kernel';
import { type VerbHandler, verb } from '#platform/service';
import { Trace } from '#platform/telemetry';
import { canonicalDomain } from '#protocols/xmpp';
import type { XmppProxy } from './proxy.ts';

const MOST = 1000;

/** The administration verbs of the XMPP proxy. */
export function proxyVerbs(
  proxy: () => XmppProxy | undefined,
  clock: Clock,
): Readonly<Record<string, VerbHandler>> {
  return {
    /** The partners of the document, and how many streams there are with each. */
    partners: verb(z.strictObject({}), () => {
      const running = proxy();
      if (running === undefined) return { partners: [] };
      const streams = running.endpoint.streams();
      return {
        partners: running.prepared.partners.partners
          .slice(0, MOST)
          .map(({ name, domains, type, methods, server }) => ({
            domain: name,
            additional: domains.slice(1),
            type,
            methods,
            server: server ?? null,
            streams: streams.filter(({ peer }) => domains.includes(peer)).length,
          })),
      };
    }),
    /** Every stream with a partner, and every link with a gateway. */
    streams: verb(z.strictObject({}), () => {
      const running = proxy();
      if (running === undefined) return { streams: [], links: [] };
      return { streams: running.endpoint.streams().slice(0, MOST), links: running.links.states() };
    }),
    /** The whole story of one domain; it asks, dials, proves and pings, and changes nothing. */
    test: verb(z.strictObject({ domain: z.string().min(1).max(253) }), async ({ domain }) => {
      const trace = new Trace(clock);
      const ok = await tryDomain(proxy(), domain, trace);
      return { ok, steps: trace.steps };
    }),
  };
}

async function tryDomain(running: XmppProxy | undefined, text: string, trace: Trace): Promise<boolean> {
  const domain = canonicalDomain(text);
  if (running === undefined || domain === undefined) {
    const why =
      domain === undefined
        ? `${text} is no domain`
        : 'policy.features.xmpp is off, or there is no document yet';
    trace.note('policy', false, why);
    return false;
  }
  const partner = running.prepared.partners.of(domain);
  const [own] = running.prepared.document.policy.sipDomains;
  if (partner === undefined || own === undefined) {
    const why = running.prepared.document.policy.federation.enabled
      ? 'it is not in policy.xmpp.partners'
      : 'policy.federation.enabled is off';
    trace.note('policy', false, `${domain} is no partner: ${why}`);
    return false;
  }
  const ways = partner.methods.join(', ');
  const by = partner.server === undefined ? 'by its SRV records' : `by its server ${partner.server}`;
  trace.note('policy', true, `${partner.name}, ${partner.type}, found ${by}; it may prove itself by ${ways}`);
  return running.ping({ from: own, to: domain }, trace);
}
