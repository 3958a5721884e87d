import { z } from 'zod';
import { verb } from '#platform/service';
import { type Allocation, clientTransports } from '#protocols/turn';
import type { Indicators } from './indicators.ts';
import type { RelayHost } from './relay-host.ts';

const nothing = z.strictObject({});
const listing = z.strictObject({
  limit: z.int().min(1).max(10_000).default(100),
  face: z.enum(['external', 'internal']).optional(),
  transport: z.enum(clientTransports).optional(),
  /** IP address of the client, canonical. */
  client: z.string().max(45).optional(),
  /** Address or name of a user, or what `user` of an allocation says. */
  user: z.string().max(1_024).optional(),
  /** Of a relayed address. */
  port: z.int().min(1).max(0xffff).optional(),
});
type Filter = z.output<typeof listing>;

/**
 * `allocations`: those that are open and fit every filter, oldest first, at most `limit` (100). `indicators`: key health
 * indicators and headroom. `counters`: totals since the process
 * started or the relay addresses last changed. Both are empty before the first document.
 */
export function verbsOf(current: () => RelayHost | undefined, now: () => number, indicators: Indicators) {
  return {
    allocations: verb(listing, (filter) => {
      const host = current();
      host?.settle();
      const open = [...(host?.relay.allocations ?? [])];
      const names = filter.user === undefined ? undefined : host?.settings.usersNamed(filter.user);
      const found = open.filter((one) => fits(one, filter) && names?.includes(one.user) !== false);
      return {
        open: open.length,
        found: found.length,
        allocations: found.slice(0, filter.limit).map((one) => describe(one, now())),
      };
    }),
    indicators: verb(nothing, () => {
      const host = current();
      return {
        indicators: indicators.list(),
        headroom: host === undefined ? [] : indicators.headroom(host, host.settings),
      };
    }),
    counters: verb(nothing, () => {
      const host = current();
      if (host === undefined) return {};
      host.settle();
      const { relay, datagrams, threads, flows } = host;
      return {
        allocations: relay.allocations.size,
        ports: relay.ports,
        relayed: relay.counters,
        tunnelled: relay.tunnelled,
        drops: Object.fromEntries([...relay.drops].filter(([, count]) => count > 0)),
        refusals: Object.fromEntries(relay.refusals),
        datagrams,
        threads,
        flows,
      };
    }),
  };
}

function fits(
  { listener, clientAddress, relays }: Allocation,
  { face, transport, client, port }: Filter,
): boolean {
  return (
    (face === undefined || listener.face === face) &&
    (transport === undefined || listener.transport === transport) &&
    (client === undefined || clientAddress === client) &&
    (port === undefined || relays.some((relay) => relay.port === port))
  );
}

function describe(allocation: Allocation, now: number) {
  const { id, listener, clientAddress, clientPort, user, opened, expires } = allocation;
  const { sentPackets, sentBytes, receivedPackets, receivedBytes } = allocation;
  return {
    id,
    face: listener.face,
    transport: listener.transport,
    dialect: allocation.ms === undefined ? 'standard' : 'microsoft',
    client: { address: clientAddress, port: clientPort },
    relayed: allocation.relays.map((relay) => ({ address: relay.advertised, port: relay.port })),
    user,
    ageSeconds: Math.floor((now - opened) / 1000),
    expiresInSeconds: Math.ceil((expires - now) / 1000),
    permissions: allocation.permissionCount,
    channels: allocation.channelCount,
    sent: { packets: sentPackets, bytes: sentBytes },
    received: { packets: receivedPackets, bytes: receivedBytes },
  };
}
