import { isIP } from 'node:net';
import { DnsLookUp, type DnsQuestions } from '#platform/dns';
import {
  askStunServer,
  askTimeServer,
  type HostReadings,
  interfaceRoles,
  type OutsideReadings,
  type QueryProblem,
  type Server,
} from '#platform/host-survey';
import { addressFamily } from '#platform/topology';

const NTP_PORT = 123;
const STUN_PORT = 3478;
const LOOKUP_MS = 5000;

const PROBLEMS: Readonly<Record<QueryProblem, string>> = {
  unreachable: 'cannot be reached from this host',
  'no-answer': 'did not answer: its row may be closed in the firewall',
  'not-understood': 'gave no answer that can be used',
};

export interface Servers {
  /** `address`, `name` or either with `:port`; an IPv6 address with a port in brackets. */
  readonly stun: string | undefined;
  readonly timeServer: string | undefined;
}

export interface Asked {
  readonly outside: OutsideReadings;
  /** Servers that told nothing, one sentence each. */
  readonly complaints: readonly string[];
}

/** Whom names are asked of. */
type Names = Pick<DnsQuestions, 'addresses'>;

/**
 * Asks the servers that the operator named, and no others.
 * @param names the resolvers of this host when left out
 */
export async function askOutside(
  host: HostReadings,
  { stun, timeServer }: Servers,
  names: Names = new DnsLookUp([]),
): Promise<Asked> {
  const complaints: string[] = [];
  const seen = stun === undefined ? undefined : await askStun(host, stun, names, complaints);
  const offset = timeServer === undefined ? undefined : await askTime(host, timeServer, names, complaints);
  const outside = {
    ...(seen === undefined ? {} : { seenAs: seen }),
    ...(offset === undefined ? {} : { clockOffset: offset }),
  };
  return { outside, complaints };
}

async function askStun(
  host: HostReadings,
  text: string,
  names: Names,
  complaints: string[],
): Promise<OutsideReadings['seenAs']> {
  const servers = await serversOf(text, STUN_PORT, names);
  if (servers.length === 0) {
    complaints.push(`--stun ${text}: this name has no address here`);
    return undefined;
  }
  const server = servers.find(({ address }) => externalAddress(host, address) !== undefined);
  const from = server && externalAddress(host, server.address);
  if (server === undefined || from === undefined) {
    complaints.push(`--stun ${text}: this host has no external address of its family`);
    return undefined;
  }
  const seen = await askStunServer(server, from);
  if (seen.ok) return { from, address: seen.value, server: server.address };
  complaints.push(`--stun ${text} ${PROBLEMS[seen.error]}`);
  return undefined;
}

async function askTime(
  host: HostReadings,
  text: string,
  names: Names,
  complaints: string[],
): Promise<OutsideReadings['clockOffset']> {
  const servers = await serversOf(text, NTP_PORT, names);
  const server = servers.find(({ address }) => externalAddress(host, address) !== undefined) ?? servers[0];
  if (server === undefined) {
    complaints.push(`--time-server ${text}: this name has no address here`);
    return undefined;
  }
  const offset = await askTimeServer(server, undefined);
  if (offset.ok) return { ...offset.value, server: server.address };
  complaints.push(`--time-server ${text} ${PROBLEMS[offset.error]}`);
  return undefined;
}

/** The address of this host's external interface from which that one can be asked. */
function externalAddress(host: HostReadings, remote: string): string | undefined {
  return interfaceRoles(host)
    .external?.addresses.map(({ address }) => address)
    .find((address) => addressFamily(address) === addressFamily(remote));
}

/** `host`, `host:port`, `[address]:port`; a name may have an address of each family. */
async function serversOf(text: string, usualPort: number, names: Names): Promise<readonly Server[]> {
  const whole = isIP(text) === 6;
  const match = whole ? null : /^\[?([^\]]*?)\]?(?::(\d{1,5}))?$/.exec(text);
  const name = whole ? text : (match?.[1] ?? '');
  const port = Number(match?.[2] ?? usualPort);
  if (name === '' || port < 1 || port > 65535) return [];
  if (isIP(name) !== 0) return [{ address: name, port }];
  const answers = Promise.all([names.addresses(name, 'A'), names.addresses(name, 'AAAA')]);
  const found = (await Promise.race([answers, expiry()])) ?? [];
  return found.flatMap((answer) =>
    answer.state === 'found' ? answer.values.slice(0, 1).map((address) => ({ address, port })) : [],
  );
}

function expiry(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, LOOKUP_MS, undefined).unref();
  });
}
