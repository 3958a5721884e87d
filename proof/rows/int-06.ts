import { addresses, edgeNames } from '../network/addresses.ts';
import { playRelayEcho } from './relay-echo.ts';
import type { RowProof } from './row.ts';

/** Clients inside allocate on the inner face of the relay, and their media leaves by the outer one. */
export const row: RowProof = {
  id: 'int-06',
  async run(perimeter) {
    const count = await playRelayEcho(perimeter, { client: 'bob', face: (edge) => addresses[edge].internal });
    return {
      seen: `turnutils_uclient inside: ${count} messages through both relays to a partner outside and back, none lost`,
      passage: { firewall: 'internalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
