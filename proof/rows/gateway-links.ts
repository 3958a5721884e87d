import type { Actor } from '../actors/actor.ts';
import { addresses, ofFamily } from '../network/addresses.ts';
import { DOMAIN, names } from '../programs/documents.ts';
import type { Perimeter } from '../programs/perimeter.ts';

/** Opens links from the counterparts' host to both edges anew, to one by IPv4 and to the other by IPv6. */
export async function openLinks(perimeter: Perimeter): Promise<Actor> {
  const gateway = perimeter.actor('counterparts');
  for (const [edge, family] of [
    ['edge1', 4],
    ['edge2', 6],
  ] as const) {
    await gateway.call('openLink', {
      edge: names[edge],
      address: ofFamily(addresses[edge].internal, family),
      localAddress: ofFamily(addresses.counterparts, family),
      own: names.frontEnd,
      certificate: perimeter.files.path('front-end.pem'),
      key: perimeter.files.path('front-end.key'),
      authority: perimeter.files.authority,
      domain: DOMAIN,
    });
  }
  return gateway;
}
