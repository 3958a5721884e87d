import { err, ok, type Result } from '#kernel';
import {
  type AddressFamily,
  decodeIp,
  EDGE_COOKIE_BYTES,
  EDGE_TUNNEL_MARK,
  encodeIp,
  readU16,
  type TransportAddress,
  writeU16,
} from '#protocols/stun';

/*
 * What two edges say to one another on 3478, docs/protocols/edge-tunnel.md:
 *
 *   0  0xE5   1  kind   2  length of the payload (2)   4  cookie (8)
 *   then, in data: source address (4 or 16), source port (2), destination address, destination port, payload
 */
const COOKIE_AT = 4;
const ADDRESSES_AT = COOKIE_AT + EDGE_COOKIE_BYTES;
const Kind = { DataIpv4: 0x14, DataIpv6: 0x16, Reject: 0x1f } as const;

/** Octets before the payload. */
export function tunnelHeaderBytes(family: AddressFamily): number {
  return ADDRESSES_AT + 2 * ((family === 'ipv4' ? 4 : 16) + 2);
}

export interface TunnelData {
  readonly cookie: Uint8Array;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  /** Where the payload begins; it goes on to the end. */
  readonly start: number;
}

/** One tunnelled datagram, whole; or the cookie that a partner does not know any more. */
export type TunnelFrame =
  | ({ readonly kind: 'data' } & TunnelData)
  | { readonly kind: 'reject'; readonly cookie: Uint8Array };

export function decodeTunnel(bytes: Uint8Array): Result<TunnelFrame, 'malformed'> {
  if (bytes[0] !== EDGE_TUNNEL_MARK || bytes.length < ADDRESSES_AT) return err('malformed');
  const cookie = bytes.subarray(COOKIE_AT, ADDRESSES_AT);
  const kind = bytes[1];
  if (kind === Kind.Reject)
    return bytes.length === ADDRESSES_AT ? ok({ kind: 'reject', cookie }) : err('malformed');
  const octets = kind === Kind.DataIpv4 ? 4 : kind === Kind.DataIpv6 ? 16 : 0;
  if (octets === 0) return err('malformed');
  const start = ADDRESSES_AT + 2 * (octets + 2);
  if (bytes.length < start || readU16(bytes, 2) !== bytes.length - start) return err('malformed');
  const address = (at: number): TransportAddress => ({
    address: decodeIp(bytes, at, octets),
    port: readU16(bytes, at + octets),
  });
  return ok({
    kind: 'data',
    cookie,
    source: address(ADDRESSES_AT),
    destination: address(ADDRESSES_AT + octets + 2),
    start,
  });
}

/** Writes the header of a tunnelled datagram; the caller puts `payload` octets behind it. */
export function encodeTunnelHeader(
  into: Uint8Array,
  cookie: Uint8Array,
  source: TransportAddress,
  destination: TransportAddress,
  payload: number,
): void {
  const octets = encodeIp(source.address, into, ADDRESSES_AT);
  into[0] = EDGE_TUNNEL_MARK;
  into[1] = octets === 4 ? Kind.DataIpv4 : Kind.DataIpv6;
  writeU16(into, 2, payload);
  into.set(cookie, COOKIE_AT);
  writeU16(into, ADDRESSES_AT + octets, source.port);
  const second = ADDRESSES_AT + octets + 2;
  if (encodeIp(destination.address, into, second) !== octets)
    throw new RangeError('two families in one tunnel');
  writeU16(into, second + octets, destination.port);
}

/** @returns its length */
export function encodeTunnelReject(into: Uint8Array, cookie: Uint8Array): number {
  into[0] = EDGE_TUNNEL_MARK;
  into[1] = Kind.Reject;
  writeU16(into, 2, 0);
  into.set(cookie, COOKIE_AT);
  return ADDRESSES_AT;
}
