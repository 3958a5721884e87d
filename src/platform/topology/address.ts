import ipaddr from 'ipaddr.js';

type Parsed = ipaddr.IPv4 | ipaddr.IPv6;

/** An address as `ipaddr.js` sees it, with IPv4-mapped IPv6 taken for the IPv4 address that it is. */
function parse(text: string): Parsed | undefined {
  const strict = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
  if (!strict || text.includes('%') || text.includes('/')) return undefined;
  return ipaddr.process(text);
}

/**
 * Canonical text of an IPv4 or IPv6 address (RFC 5952 for IPv6; an IPv4-mapped address becomes IPv4), or
 * undefined. Zone identifiers and shortened IPv4 forms are not addresses here.
 */
export function canonicalAddress(text: string): string | undefined {
  const parsed = parse(text);
  if (parsed === undefined) return undefined;
  return parsed.kind() === 'ipv6' ? (parsed as ipaddr.IPv6).toRFC5952String() : parsed.toString();
}

export function addressFamily(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

type AddressRange = 'unspecified' | 'loopback' | 'multicast' | 'broadcast' | 'private' | 'other';

const PRIVATE = new Set(['private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat']);

/** What kind of address a canonical address is, as far as a document cares. */
export function addressRange(address: string): AddressRange {
  const range = parse(address)?.range() ?? 'other';
  if (range === 'unspecified' || range === 'loopback' || range === 'multicast' || range === 'broadcast') {
    return range;
  }
  return PRIVATE.has(range) ? 'private' : 'other';
}

interface Network {
  readonly base: Parsed;
  readonly bits: number;
}

/** Of the prefix ::ffff:0:0/96. */
const MAPPED_BITS = 96;

function parseNetwork(text: string): Network | undefined {
  const [address, bits, ...rest] = text.split('/');
  if (address === undefined || bits === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits))
    return undefined;
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return undefined;
  if (address.includes('%')) return undefined;
  const base = ipaddr.parse(address);
  const length = Number(bits);
  if (length > base.toByteArray().length * 8) return undefined;
  // Written as IPv6 it would match no IPv4 address, and protect or allow nothing.
  if (length >= MAPPED_BITS && base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress()) {
    return { base: base.toIPv4Address(), bits: length - MAPPED_BITS };
  }
  return { base, bits: length };
}

function masked(network: Network): Parsed {
  const bytes = network.base.toByteArray();
  for (let index = 0; index < bytes.length; index++) {
    const kept = Math.min(Math.max(network.bits - index * 8, 0), 8);
    bytes[index] = bytes[index]! & (0xff << (8 - kept)) & 0xff;
  }
  return ipaddr.fromByteArray(bytes);
}

function textOf(address: Parsed): string {
  return address.kind() === 'ipv6' ? (address as ipaddr.IPv6).toRFC5952String() : address.toString();
}

/**
 * A network in CIDR form with host bits cleared. `exact` is false when the text had host bits set, which is
 * more often a slip of the pen than an intention.
 */
export function canonicalNetwork(text: string): { network: string; exact: boolean } | undefined {
  const parsed = parseNetwork(text);
  if (parsed === undefined) return undefined;
  const base = masked(parsed);
  return { network: `${textOf(base)}/${parsed.bits}`, exact: textOf(base) === textOf(parsed.base) };
}

/** The network that holds one canonical address and nothing else. */
export function hostNetwork(address: string): string {
  return addressFamily(address) === 6 ? `${address}/128` : `${address}/32`;
}

/** Whether a canonical address lies in a canonical network. */
export function networkContains(network: string, address: string): boolean {
  const within = parseNetwork(network);
  const parsed = parse(address);
  if (within === undefined || parsed === undefined || within.base.kind() !== parsed.kind()) return false;
  return textOf(masked({ base: parsed, bits: within.bits })) === textOf(masked(within));
}

/** Whether every address of a canonical network lies in another. */
export function networkWithin(inner: string, outer: string): boolean {
  const [base = '', bits = ''] = inner.split('/');
  return networkContains(outer, base) && Number(bits) >= Number(outer.split('/')[1]);
}

/** Whether two canonical networks share an address: then one holds the base of the other. */
export function networksOverlap(one: string, other: string): boolean {
  const base = (network: string): string => network.slice(0, network.indexOf('/'));
  return networkContains(one, base(other)) || networkContains(other, base(one));
}

/** `192.0.2.1:443`, `[2001:db8::1]:443` */
export function endpointText(address: string, port: number): string {
  return addressFamily(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
