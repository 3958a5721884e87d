import { addresses, edgeNames } from '../network/addresses.ts';
import { playRelayEcho } from './relay-echo.ts';
import type { RowProof } from './row.ts';

/** Clients outside allocate on the relay by UDP, and media goes through it. */
export const row: RowProof = {
  id: 'ext-14',
  async run(perimeter) {
    const count = await playRelayEcho(perimeter, { client: 'alice', face: (edge) => addresses[edge].av });
    return {
      seen: `turnutils_uclient outside: ${count} messages through both relays to a partner and back, none lost`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
