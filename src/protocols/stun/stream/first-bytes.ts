import { readU16 } from '../octets.ts';

/**
 * What speaks on a port where several do, told by its first bytes (RFC 7983 §7, RFC 8656 §12.4, [MS-TURN] §2.1):
 *
 * - `tls`: a TLS handshake;
 * - `pseudo-tls`: the fixed hello of the older dialect, which looks like TLS and encrypts nothing: a record of 45
 *   octets that offers the one cipher suite TLS_DH_anon_WITH_RC4_128_MD5;
 * - `ms-framing`: frames of the older dialect, type 2 or 3 and a zero;
 * - `edge-tunnel`: another edge, with a stream for one of ours (docs/protocols/edge-tunnel.md);
 * - `stun`, `channel-data`: frames of RFC 8489 §6.2.2 and RFC 8656 §12.5;
 * - `nothing`: none of these; `more`: not to be told yet.
 *
 * The one overlap is between the last two families: type 2 or 3 with a zero could be a STUN message of a class that no
 * client ever begins with (a response), so that the older dialect has it.
 */
export type Opening =
  | 'tls'
  | 'pseudo-tls'
  | 'ms-framing'
  | 'stun'
  | 'channel-data'
  | 'edge-tunnel'
  | 'nothing'
  | 'more';

/** With it everything of the tunnel between edges begins: no STUN message, ChannelData, DTLS, RTP or RTCP does (RFC 7983 §7). */
export const EDGE_TUNNEL_MARK = 0xe5;

const HANDSHAKE_RECORD = 0x16;
const PSEUDO_TLS_RECORD_BYTES = 0x2d;
const PSEUDO_TLS_SUITE = 0x0018;
/** Where the cipher suites of a hello without session id begin: their length in octets, then the first. */
const SUITES_AT = 44;

/** @param bytes all that has arrived */
export function openingOf(bytes: Uint8Array): Opening {
  if (bytes.length === 0) return 'more';
  const first = bytes[0] ?? 0;
  if (first === HANDSHAKE_RECORD) return helloOf(bytes);
  if (first >= 0x40 && first <= 0x4f) return 'channel-data';
  if (first === EDGE_TUNNEL_MARK) return 'edge-tunnel';
  if (first === 0x02 || first === 0x03) {
    if (bytes.length === 1) return 'more';
    return bytes[1] === 0 ? 'ms-framing' : 'stun';
  }
  return first < 0x40 ? 'stun' : 'nothing';
}

/** Real TLS never sends so short a record with so old a suite: the hello of a TLS client alone is longer. */
function helloOf(bytes: Uint8Array): Opening {
  if (bytes.length < 5) return 'more';
  if (readU16(bytes, 3) !== PSEUDO_TLS_RECORD_BYTES) return 'tls';
  if (bytes.length < SUITES_AT + 4) return 'more';
  const only = readU16(bytes, SUITES_AT) === 2 && readU16(bytes, SUITES_AT + 2) === PSEUDO_TLS_SUITE;
  return only ? 'pseudo-tls' : 'tls';
}
