import { err, ok, type Result } from '#kernel';
import {
  decodeIp,
  EDGE_COOKIE_BYTES,
  EDGE_TUNNEL_MARK,
  encodeIp,
  readU16,
  type TransportAddress,
  writeU16,
} from '#protocols/stun';

/*
 * What two edges say to one another on TCP 443 before a stream goes through, docs/protocols/edge-tunnel.md:
 *
 *   opening  0  0xE5   1  kind   2  zero (2)   4  cookie (8)   12  source address (4 or 16), source port (2),
 *            destination address, destination port
 *   answer   0  0xE5   1  kind   2  zero (2)   4  the cookie of the opening (8)
 */
const COOKIE_AT = 4;
const ADDRESSES_AT = COOKIE_AT + EDGE_COOKIE_BYTES;
const Kind = { OpenIpv4: 0x24, OpenIpv6: 0x26, Accepted: 0x2a, UnknownCookie: 0x2f } as const;

/** Octets of an answer. */
export const TUNNEL_ANSWER_BYTES = ADDRESSES_AT;
/** Octets of the longest opening. */
export const LONGEST_TUNNEL_OPENING = ADDRESSES_AT + 2 * (16 + 2);

export interface TunnelOpening {
  readonly cookie: Uint8Array;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
}

/** Octets of an opening that begins like this; 'more' when it cannot be told yet, 'malformed' when it is none. */
export function tunnelOpeningBytes(start: Uint8Array): number | 'more' | 'malformed' {
  if (start.length > 0 && start[0] !== EDGE_TUNNEL_MARK) return 'malformed';
  if (start.length < 2) return 'more';
  const octets = octetsOf(start[1]);
  return octets === 0 ? 'malformed' : ADDRESSES_AT + 2 * (octets + 2);
}

/** @param bytes exactly as many as `tunnelOpeningBytes` says */
export function decodeTunnelOpening(bytes: Uint8Array): Result<TunnelOpening, 'malformed'> {
  const octets = octetsOf(bytes[1]);
  const isWhole = octets !== 0 && bytes.length === tunnelOpeningBytes(bytes);
  if (!isWhole || readU16(bytes, 2) !== 0) return err('malformed');
  const address = (at: number): TransportAddress => ({
    address: decodeIp(bytes, at, octets),
    port: readU16(bytes, at + octets),
  });
  return ok({
    cookie: bytes.subarray(COOKIE_AT, ADDRESSES_AT),
    source: address(ADDRESSES_AT),
    destination: address(ADDRESSES_AT + octets + 2),
  });
}

export function encodeTunnelOpening({ cookie, source, destination }: TunnelOpening): Uint8Array {
  const bytes = new Uint8Array(LONGEST_TUNNEL_OPENING);
  const octets = encodeIp(source.address, bytes, ADDRESSES_AT);
  bytes[0] = EDGE_TUNNEL_MARK;
  bytes[1] = octets === 4 ? Kind.OpenIpv4 : Kind.OpenIpv6;
  bytes.set(cookie, COOKIE_AT);
  writeU16(bytes, ADDRESSES_AT + octets, source.port);
  const second = ADDRESSES_AT + octets + 2;
  if (encodeIp(destination.address, bytes, second) !== octets)
    throw new RangeError('two families in one tunnel');
  writeU16(bytes, second + octets, destination.port);
  return bytes.subarray(0, second + octets + 2);
}

/** What an edge says to an opening; it closes without a word when nothing could be better another time. */
export type TunnelAnswer = 'accepted' | 'unknown-cookie';

export function encodeTunnelAnswer(answer: TunnelAnswer, cookie: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(TUNNEL_ANSWER_BYTES);
  bytes[0] = EDGE_TUNNEL_MARK;
  bytes[1] = answer === 'accepted' ? Kind.Accepted : Kind.UnknownCookie;
  bytes.set(cookie, COOKIE_AT);
  return bytes;
}

export function decodeTunnelAnswer(
  bytes: Uint8Array,
): Result<{ readonly answer: TunnelAnswer; readonly cookie: Uint8Array }, 'malformed'> {
  const isWhole = bytes.length === TUNNEL_ANSWER_BYTES && bytes[0] === EDGE_TUNNEL_MARK;
  if (!isWhole || readU16(bytes, 2) !== 0) return err('malformed');
  const cookie = bytes.subarray(COOKIE_AT);
  if (bytes[1] === Kind.Accepted) return ok({ answer: 'accepted', cookie });
  return bytes[1] === Kind.UnknownCookie ? ok({ answer: 'unknown-cookie', cookie }) : err('malformed');
}

function octetsOf(kind: number | undefined): 0 | 4 | 16 {
  if (kind === Kind.OpenIpv4) return 4;
  return kind === Kind.OpenIpv6 ? 16 : 0;
}
