import type { Actor } from '../actors/actor.ts';
import { addresses, type Family, ofFamily } from '../network/addresses.ts';
import { names } from '../programs/documents.ts';
import type { Perimeter } from '../programs/perimeter.ts';

/** Opens links of a web conferencing service from the counterparts' host to both edges anew, by this family. */
export async function openConferencing(perimeter: Perimeter, family: Family): Promise<Actor> {
  const service = perimeter.actor('counterparts');
  for (const edge of ['edge1', 'edge2'] as const) {
    await service.call('openConferencing', {
      edge: names[edge],
      address: ofFamily(addresses[edge].internal, family),
      localAddress: ofFamily(addresses.counterparts, family),
      own: names.frontEnd,
      certificate: perimeter.files.path('front-end.pem'),
      key: perimeter.files.path('front-end.key'),
      authority: perimeter.files.authority,
      domain: names.webConferencing,
    });
  }
  return service;
}
