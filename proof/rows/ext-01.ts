import assert from 'node:assert/strict';
import { addresses, edgeNames, ofFamily } from '../network/addresses.ts';
import { DOMAIN, names } from '../programs/documents.ts';
import { openLinks } from './gateway-links.ts';
import type { RowProof } from './row.ts';

/** Prosody dials both edges, one by IPv4 and one by IPv6: STARTTLS, SASL EXTERNAL, and a message that reaches the gateway. */
export const row: RowProof = {
  id: 'ext-01',
  async run(perimeter) {
    const gateway = await openLinks(perimeter);
    const people = await perimeter.xmppPeople();
    const to = `romeo@${DOMAIN}`;
    for (const { person, address, edge } of people) {
      const text = `from ${address} by ${edge}`;
      person.say(`<message to='${to}' type='chat'><body>${text}</body></message>`);
      const message = await gateway.call('nextByLink', { edge: names[edge] });
      assert.deepEqual(message, { from: `${address}/desk`, to, text });
    }
    const from = people.map(({ family }) => ofFamily(addresses.xmppPartner, family));
    return {
      seen: `Prosody at ${from.join(' and ')} sent a message by each edge, TLS with SASL EXTERNAL, and the gateway has them`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
