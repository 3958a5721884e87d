import assert from 'node:assert/strict';
import { edgeNames } from '../network/addresses.ts';
import { tunnelled } from '../observe/edge-state.ts';
import type { RowProof } from './row.ts';
import { playTunnelCalls } from './tunnel-calls.ts';

/** From relay to relay by UDP: each edge finds out that the other organisation has one, and media goes 3478 to 3478. */
export const row: RowProof = {
  id: 'ext-13',
  async run(perimeter) {
    const before = await tunnelled(perimeter, 'foreignEdge');
    for (const edge of edgeNames)
      for (const family of [4, 6] as const)
        await playTunnelCalls(perimeter, { edge, family, from: 'alice', count: 1, patient: true });
    const after = await tunnelled(perimeter, 'foreignEdge');
    assert.ok(
      after.received - before.received >= 4,
      `${after.received - before.received} came by the tunnel`,
    );
    assert.ok(after.sent - before.sent >= 4, `${after.sent - before.sent} went by the tunnel`);
    return {
      seen: 'both edges detected the edge of another organisation on 3478, and calls went through the tunnel',
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
