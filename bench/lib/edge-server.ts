import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { mediaKeyText } from '#protocols/credentials';
import { ADDRESSES, type BenchFolder, NAMES, PORTS, RELAY_SECRET } from './bench-folder.ts';
import { PinnedProcess, SERVER_CORE } from './pinned-process.ts';
import { acceptsTcp } from './ready.ts';

const MAIN = join(import.meta.dirname, '../../src/apps/cli/main.ts');

export interface EdgeVariant {
  readonly nodeOptions?: readonly string[];
  /** What policy.relay has besides. */
  readonly relay?: object;
  /** What policy has besides. */
  readonly policy?: object;
  /** What host has besides. */
  readonly host?: object;
}

/** `sallyport edge` as in production: a supervisor and a process for each service, all on the server's core. */
export async function startEdge(folder: BenchFolder, variant: EdgeVariant = {}): Promise<PinnedProcess> {
  folder.write('media.key', mediaKeyText(randomBytes(32)));
  folder.write('relay.secret', RELAY_SECRET);
  const document = writeEdgeDocument(folder, variant);
  const { nodeOptions = [] } = variant;
  const edge = new PinnedProcess({
    title: 'sallyport edge',
    core: SERVER_CORE,
    command: process.execPath,
    args: [...nodeOptions, MAIN, 'edge', document, '--log-level', 'warn', '--stop-seconds', '5'],
    folder: folder.path,
  });
  await edge.ready(() => acceptsTcp(ADDRESSES.external, PORTS.sip));
  return edge;
}

/** Also while the edge runs, which then has to be told to reload. */
export function writeEdgeDocument(
  folder: BenchFolder,
  { relay = {}, policy = {}, host = {} }: EdgeVariant,
): string {
  return folder.write('edge.yaml', stringify(edgeDocument(relay, policy, host)));
}

function edgeDocument(relay: object, policy: object, host: object): object {
  const pair = (name: string) => ({ certificate: `${name}.pem`, key: `${name}.key` });
  return {
    version: 1,
    host: {
      name: NAMES.edge,
      stateDirectory: 'state',
      addresses: { access: [ADDRESSES.external], internal: [ADDRESSES.internal] },
      certificates: { access: pair('access'), internal: pair('edge') },
      internalCa: 'ca.pem',
      ...host,
      administration: { socket: 'edge.sock', metrics: { address: ADDRESSES.internal, port: 9180 } },
    },
    policy: {
      site: 'bench',
      sipDomains: [NAMES.domain],
      names: { access: NAMES.access, webConferencing: 'wc.bench.test', av: 'av.bench.test' },
      internalNetworks: ['127.0.7.0/24'],
      nextHop: {
        name: NAMES.nextHop,
        members: [{ name: NAMES.nextHop, address: ADDRESSES.nextHop, port: PORTS.nextHop }],
      },
      ports: { accessClients: PORTS.sip, accessInternal: PORTS.sip, avUdp: PORTS.turn },
      relay: { ports: { first: 50000, last: 59999 }, allowedPeers: [`${ADDRESSES.mediaPeer}/32`], ...relay },
      mediaCredentials: { keyFile: 'media.key', staticSecretFiles: ['relay.secret'] },
      ...policy,
    },
  };
}
