import type { Catalogue } from './entry.ts';

/** Errors of sockets, TLS, certificates and databases (SLP-NET-nnnn). */
export const netErrors = {
  'SLP-NET-0001': {
    blame: 'operator',
    summary: 'a certificate or key file cannot be read',
    remedy: 'Check that the file exists and that the user the service runs as may read it.',
  },
  'SLP-NET-0002': {
    blame: 'operator',
    summary: 'a certificate file holds no usable certificate',
    remedy: 'Give a PEM file with the certificate first and its intermediates after it.',
  },
  'SLP-NET-0003': {
    blame: 'operator',
    summary: 'a key file holds no usable private key',
    remedy: 'Give a PEM file with one unencrypted private key (RSA of 2048 bits or more, or ECDSA).',
  },
  'SLP-NET-0004': {
    blame: 'operator',
    summary: 'a private key does not belong to its certificate',
    remedy: 'Give the key that the certificate was issued for; replace both files together.',
  },
  'SLP-NET-0005': {
    blame: 'operator',
    summary: 'a certificate is outside its validity period',
    remedy: "Renew the certificate, or set the host's clock.",
  },
  'SLP-NET-0006': {
    blame: 'operator',
    summary: 'a certificate asserts no name',
    remedy: 'Issue it with the host names in subjectAltName; the common name is never used.',
  },
  'SLP-NET-0007': {
    blame: 'operator',
    summary: 'a trust anchor file is not usable',
    remedy: 'Give a PEM file that holds CA certificates only.',
  },
  'SLP-NET-0008': {
    blame: 'operator',
    summary: 'the TLS library refuses a certificate or key',
    remedy: 'Use a certificate with a modern key and signature (ECDSA P-256, or RSA 2048 with SHA-256).',
  },
  'SLP-NET-0010': {
    blame: 'peer',
    summary: 'a connection could not be opened',
    remedy: 'Check that the peer is running, and that routes and firewalls allow this connection.',
  },
  'SLP-NET-0011': {
    blame: 'peer',
    summary: 'a connection was not established in time',
    remedy: 'Check that the peer is running, and that routes and firewalls allow this connection.',
  },
  'SLP-NET-0012': {
    blame: 'peer',
    summary: 'a TLS handshake failed',
    remedy: 'Compare TLS versions, ALPN and certificates on both sides.',
  },
  'SLP-NET-0013': {
    blame: 'peer',
    summary: "a peer's certificate chain is not trusted",
    remedy: 'Check who issued it, its dates and its key usage, and the CA file that this side trusts.',
  },
  'SLP-NET-0014': {
    blame: 'peer',
    summary: "a peer's certificate does not assert the expected name",
    remedy: 'Issue it with the expected name in subjectAltName, or correct the name in the document.',
  },
  'SLP-NET-0015': {
    blame: 'self',
    summary: 'a connection attempt was given up',
    remedy: 'Nothing: the service that asked for it is stopping or was reconfigured.',
  },
  'SLP-NET-0020': {
    blame: 'operator',
    summary: 'a database cannot be opened',
    remedy: 'Check that its folder exists and belongs to the user the service runs as.',
  },
  'SLP-NET-0021': {
    blame: 'operator',
    summary: 'a database is damaged',
    remedy: 'Stop the service, keep a copy of the file, and restore the last backup.',
  },
  'SLP-NET-0022': {
    blame: 'operator',
    summary: 'a database was written by a newer version of this program',
    remedy: 'Run the newer version again, or restore a backup made before the upgrade.',
  },
  'SLP-NET-0030': {
    blame: 'operator',
    summary: 'a server has no address that could be dialled from here',
    remedy: 'Give the Access Edge service an address of the family (IPv4 or IPv6) that the partner has.',
  },
  'SLP-NET-0031': {
    blame: 'peer',
    summary: 'a server has only addresses that may not be dialled',
    remedy:
      'They are private, special-purpose or ours; the partner has to publish public ones, or the document to allow them.',
  },
} as const satisfies Catalogue;
