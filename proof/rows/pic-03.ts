import assert from 'node:assert/strict';
import { addresses, edgeNames } from '../network/addresses.ts';
import { signedInFrom } from '../observe/edge-state.ts';
import { providers } from '../programs/documents.ts';
import { writeInward, writeOutward } from './messages.ts';
import type { RowProof } from './row.ts';

/** Users of ours sign in from outside, by IPv4 and by IPv6, and exchange messages with users of public providers. */
export const row: RowProof = {
  id: 'pic-03',
  async run(perimeter) {
    const provider = await perimeter.elsewhere('provider');
    for (const [edge, person, { domains, family }, source] of [
      ['edge1', 'grace', providers.four, addresses.alice.v4],
      ['edge2', 'heidi', providers.six, addresses.carol.v6],
    ] as const) {
      const user = await perimeter.signIn(person);
      assert.deepEqual(await signedInFrom(perimeter, edge, user), [source]);
      for (const domain of domains) {
        await writeOutward(perimeter, provider, { from: person, to: `dave@${domain}`, family });
        await writeInward(perimeter, provider, { from: `dave@${domain}`, to: person, edge, family });
      }
    }
    return {
      seen: `grace at ${addresses.alice.v4} and heidi at ${addresses.carol.v6} signed in and exchanged messages with users of providers`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
