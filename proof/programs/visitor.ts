import { mkdirSync } from 'node:fs';
import { writeConfiguration } from '../../src/apps/lab/testing/baresip.ts';
import { ChildProgram } from '../../src/apps/lab/testing/child-program.ts';
import { addresses } from '../network/addresses.ts';
import { DOMAIN, names } from './documents.ts';
import type { Perimeter } from './perimeter.ts';

/**
 * Signs a user in with baresip, a client that we did not write, from alice's host: names by DNS, TLS to the first edge,
 * digest. Resolves when baresip has the 200; the caller stops it.
 */
export async function visitWithBaresip(perimeter: Perimeter): Promise<ChildProgram> {
  const nameServer = await perimeter.actor('outsideServers').call('serveNames', {
    address: addresses.resolver.v4,
    hosts: { [names.access]: addresses.edge1.access.v4, [names.av]: addresses.edge1.av.v4 },
  });
  const folder = perimeter.files.path('visitor');
  mkdirSync(folder);
  writeConfiguration({
    folder,
    address: addresses.alice.v4,
    nameServer,
    authority: perimeter.files.authority,
    user: 'visitor',
    domain: DOMAIN,
    password: perimeter.files.passwords.visitor,
    server: `${names.access}:443`,
    relay: { server: `${names.av}:3478`, credential: perimeter.files.relayCredential('visitor') },
    contact: `sip:bob@${DOMAIN}`,
  });
  const [program = '', ...words] = perimeter.host('alice').launcher;
  const baresip = new ChildProgram({
    program,
    debianPackage: 'iproute2',
    parameters: [...words, 'baresip', '-4', '-f', folder],
    folder,
  });
  await baresip.printed(/All 1 useragent registered successfully/);
  return baresip;
}
