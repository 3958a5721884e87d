import { type EdgeDocument, edgeListeners, endpointText } from '#platform/topology';
import type { Host } from '../network/host.ts';

/** A socket to which others can send without being asked. */
export interface OpenSocket {
  readonly transport: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** The programs that hold it, as the kernel names them. */
  readonly holders: string;
}

const WILDCARDS = new Set(['0.0.0.0', '::', '*']);

/** The listening TCP sockets and all UDP sockets of a host. */
export async function openSockets(host: Host): Promise<OpenSocket[]> {
  return readSockets(await host.run('ss', ['-Hlnptu']));
}

/** What `ss -Hlnptu` prints. */
export function readSockets(text: string): OpenSocket[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(readLine);
}

/** `tcp LISTEN 0 1024 [2001:db8::1]:443 [::]:* users:(("node",pid=1,fd=2))` */
function readLine(line: string): OpenSocket {
  const [transport, , , , local = '', , holders = ''] = line.trim().split(/\s+/);
  const colon = local.lastIndexOf(':');
  // ss names the interface of a socket that is bound to one: `0.0.0.0%lo`.
  const address = local
    .slice(0, colon)
    .replace(/^\[|\]$/g, '')
    .replace(/%.*$/, '');
  return {
    transport: transport === 'udp' ? 'udp' : 'tcp',
    address,
    port: Number(local.slice(colon + 1)),
    holders: [...holders.matchAll(/pid=(\d+)/g)].map(([, pid]) => pid).join(' '),
  };
}

/** Sockets that the plan does not name, and those of the plan that are not there; empty when both are the same. */
export function socketDifferences(document: EdgeDocument, open: readonly OpenSocket[]): string[] {
  const key = ({ transport, address, port }: Omit<OpenSocket, 'holders'>) =>
    `${transport} ${endpointText(address, port)}`;
  const planned = new Map(edgeListeners(document).map((listener) => [key(listener), listener]));
  const { first, last } = document.policy.relay.ports;
  // Relayed addresses of TCP listen where partners may connect to them (port row ext-11).
  const listens = document.policy.federation.mediaProfiles.includes('legacy-ocs2007');
  const isRelay = ({ transport, address, port }: OpenSocket) =>
    (transport === 'udp' || listens) &&
    document.host.addresses.av.includes(address) &&
    port >= first &&
    port <= last;
  const findings: string[] = [];
  for (const socket of open) {
    if (planned.has(key(socket)) || isRelay(socket)) continue;
    const what = WILDCARDS.has(socket.address) ? 'is bound to every address' : 'is no listener of the plan';
    findings.push(`${key(socket)} ${what}${elsewhere(document, socket)} (process ${socket.holders})`);
  }
  const present = new Set(open.map(key));
  for (const listener of planned.keys())
    if (!present.has(listener)) findings.push(`${listener} is planned and not there`);
  return findings;
}

/** The same port stands in the plan at another address: a service at the wrong interface. */
function elsewhere(document: EdgeDocument, { transport, port }: OpenSocket): string {
  const known = edgeListeners(document).find((one) => one.transport === transport && one.port === port);
  return known === undefined ? '' : `: ${known.rows[0]} belongs on the ${known.interface} interface`;
}
