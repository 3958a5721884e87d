import { readFileSync } from 'node:fs';
import { canonicalAddress } from '#platform/topology';
import type { ServerPlace } from './dns-sockets.ts';

const DNS_PORT = 53;
/** More resolvers than this in a file are not asked. */
const MOST_SERVERS = 8;

/**
 * The servers to ask: those of the document (`host.resolvers`), and without any those that /etc/resolv.conf names.
 * @param configured IP texts
 */
export function resolverPlaces(configured: readonly string[], file = '/etc/resolv.conf'): ServerPlace[] {
  const addresses = configured.length > 0 ? configured : systemResolvers(file);
  return addresses.map((address) => ({ address, port: DNS_PORT }));
}

/** Only `nameserver` lines: search lists and options would change what is asked. */
export function parseResolvConf(text: string): string[] {
  const servers = text
    .split('\n')
    .flatMap((line) => /^\s*nameserver\s+([0-9A-Fa-f:.]+)\s*(?:[#;].*)?$/.exec(line)?.[1] ?? [])
    // As the system spells the source of a datagram: an answer is known by it.
    .flatMap((address) => canonicalAddress(address) ?? []);
  return [...new Set(servers)].slice(0, MOST_SERVERS);
}

function systemResolvers(file: string): string[] {
  try {
    return parseResolvConf(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}
