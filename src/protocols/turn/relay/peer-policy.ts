import { err, type Failure, failure, ok, type Result } from '#kernel';
import { encodeIp, readU16, readU32 } from '#protocols/stun';
import { specialPurposeNetworks } from './special-purpose.ts';

/**
 * What may be a peer. `own-address`: an address of this edge. `internal-network`: behind the perimeter; nothing
 * lifts that. `special-purpose`: refused since no exception names it. `not-an-address`: no IP text.
 */
export type PeerVerdict =
  | 'allowed'
  | 'own-address'
  | 'internal-network'
  | 'special-purpose'
  | 'not-an-address';

export interface PeerPolicyDocument {
  /** Every address of this edge, also those before a NAT. */
  readonly ownAddresses: readonly string[];
  /** Networks behind the perimeter (CIDR): refused whatever else is said. */
  readonly internalNetworks: readonly string[];
  /** Networks (CIDR) that are peers although they are special-purpose or private. */
  readonly allowedPeers: readonly string[];
}

/** A CIDR range of one family. */
interface Network {
  /** 4 or 16 octets. */
  readonly octets: Uint8Array;
  /** 0..32 or 0..128 */
  readonly bits: number;
}

/** A peer policy in the form that {@link judgePeer} reads. Immutable. */
export class PeerPolicy {
  readonly own: readonly Network[];
  readonly internal: readonly Network[];
  readonly allowed: readonly Network[];

  constructor(own: readonly Network[], internal: readonly Network[], allowed: readonly Network[]) {
    this.own = own;
    this.internal = internal;
    this.allowed = allowed;
  }
  /** The same policy with more own addresses. Text that is no address is a RangeError. */
  withOwnAddresses(addresses: readonly string[]): PeerPolicy {
    const more = addresses.map((address) => {
      const network = parseNetwork(address);
      if (network === undefined) throw new RangeError(`not an IP address: ${address}`);
      return network;
    });
    return new PeerPolicy([...this.own, ...more], this.internal, this.allowed);
  }
}

/** Reads the three lists. The first text that is neither an address nor a CIDR range is the error. */
export function parsePeerPolicy(document: PeerPolicyDocument): Result<PeerPolicy, Failure> {
  const lists: Network[][] = [];
  for (const texts of [document.ownAddresses, document.internalNetworks, document.allowedPeers]) {
    const networks: Network[] = [];
    for (const text of texts) {
      const network = parseNetwork(text);
      if (network === undefined) return err(failure('SLP-AV-0101', JSON.stringify(text)));
      networks.push(network);
    }
    lists.push(networks);
  }
  return ok(new PeerPolicy(lists[0] ?? [], lists[1] ?? [], lists[2] ?? []));
}

const special = specialPurposeNetworks
  .map((text) => parseNetwork(text))
  .filter((network) => network !== undefined);

/** The address that is being judged: its octets are of no use to anybody afterwards. */
const judged = new Uint8Array(16);
const judgedIpv4: readonly Uint8Array[] = [judged.subarray(0, 4)];

/**
 * Decides about a peer address. Every IPv4 address inside an IPv6 one is judged too, and all forms must pass:
 * neither own nor internal, and each either ordinary or named by an exception in that very form.
 */
export function judgePeer(policy: PeerPolicy, address: string): PeerVerdict {
  const length = encodeIp(address, judged, 0);
  if (length === 0) return 'not-an-address';
  const forms = length === 16 ? [judged, ...embeddedIpv4(judged)] : judgedIpv4;
  if (forms.some((form) => within(policy.own, form))) return 'own-address';
  if (forms.some((form) => within(policy.internal, form))) return 'internal-network';
  const passes = (form: Uint8Array) => !within(special, form) || within(policy.allowed, form);
  return forms.every(passes) ? 'allowed' : 'special-purpose';
}

/** IPv4 addresses (views or copies of 4 octets) that a 16-octet address carries or translates to. */
export function embeddedIpv4(octets: Uint8Array): Uint8Array[] {
  const last = octets.subarray(12, 16);
  const found: Uint8Array[] = [];
  const zeros = (from: number, to: number) => octets.subarray(from, to).every((octet) => octet === 0);
  // RFC 4291 §2.5.5: IPv4-compatible and IPv4-mapped. RFC 7915: IPv4-translated ::ffff:0:a.b.c.d.
  if (zeros(0, 12)) found.push(last);
  if (zeros(0, 10) && readU16(octets, 10) === 0xffff) found.push(last);
  if (zeros(0, 8) && readU32(octets, 8) === 0xffff0000) found.push(last);
  // RFC 6052 §2.1: NAT64 64:ff9b::/96.
  if (readU32(octets, 0) === 0x0064ff9b && zeros(4, 12)) found.push(last);
  // NAT64 of this network, 64:ff9b:1::/48, with whichever of RFC 6052 §2.2's layouts it chose.
  if (readU32(octets, 0) === 0x0064ff9b && readU16(octets, 4) === 1) {
    const pick = (...at: number[]) => Uint8Array.from(at, (index) => octets[index] ?? 0);
    found.push(pick(6, 7, 9, 10), pick(7, 9, 10, 11), octets.subarray(9, 13), last);
  }
  // RFC 3056 §2: 6to4.
  if (readU16(octets, 0) === 0x2002) found.push(octets.subarray(2, 6));
  // RFC 4380 §4: Teredo server, and client with its bits turned round.
  if (readU32(octets, 0) === 0x20010000)
    found.push(
      octets.subarray(4, 8),
      last.map((octet) => octet ^ 0xff),
    );
  // RFC 5214 §6.1: ISATAP interface identifiers.
  if ((readU32(octets, 8) & 0xfdffffff) === 0x00005efe) found.push(last);
  return found;
}

function within(networks: readonly Network[], octets: Uint8Array): boolean {
  return networks.some((network) => contains(network, octets));
}

/** Whether the first `bits` bits agree. */
function contains(network: Network, octets: Uint8Array): boolean {
  if (network.octets.length !== octets.length) return false;
  const whole = network.bits >> 3;
  for (let at = 0; at < whole; at++) if (network.octets[at] !== octets[at]) return false;
  const rest = network.bits & 7;
  if (rest === 0) return true;
  const mask = 0xff00 >> rest;
  return (((network.octets[whole] ?? 0) ^ (octets[whole] ?? 0)) & mask & 0xff) === 0;
}

/** "address/bits" or "address". */
function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const octets = new Uint8Array(16);
  const length = encodeIp(slash < 0 ? text : text.slice(0, slash), octets, 0);
  if (length === 0) return undefined;
  const bits = slash < 0 ? length * 8 : text.slice(slash + 1);
  if (typeof bits === 'string' && !/^[0-9]{1,3}$/.test(bits)) return undefined;
  if (Number(bits) > length * 8) return undefined;
  return { octets: octets.slice(0, length), bits: Number(bits) };
}
