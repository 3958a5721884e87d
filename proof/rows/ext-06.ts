import assert from 'node:assert/strict';
import { addresses, edgeNames, ofFamily } from '../network/addresses.ts';
import { partners } from '../programs/documents.ts';
import type { RowProof } from './row.ts';

/** Kamailio as a partner dials both edges by mutual TLS, one by IPv4 and one by IPv6, and its messages reach bob inside. */
export const row: RowProof = {
  id: 'ext-06',
  async run(perimeter) {
    const partner = await perimeter.partner();
    const bob = await perimeter.signedIn('bob');
    for (const [edge, { domain, family }] of [
      ['edge1', partners.four],
      ['edge2', partners.six],
    ] as const) {
      const { v6 } = addresses[edge].access;
      const text = `from ${domain} by ${edge}`;
      const status = await partner.sends({
        from: `sip:erin@${domain}`,
        to: `sip:${bob}`,
        edge: family === 4 ? `${addresses[edge].access.v4}:5061` : `[${v6}]:5061`,
        socket: family === 4 ? addresses.partner.v4 : `[${addresses.partner.v6}]`,
        text,
      });
      assert.equal(status, '200', `${edge} took the message of ${domain}`);
      const message = await perimeter.actor('bob').call('nextMessage', { user: bob });
      assert.deepEqual(message, { from: `sip:erin@${domain}`, text });
    }
    const from = [partners.four, partners.six].map(({ family }) => ofFamily(addresses.partner, family));
    return {
      seen: `Kamailio at ${from.join(' and ')} sent messages by both edges, mutual TLS, and bob inside has them`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
