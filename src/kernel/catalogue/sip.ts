import type { Catalogue } from './entry.ts';

/** Errors of the SIP protocol rooms, the Access Edge service and the front end (SLP-SIP-nnnn). */
export const sipErrors = {
  'SLP-SIP-0401': {
    blame: 'operator',
    summary: 'the key of the Access Edge flow tokens cannot be used',
    remedy:
      'Make sure that the account the service runs as may write to host.stateDirectory, and that there is room on its disk. A damaged access-flow.key ' +
      'may be deleted: a new one is made, and clients that are signed in have to sign in again.',
  },
  'SLP-SIP-0402': {
    blame: 'operator',
    summary: 'a member of the next hop cannot be reached from any internal address',
    remedy: 'Give host.addresses.internal an address of the same family (IPv4 or IPv6) as the member has.',
  },
  'SLP-SIP-0403': {
    blame: 'operator',
    summary: 'the path of host.stateDirectory is too long for the sockets by which worker processes talk',
    remedy: 'Choose a folder whose path has at most 80 bytes, or write host.workers.access: 1.',
  },
  'SLP-SIP-0501': {
    blame: 'operator',
    summary: 'a certificate of host.certificates.accessDomains does not hold the name that clients ask for',
    remedy: 'Write the certificate that holds the name, or the name that the certificate holds.',
  },
  'SLP-SIP-0500': {
    blame: 'operator',
    summary: 'the flow key of the pool cannot be used',
    remedy:
      'Write one line of 16 to 512 characters into the file of policy.pool.flowKeyFile, for example with `openssl rand -base64 32`, ' +
      'the same on every edge of the pool, readable by the account the service runs as.',
  },
  'SLP-SIP-0920': {
    blame: 'peer',
    summary: 'the certificate of an open connection with a partner would not be accepted any more',
    remedy:
      'See the reason: the partner renews a certificate that has run out; write the authority that signed it into the file of host.partnerCa when it was taken out by mistake.',
  },
  'SLP-SIP-0801': {
    blame: 'operator',
    summary: 'this is no address of a watcher',
    remedy: 'Write user@domain, as the address stands in the list of `sallyport internal presence list`.',
  },
  'SLP-SIP-0802': {
    blame: 'operator',
    summary: 'the user has decided about as many watchers as there may be',
    remedy: 'Raise frontEnd.presence.watchersPerUser of internal.yaml.',
  },
} as const satisfies Catalogue;
