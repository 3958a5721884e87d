import type { Socket } from 'node:net';

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
 * addresses in its /64 as it likes.
 * @param address canonical IP text
 */
export function sourceKey(address: string): string {
  if (!address.includes(':')) return address;
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
