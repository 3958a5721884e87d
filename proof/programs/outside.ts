import { mkdirSync, readFileSync } from 'node:fs';
import { ChildProgram } from '../../src/apps/lab/testing/child-program.ts';
import { KamailioPartner } from '../../src/apps/lab/testing/kamailio-partner.ts';
import { addresses, ofFamily } from '../network/addresses.ts';
import { partners } from './documents.ts';
import type { Perimeter } from './perimeter.ts';

/** The name server that the edges ask: dnsmasq, on the resolver's addresses, with the names of the partners. */
export async function startNameServer(perimeter: Perimeter): Promise<ChildProgram> {
  const { v4, v6 } = addresses.resolver;
  const hosts = Object.values(partners).map(({ proxy, family }) => {
    return `--host-record=${proxy},${ofFamily(addresses.partner, family)}`;
  });
  const [program = '', ...words] = perimeter.host('outsideServers').launcher;
  const server = new ChildProgram({
    program,
    debianPackage: 'iproute2 and dnsmasq-base',
    parameters: [
      ...words,
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--user='],
      ...['--log-facility=-', '--no-resolv', '--no-hosts', '--bind-interfaces', '--local=/test/'],
      ...[`--listen-address=${v4}`, `--listen-address=${v6}`, ...hosts],
    ],
    folder: perimeter.files.folder,
  });
  await server.printed(/started/);
  return server;
}

/** The partners' edges: Kamailio on both addresses of their host, mutual TLS. */
export async function startPartner(perimeter: Perimeter): Promise<KamailioPartner> {
  const folder = perimeter.files.path('kamailio-partner');
  mkdirSync(folder, { recursive: true });
  const read = (name: string) => readFileSync(perimeter.files.path(name), 'utf8');
  return KamailioPartner.start({
    folder,
    addresses: [addresses.partner.v4, addresses.partner.v6],
    certificate: { certificatePem: read('partner.pem'), keyPem: read('partner.key') },
    authorityPem: read('ca.pem'),
    launcher: perimeter.host('partner').launcher,
  });
}
