import { z } from 'zod';
import { verb } from '#platform/service';
import type { Allocation } from '#protocols/turn';
import type { RelayHost } from './relay-host.ts';

const nothing = z.strictObject({});
const listing = z.strictObject({ limit: z.int().min(1).max(10_000).default(100) });

/**
 * `allocations`: those that are open, oldest first, at most `limit` (100). `counters`: totals since the process
 * started or the relay addresses last changed. Both are empty before the first document.
 */
export function verbsOf(current: () => RelayHost | undefined, now: () => number) {
  return {
    allocations: verb(listing, ({ limit }) => {
      const relay = current()?.relay;
      const open = [...(relay?.allocations ?? [])];
      return { open: open.length, allocations: open.slice(0, limit).map((one) => describe(one, now())) };
    }),
    counters: verb(nothing, () => {
      const host = current();
      if (host === undefined) return {};
      const { relay, datagrams } = host;
      return {
        allocations: relay.allocations.size,
        ports: relay.ports,
        relayed: relay.counters,
        tunnelled: relay.tunnelled,
        drops: Object.fromEntries([...relay.drops].filter(([, count]) => count > 0)),
        refusals: Object.fromEntries(relay.refusals),
        datagrams,
      };
    }),
  };
}

function describe(allocation: Allocation, now: number) {
  const { id, listener, clientAddress, clientPort, user, opened, expires } = allocation;
  const { sentPackets, sentBytes, receivedPackets, receivedBytes } = allocation;
  return {
    id,
    face: listener.face,
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
