import { readFileSync, writeFileSync } from 'node:fs';
import type { Person } from '../../src/platform/xmpp-endpoint/testing/person.ts';
import { Prosody } from '../../src/platform/xmpp-endpoint/testing/prosody.ts';
import { addresses, type EdgeName, type Family, ofFamily } from '../network/addresses.ts';
import { DOMAIN, xmppPartners } from './documents.ts';
import type { Perimeter } from './perimeter.ts';

/** Somebody on an XMPP server of a partner. */
export interface XmppPerson {
  readonly address: string;
  readonly domain: string;
  /** The edge that the partner's server finds under the name of our domain. */
  readonly edge: EdgeName;
  readonly family: Family;
  readonly person: Person;
}

/**
 * Prosody for each of two organisations, with somebody signed in by slixmpp. One finds the first edge by IPv4, the other
 * the second by IPv6; by a file, for its resolver answers for names under .test itself.
 */
export async function startXmppPartners(perimeter: Perimeter): Promise<{
  readonly people: readonly XmppPerson[];
  stop(): Promise<void>;
}> {
  const ends: (() => unknown)[] = [];
  const ending = { after: (end: unknown) => ends.unshift(end as () => unknown) };
  const read = (name: string) => readFileSync(perimeter.files.path(name), 'utf8');
  const { launcher } = perimeter.host('xmppPartner');
  const people: XmppPerson[] = [];
  for (const [edge, { domain, user, family }] of [
    ['edge1', xmppPartners.four],
    ['edge2', xmppPartners.six],
  ] as const) {
    const hosts = perimeter.files.path(`hosts-of-${domain}`);
    writeFileSync(hosts, `${ofFamily(addresses[edge].access, family)} ${DOMAIN}\n`);
    const server = await Prosody.start(ending as never, {
      domain,
      address: ofFamily(addresses.xmppPartner, family),
      nameServer: `${addresses.resolver.v4}:53`,
      identity: { certificatePem: read('xmpp-partner.pem'), keyPem: read('xmpp-partner.key') },
      authorityPem: read('ca.pem'),
      secure: true,
      accounts: [user],
      launcher,
      hosts,
    });
    const person = await server.person(ending as never, user);
    people.push({ address: `${user}@${domain}`, domain, edge, family, person });
  }
  return {
    people,
    stop: async () => {
      for (const end of ends) await end();
    },
  };
}
