import assert from 'node:assert/strict';
import { addresses, type EdgeName, edgeNames, type Family } from '../network/addresses.ts';
import { observing } from '../observe/observer.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import type { RowProof } from './row.ts';
import { openTcpRelay, openTcpRelayForDora } from './tcp-relay.ts';

const TEXT = 'through two edges by TCP 443';

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

async function playTcpTunnel(perimeter: Perimeter, edge: EdgeName, family: Family): Promise<void> {
  const [alice, dora] = [perimeter.actor('alice'), perimeter.actor('dora')];
  const name = `ext-16 ${edge} ${family}`;
  const hers = await openTcpRelay(perimeter, { name, person: 'alice', edge, family });
  const theirs = await openTcpRelayForDora(perimeter, name, family);
  await dora.call('permitByTcpRelay', { name, ...hers });
  const asked = alice.call('askByTcpRelay', { name, ...theirs, text: TEXT });
  assert.equal(await dora.call('answerByTcpRelay', { name }), TEXT);
  assert.equal(await asked, TEXT);
  await Promise.all([alice.call('closeTcpRelay', { name }), dora.call('closeTcpRelay', { name })]);
}
