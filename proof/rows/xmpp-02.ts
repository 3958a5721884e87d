import { addresses, edgeNames, ofFamily } from '../network/addresses.ts';
import { DOMAIN, names } from '../programs/documents.ts';
import { openLinks } from './gateway-links.ts';
import type { RowProof } from './row.ts';

/** Both edges dial Prosody, one by IPv4 and one by IPv6, and people there read what the gateway sent. */
export const row: RowProof = {
  id: 'xmpp-02',
  async run(perimeter) {
    const gateway = await openLinks(perimeter);
    const people = await perimeter.xmppPeople();
    for (const { person, address, edge } of people) {
      const text = `to ${address} by ${edge}`;
      await gateway.call('sendByLink', {
        edge: names[edge],
        from: `romeo@${DOMAIN}/phone`,
        to: address,
        text,
      });
      await person.event(({ body }) => body === text);
    }
    const to = people.map(({ family }) => ofFamily(addresses.xmppPartner, family));
    return {
      seen: `each edge dialled Prosody at ${to.join(' or ')}, and slixmpp there has the message`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
