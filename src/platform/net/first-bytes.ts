/** TLS record type 22 (RFC 8446 §5.1): the only way a TLS connection begins. */
const HANDSHAKE_RECORD = 0x16;

/**
 * What the first bytes of a connection begin: TLS, something else by a name of the owner's, nothing that is spoken
 * on this port ('not-tls' where only TLS is, 'first-bytes' elsewhere), or not to be told yet.
 */
export type FirstBytes = 'more' | 'tls' | 'not-tls' | 'first-bytes' | { readonly plain: string };

/** The judgement of a port on which only TLS is spoken. */
export function tlsOnly(first: Buffer): FirstBytes {
  return first[0] === HANDSHAKE_RECORD ? 'tls' : 'not-tls';
}
