import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ChildProgram } from '../../src/apps/lab/testing/child-program.ts';
import { KamailioPartner } from '../../src/apps/lab/testing/kamailio-partner.ts';
import { type AddressPair, addresses, ofFamily } from '../network/addresses.ts';
import {
  LARGE_SERVICE,
  partners,
  providers,
  publishedPartners,
  revocationNames,
  xmppPartners,
} from './documents.ts';
import type { Perimeter } from './perimeter.ts';

/** The name server that the edges ask: dnsmasq, on the resolver's addresses, with the names of the partners. */
export async function startNameServer(perimeter: Perimeter): Promise<ChildProgram> {
  const { v4, v6 } = addresses.resolver;
  const hosts = [...Object.values(partners), ...Object.values(publishedPartners)].map(
    ({ proxy, family }) => `--host-record=${proxy},${ofFamily(addresses.partner, family)}`,
  );
  for (const { domain, proxy } of Object.values(publishedPartners))
    hosts.push(`--srv-host=_sipfederationtls._tcp.${domain},${proxy},5061`);
  // A provider publishes no records of its domains: the document says where it is.
  for (const { proxy, family } of Object.values(providers))
    hosts.push(`--host-record=${proxy},${ofFamily(addresses.provider, family)}`);
  for (const { domain, family } of Object.values(xmppPartners)) {
    hosts.push(`--host-record=${domain},${ofFamily(addresses.xmppPartner, family)}`);
    hosts.push(`--srv-host=_xmpp-server._tcp.${domain},${domain},5269`);
  }
  const { name, servers } = LARGE_SERVICE;
  for (let n = 0; n < servers; n++) hosts.push(`--srv-host=${name},server-number-${n}.partner.test,5061`);
  hosts.push(`--host-record=${revocationNames.four},${addresses.revocation.v4}`);
  hosts.push(`--host-record=${revocationNames.six},${addresses.revocation.v6}`);
  const [program = '', ...words] = perimeter.host('outsideServers').launcher;
  const server = new ChildProgram({
    program,
    debianPackage: 'iproute2 and dnsmasq-base',
    parameters: [
      ...words,
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--user='],
      ...[
        '--log-facility=-',
        '--log-queries',
        '--no-resolv',
        '--no-hosts',
        '--bind-interfaces',
        '--local=/test/',
      ],
      ...[`--listen-address=${v4}`, `--listen-address=${v6}`, ...hosts],
    ],
    folder: perimeter.files.folder,
  });
  await server.printed(/started/);
  return server;
}

/** In the folder of the web server: who asked for what. */
export const ASKED_LOG = 'asked.log';

/** The authority's web server: nginx, on the addresses of the revocation lists; it logs who asks. */
export async function startListServer(perimeter: Perimeter): Promise<ChildProgram> {
  const folder = perimeter.files.path('web');
  const { v4, v6 } = addresses.revocation;
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `${what}_temp_path ${folder}/temporary;`,
  );
  writeFileSync(
    `${folder}/nginx.conf`,
    `daemon off; user root; pid ${folder}/nginx.pid; error_log stderr notice; worker_processes 1;
events {}
http {
  ${places.join(' ')}
  log_format asked 'ASKED $remote_addr $http_host $request_uri $status';
  access_log ${folder}/${ASKED_LOG} asked;
  server { listen ${v4}:80; listen [${v6}]:80; root ${folder}; types { application/pkix-crl crl; } }
}
`,
  );
  const [program = '', ...words] = perimeter.host('outsideServers').launcher;
  const server = new ChildProgram({
    program,
    debianPackage: 'iproute2 and nginx-light',
    parameters: [...words, 'nginx', '-p', folder, '-c', `${folder}/nginx.conf`],
    folder,
  });
  await server.printed(/start worker process \d/);
  return server;
}

/** A Kamailio outside, and where it stands. */
export interface Elsewhere {
  readonly kamailio: KamailioPartner;
  readonly at: AddressPair;
}

/** The edges of partners, or of public providers: Kamailio on both addresses of their host, mutual TLS. */
export async function startElsewhere(perimeter: Perimeter, host: 'partner' | 'provider'): Promise<Elsewhere> {
  const folder = perimeter.files.path(`kamailio-${host}`);
  mkdirSync(folder, { recursive: true });
  const read = (name: string) => readFileSync(perimeter.files.path(name), 'utf8');
  const at = addresses[host];
  const kamailio = await KamailioPartner.start({
    folder,
    addresses: [at.v4, at.v6],
    certificate: { certificatePem: read(`${host}.pem`), keyPem: read(`${host}.key`) },
    authorityPem: read('ca.pem'),
    launcher: perimeter.host(host).launcher,
  });
  return { kamailio, at };
}
