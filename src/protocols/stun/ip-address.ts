import { readU16, writeU16 } from './octets.ts';

export type AddressFamily = 'ipv4' | 'ipv6';

/** A transport address of a datagram protocol: canonical IP text (RFC 5952 for IPv6) and port 0..65535. */
export interface TransportAddress {
  readonly address: string;
  readonly port: number;
}

/** The family of an address that is known to be canonical IP text. */
export function familyOf(address: string): AddressFamily {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/**
 * Writes the address's octets into `into` at `at`.
 * @param text IP text; a zone ("%eth0") after an IPv6 address is passed over
 * @returns 4 or 16 (octets written), or 0 when the text is no IP address (`into` may then be partly written)
 */
export function encodeIp(text: string, into: Uint8Array, at: number): 0 | 4 | 16 {
  if (!text.includes(':')) return encodeIpv4(text, 0, text.length, into, at) ? 4 : 0;
  const zone = text.indexOf('%');
  return encodeIpv6(zone < 0 ? text : text.slice(0, zone), into, at) ? 16 : 0;
}

/** Canonical text of the 4 or 16 octets at `at`. */
export function decodeIp(bytes: Uint8Array, at: number, length: 4 | 16): string {
  return length === 4 ? ipv4Text(bytes, at) : ipv6Text(bytes, at);
}

/** The canonical text of any IP text (without zone), or undefined when it is none. */
export function canonicalIp(text: string): string | undefined {
  const octets = new Uint8Array(16);
  const length = encodeIp(text, octets, 0);
  return length === 0 ? undefined : decodeIp(octets, 0, length);
}

function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function encodeIpv4(text: string, from: number, to: number, into: Uint8Array, at: number): boolean {
  let octet = -1;
  let count = 0;
  for (let index = from; index <= to; index++) {
    const code = index === to ? 0x2e : text.charCodeAt(index);
    if (code === 0x2e) {
      if (octet < 0 || count === 4) return false;
      into[at + count++] = octet;
      octet = -1;
    } else if (code >= 0x30 && code <= 0x39) {
      if (octet === 0) return false; // a leading zero could mean octal to someone else
      octet = Math.max(octet, 0) * 10 + code - 0x30;
      if (octet > 255) return false;
    } else return false;
  }
  return count === 4;
}

function encodeIpv6(text: string, into: Uint8Array, at: number): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const head = encodeGroups(halves[0] ?? '', into, at, halves.length === 1);
  if (halves.length === 1) return head === 16;
  if (head < 0 || head > 14) return false;
  const scratch = new Uint8Array(16);
  const tail = encodeGroups(halves[1] ?? '', scratch, 0, true);
  if (tail < 0 || head + tail > 14) return false;
  into.fill(0, at + head, at + 16 - tail);
  into.set(scratch.subarray(0, tail), at + 16 - tail);
  return true;
}

/** Octets written for groups without "::", or -1. Only the last part of an address may end in IPv4 form. */
function encodeGroups(text: string, into: Uint8Array, at: number, last: boolean): number {
  if (text === '') return 0;
  const groups = text.split(':');
  let written = 0;
  for (const [index, group] of groups.entries()) {
    if (last && index === groups.length - 1 && group.includes('.')) {
      if (written > 12 || !encodeIpv4(group, 0, group.length, into, at + written)) return -1;
      return written + 4;
    }
    if (written > 14 || !/^[0-9a-f]{1,4}$/i.test(group)) return -1;
    writeU16(into, at + written, Number.parseInt(group, 16));
    written += 2;
  }
  return written;
}

/** RFC 5952: lower case, the longest run of zero groups (at least two, the first of equals) as "::". */
function ipv6Text(bytes: Uint8Array, at: number): string {
  let best = 0;
  let bestAt = -1;
  for (let group = 0; group < 8; group++) {
    let run = 0;
    while (group + run < 8 && readU16(bytes, at + 2 * (group + run)) === 0) run++;
    if (run > best && run > 1) {
      best = run;
      bestAt = group;
    }
    if (run > 0) group += run - 1;
  }
  if (bestAt === 0 && best === 5 && readU16(bytes, at + 10) === 0xffff) {
    return `::ffff:${ipv4Text(bytes, at + 12)}`;
  }
  if (bestAt < 0) return groupsText(bytes, at, 0, 8);
  return `${groupsText(bytes, at, 0, bestAt)}::${groupsText(bytes, at, bestAt + best, 8)}`;
}

function groupsText(bytes: Uint8Array, at: number, from: number, to: number): string {
  let text = '';
  for (let group = from; group < to; group++) {
    text += (group === from ? '' : ':') + readU16(bytes, at + 2 * group).toString(16);
  }
  return text;
}
