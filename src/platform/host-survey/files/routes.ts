import { canonicalNetwork } from '#platform/topology';
import type { Route } from '../readings.ts';

/** More than any edge has; a router's full table is not read to its end. */
export const MOST_ROUTES = 10_000;

const UP = 0x1;
const REJECT = 0x200;
const LOCAL = 0x8000_0000;

/** /proc/net/route: the IPv4 routes of the main table. */
export function parseIpv4Routes(text: string): Route[] {
  const routes: Route[] = [];
  for (const line of text.split('\n').slice(1, MOST_ROUTES)) {
    const [name, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
    if (mask === undefined || !inUse(flags)) continue;
    const bits = prefixLength(Number.parseInt(mask, 16));
    const network = canonicalNetwork(`${ipv4(destination)}/${bits}`)?.network;
    if (network === undefined || name === undefined) continue;
    const by = ipv4(gateway);
    routes.push({
      network,
      gateway: by === '0.0.0.0' ? undefined : by,
      interface: name,
      metric: Number(metric),
    });
  }
  return routes;
}

/** /proc/net/ipv6_route: the IPv6 routes, without those of single own addresses and of link-local networks. */
export function parseIpv6Routes(text: string): Route[] {
  const routes: Route[] = [];
  for (const line of text.split('\n').slice(0, MOST_ROUTES)) {
    const [destination, bits, , , gateway, metric, , , flags, name] = line.trim().split(/\s+/);
    if (name === undefined || !inUse(flags)) continue;
    const network = canonicalNetwork(`${ipv6(destination)}/${Number.parseInt(bits ?? '', 16)}`)?.network;
    if (network === undefined || network.startsWith('fe80:') || network.startsWith('ff00:')) continue;
    const by = canonicalNetwork(`${ipv6(gateway)}/128`)?.network.replace('/128', '');
    const distance = Number.parseInt(metric ?? '', 16);
    routes.push({ network, gateway: by === '::' ? undefined : by, interface: name, metric: distance });
  }
  return routes;
}

function inUse(flags: string | undefined): boolean {
  const bits = Number.parseInt(flags ?? '', 16);
  return (bits & UP) !== 0 && (bits & REJECT) === 0 && (bits & LOCAL) === 0;
}

/** The kernel prints the four octets as a number of the machine, least significant first. */
function ipv4(hex: string | undefined): string {
  const octets = hex?.match(/../g) ?? [];
  return octets
    .reverse()
    .map((octet) => Number.parseInt(octet, 16))
    .join('.');
}

function ipv6(hex: string | undefined): string {
  return hex?.match(/.{4}/g)?.join(':') ?? '';
}

function prefixLength(mask: number): number {
  let length = 0;
  for (let rest = mask; rest !== 0; rest >>>= 1) length += rest & 1;
  return length;
}
