import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
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

/** Asks the servers that the operator named, and no others. */
export async function askOutside(host: HostReadings, { stun, timeServer }: Servers): Promise<Asked> {
  const complaints: string[] = [];
  const seen = stun === undefined ? undefined : await askStun(host, stun, complaints);
  const offset = timeServer === undefined ? undefined : await askTime(timeServer, complaints);
  const outside = {
    ...(seen === undefined ? {} : { seenAs: seen }),
    ...(offset === undefined ? {} : { clockOffset: offset }),
  };
  return { outside, complaints };
}

async function askStun(
  host: HostReadings,
  text: string,
  complaints: string[],
): Promise<OutsideReadings['seenAs']> {
  const server = await serverOf(text, STUN_PORT);
  if (server === undefined) {
    complaints.push(`--stun ${text}: this name has no address here`);
    return undefined;
  }
  const from = interfaceRoles(host)
    .external?.addresses.map(({ address }) => address)
    .find((address) => addressFamily(address) === addressFamily(server.address));
  if (from === undefined) {
    complaints.push(`--stun ${text}: this host has no external address of its family`);
    return undefined;
  }
  const seen = await askStunServer(server, from);
  if (seen.ok) return { from, address: seen.value, server: server.address };
  complaints.push(`--stun ${text} ${PROBLEMS[seen.error]}`);
  return undefined;
}

async function askTime(text: string, complaints: string[]): Promise<OutsideReadings['clockOffset']> {
  const server = await serverOf(text, NTP_PORT);
  if (server === undefined) {
    complaints.push(`--time-server ${text}: this name has no address here`);
    return undefined;
  }
  const offset = await askTimeServer(server, undefined);
  if (offset.ok) return { ...offset.value, server: server.address };
  complaints.push(`--time-server ${text} ${PROBLEMS[offset.error]}`);
  return undefined;
}

/** `host`, `host:port`, `[address]:port`; a name is looked up. */
async function serverOf(text: string, usualPort: number): Promise<Server | undefined> {
  const whole = isIP(text) === 6;
  const match = whole ? null : /^\[?([^\]]*?)\]?(?::(\d{1,5}))?$/.exec(text);
  const name = whole ? text : (match?.[1] ?? '');
  const port = Number(match?.[2] ?? usualPort);
  if (name === '' || port < 1 || port > 65535) return undefined;
  if (isIP(name) !== 0) return { address: name, port };
  const address = await Promise.race([
    lookup(name).then(
      (found) => found.address,
      () => undefined,
    ),
    expiry(),
  ]);
  return address === undefined ? undefined : { address, port };
}

function expiry(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, LOOKUP_MS, undefined).unref();
  });
}
