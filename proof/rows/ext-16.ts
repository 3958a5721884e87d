import assert from 'node:assert/strict';
import { addresses, edgeNames } from '../network/addresses.ts';
import { observing } from '../observe/observer.ts';
import type { RowProof } from './row.ts';
import { playTcpTunnel } from './tcp-relay.ts';

/** From relay to relay by TCP: the edge of the other organisation is asked at its 443, and nowhere else. */
export const row: RowProof = {
  id: 'ext-16',
  async run(perimeter) {
    const { av } = addresses.foreignEdge;
    const arrived = await observing(
      [[perimeter.host('foreignEdge'), [{ point: 'wire', what: 'ports' }]]],
      async ([observer]) => {
        for (const edge of edgeNames)
          for (const family of [4, 6] as const) await playTcpTunnel(perimeter, edge, family);
        return (await observer?.ports()) ?? new Map<string, ReadonlySet<number>>();
      },
    );
    for (const address of [av.v4, av.v6])
      assert.deepEqual([...(arrived.get(`${address} tcp`) ?? [])], [443], `${address} was asked`);
    return {
      seen: "alice's streams reached dora in another organisation by the TCP 443 of her edge, and came back",
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
