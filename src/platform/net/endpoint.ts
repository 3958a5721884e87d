import type { Socket } from 'node:net';
import { canonicalAddress } from '#platform/pki';

export interface Endpoint {
  /** Canonical IP text; an IPv4-mapped IPv6 address is written as IPv4. */
  readonly address: string;
  readonly port: number;
}

const MAPPED = '::ffff:';

/** The far end of a socket; undefined when the peer is gone already. */
export function remoteEndpoint(socket: Socket): Endpoint | undefined {
  return endpoint(socket.remoteAddress, socket.remotePort);
}

/** Our end of a socket; undefined when it is closed already. */
export function localEndpoint(socket: Socket): Endpoint | undefined {
  return endpoint(socket.localAddress, socket.localPort);
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  if (address === undefined || port === undefined) return undefined;
  const mapped = address.startsWith(MAPPED) && address.includes('.');
  return { address: mapped ? address.slice(MAPPED.length) : address, port };
}

/**
 * What limits per source count by: an IPv4 address, or the /64 of an IPv6 address, since one host has as many
 * addresses in its /64 as it likes. What a translator made of an IPv4 address counts as that one (RFC 6052 §2.1).
 * @param address canonical IP text
 */
export function sourceKey(address: string): string {
  if (!address.includes(':')) return address;
  const translated = TRANSLATED.exec(address);
  if (translated !== null) return ipv4Of(translated[1] ?? '0', translated[2] ?? '0');
  const zone = address.indexOf('%');
  const [head = '', tail] = (zone < 0 ? address : address.slice(0, zone)).split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined && groups.length < 4) {
    const after = tail === '' ? [] : tail.split(':');
    const zeros = 8 - groups.length - after.length;
    for (let i = 0; i < zeros; i++) groups.push('0');
    groups.push(...after);
  }
  return `${groups.slice(0, 4).join(':')}/64`;
}

/** What `sourceKey` gave, as people write it: an IPv4 address, or an IPv6 network (RFC 4291 §2.3, RFC 5952). */
export function sourceText(key: string): string {
  const groups = key.endsWith('/64') ? key.slice(0, -3) : undefined;
  return groups === undefined ? key : `${canonicalAddress(`${groups}::`) ?? groups}/64`;
}

/** What `sourceKey` gives for an address in any spelling, or for its /64; undefined for what is neither. */
export function parseSource(text: string): string | undefined {
  const [address = '', length, more] = text.split('/');
  const canonical = canonicalAddress(address);
  if (canonical === undefined || more !== undefined) return undefined;
  if (length !== undefined && (length !== '64' || !canonical.includes(':'))) return undefined;
  return sourceKey(canonical);
}

/** Of the well-known prefix of translators, the IPv4 address. */
const TRANSLATED = /^64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/;

function ipv4Of(...groups: [string, string]): string {
  return groups
    .map((group) => Number.parseInt(group, 16))
    .map((group) => `${group >> 8}.${group & 0xff}`)
    .join('.');
}
