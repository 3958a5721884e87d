import { addresses, edgeNames } from '../network/addresses.ts';
import { playRelayEcho } from './relay-echo.ts';
import type { RowProof } from './row.ts';

/** Clients inside reach the inner face of the relay by TCP 443. */
export const row: RowProof = {
  id: 'int-07',
  async run(perimeter) {
    const count = await playRelayEcho(perimeter, {
      client: 'bob',
      face: (edge) => addresses[edge].internal,
      over: 'tcp',
    });
    return {
      seen: `turnutils_uclient inside over TCP: ${count} messages through both relays to a partner and back`,
      passage: { firewall: 'internalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
