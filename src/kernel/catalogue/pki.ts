import type { Catalogue } from './entry.ts';

/** Errors of revocation: whether certificates still stand (SLP-PKI-nnnn). */
export const pkiErrors = {
  'SLP-PKI-0001': {
    blame: 'peer',
    summary: "a peer's certificate is revoked",
    remedy: 'Tell the partner: it needs a new certificate, and perhaps its key was stolen.',
  },
  'SLP-PKI-0002': {
    blame: 'peer',
    summary: "nobody can tell whether a peer's certificate is revoked",
    remedy:
      'Fetch the revocation list by hand from the Access address (port row ext-02); `policy.revocation.unknown: accept` lets such partners in.',
  },
  'SLP-PKI-0003': {
    blame: 'peer',
    summary: "a peer's certificate names no revocation list and lives too long to do without",
    remedy: 'The partner needs another certificate, or raise policy.revocation.shortLivedDays.',
  },
  'SLP-PKI-0004': {
    blame: 'peer',
    summary: 'a revocation list is at a place that is not asked',
    remedy:
      'Only http: at port 80 without a user name is asked; the authority of the certificate has to offer that.',
  },
  'SLP-PKI-0005': {
    blame: 'peer',
    summary: 'a revocation list cannot be fetched',
    remedy:
      'Fetch it by hand; look at policy.revocation.listKibibytes and fetchSeconds if it is large or slow.',
  },
  'SLP-PKI-0006': {
    blame: 'peer',
    summary: 'a revocation list cannot be used',
    remedy: 'Tell the authority of the certificate; delta and indirect lists are not supported.',
  },
} as const satisfies Catalogue;
