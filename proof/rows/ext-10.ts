import { addresses, edgeNames } from '../network/addresses.ts';
import { playRelayEcho } from './relay-echo.ts';
import type { RowProof } from './row.ts';

/** Media leaves the relay range by UDP for partners. */
export const row: RowProof = {
  id: 'ext-10',
  async run(perimeter) {
    const count = await playRelayEcho(perimeter, { client: 'carol', face: (edge) => addresses[edge].av });
    return {
      seen: `a partner heard ${count} datagrams from the A/V addresses and the relay range`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
