import assert from 'node:assert/strict';
import { addresses, ofFamily } from '../network/addresses.ts';
import { names } from '../programs/documents.ts';
import { openConferencing } from './conferencing-links.ts';
import type { RowProof } from './row.ts';

/** Participants outside join by a token, at each edge and by either family; without one nothing goes inside. */
export const row: RowProof = {
  id: 'ext-08',
  async run(perimeter) {
    const service = await openConferencing(perimeter, 4);
    const before = (await service.call('conferenceParticipants', undefined)).length;
    const alice = perimeter.actor('alice');
    const came: string[] = [];
    for (const edge of ['edge1', 'edge2'] as const) {
      for (const family of [4, 6] as const) {
        const order = {
          address: ofFamily(addresses[edge].webConferencing, family),
          name: names.webConferencing,
          localAddress: ofFamily(addresses.alice, family),
        };
        const token = await service.call('conferenceToken', { node: names.frontEnd });
        assert.equal(await alice.call('joinConference', { ...order, token }), 'joined pong');
        assert.equal(await alice.call('joinConference', { ...order, token }), 'used');
        came.push(`${names[edge]} ${order.localAddress}`);
      }
    }
    const participants = await service.call('conferenceParticipants', undefined);
    assert.deepEqual(participants.slice(before), came, 'each once, from where it was');
    return {
      seen: `alice at ${addresses.alice.v4} and ${addresses.alice.v6} joined by a token at each edge, and no token twice`,
      passage: { firewall: 'externalFirewall', edges: ['edge1', 'edge2'] },
      connection: 'new',
    };
  },
};
