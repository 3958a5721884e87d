import { z } from 'zod';
import { type VerbHandler, verb } from '#platform/service';
import { federationVerbs } from './federation/verbs.ts';
import type { AccessMetrics } from './metrics.ts';
import { outsideVerbs } from './outside-verbs.ts';
import { refusalReasons } from './policy/refusal.ts';
import type { Running } from './running.ts';

const MOST = 1000;

/** The administration verbs of the Access Edge service. */
export function accessVerbs(
  running: () => Running | undefined,
  metrics: AccessMetrics,
): Readonly<Record<string, VerbHandler>> {
  return {
    /** Client connections, the newest last, and the members of the next hop. */
    connections: verb(z.strictObject({ limit: z.int().min(1).max(MOST).default(100) }), ({ limit }) => {
      const proxy = running()?.proxy;
      return {
        total: proxy?.clients.size ?? 0,
        clients: proxy === undefined ? [] : describeClients(proxy, limit),
        nextHop: proxy === undefined ? [] : describeMembers(proxy),
      };
    }),
    /** Key health indicators with their bounds. */
    indicators: verb(z.strictObject({}), () => ({ indicators: running()?.indicators.list() ?? [] })),
    ...outsideVerbs(running),
    /** Sources that are refused for failed sign-ins. */
    blocks: verb(z.strictObject({}), () => ({ blocks: running()?.proxy.guard.blocks() ?? [] })),
    /** Forgives a source, by any address of it. */
    unblock: verb(z.strictObject({ source: z.string().min(2).max(64) }), ({ source }) => ({
      lifted: running()?.proxy.guard.unblock(source) ?? 0,
    })),
    /** What this service has counted since it started. */
    counters: verb(z.strictObject({}), () => ({
      requests: { inward: metrics.requests.value('inward'), outward: metrics.requests.value('outward') },
      responses: { inward: metrics.responses.value('inward'), outward: metrics.responses.value('outward') },
      signIns: {
        accepted: metrics.signIns.value('accepted'),
        challenged: metrics.signIns.value('challenged'),
        refused: metrics.signIns.value('refused'),
        withdrawn: metrics.signIns.value('withdrawn'),
      },
      refusals: Object.fromEntries(refusalReasons.map((reason) => [reason, metrics.refusals.value(reason)])),
      strippedHeaders: metrics.stripped.value(),
      scrubbedHeaders: metrics.scrubbed.value(),
      failovers: metrics.failovers.value(),
    })),
    ...federationVerbs(() => running()?.federation),
  };
}

function describeClients(proxy: Running['proxy'], limit: number): unknown[] {
  const now = proxy.clock.now();
  return [...proxy.clients.values()].slice(-limit).map(({ flow, signIn, member }) => ({
    id: flow.id,
    remote: flow.connection.remote,
    tls: flow.connection.tls?.protocol,
    transport: flow.connection.messages === true ? 'WebSocket' : 'TLS',
    seconds: Math.round((now - flow.connection.opened) / 1000),
    addresses: signIn.addresses(),
    member: member?.target.name,
    messages: flow.messages,
    bytes: flow.bytes,
  }));
}

function describeMembers(proxy: Running['proxy']): unknown[] {
  return proxy.nextHop.members().map(({ target, state, reason, connections, pending }) => ({
    ...target,
    state,
    reason,
    connections,
    pending,
  }));
}
