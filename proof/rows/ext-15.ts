import { addresses, edgeNames } from '../network/addresses.ts';
import { playRelayEcho } from './relay-echo.ts';
import type { RowProof } from './row.ts';

/** Clients outside reach the relay by TCP 443, where UDP does not pass. */
export const row: RowProof = {
  id: 'ext-15',
  async run(perimeter) {
    const count = await playRelayEcho(perimeter, {
      client: 'alice',
      face: (edge) => addresses[edge].av,
      over: 'tcp',
    });
    return {
      seen: `turnutils_uclient outside over TCP: ${count} messages through both relays to a partner and back`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
