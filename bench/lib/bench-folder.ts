import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabAuthority } from '#platform/pki';

/** Addresses of the benchmarks, all loopback. */
export const ADDRESSES = {
  external: '127.0.6.1',
  internal: '127.0.6.2',
  peerServer: '127.0.6.3',
  nextHop: '127.0.7.4',
  clients: '127.0.6.5',
  mediaPeer: '127.0.6.6',
} as const;

/** Clients come from many networks, as they do outside: strangers of one are only answered so often. */
export const CLIENT_NETWORKS = 200;
export function clientAddress(number: number): string {
  return `127.1.${number % CLIENT_NETWORKS}.5`;
}

export const NAMES = {
  domain: 'bench.test',
  access: 'sip.bench.test',
  edge: 'edge.corp.test',
  nextHop: 'hop.corp.test',
} as const;

export const PORTS = { sip: 5061, turn: 3478, nextHop: 5071 } as const;

/** Shared with the relay so that clients can make their own credentials, as coturn's use-auth-secret. */
export const RELAY_SECRET = 'the secret of the benchmark';

/** A folder with everything that the servers need; it is gone after `remove`. */
export class BenchFolder {
  readonly path: string;

  static async create(): Promise<BenchFolder> {
    const folder = new BenchFolder(mkdtempSync(join(tmpdir(), 'sallyport-bench-')));
    const authority = await LabAuthority.create({ name: 'Benchmark' });
    await authority.writeCertificate(folder.file('ca.pem'));
    const issue = (name: string, hosts: readonly string[]) =>
      authority.issueTo(
        { certificate: folder.file(`${name}.pem`), key: folder.file(`${name}.key`) },
        {
          name,
          hosts,
        },
      );
    await issue('access', [NAMES.access, NAMES.domain]);
    await issue('edge', [NAMES.edge]);
    await issue('next-hop', [NAMES.nextHop]);
    return folder;
  }

  private constructor(path: string) {
    this.path = path;
  }
  file(name: string): string {
    return join(this.path, name);
  }
  write(name: string, text: string): string {
    const file = this.file(name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
