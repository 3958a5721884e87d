import type { Catalogue } from './entry.ts';

/** Errors of the supervisor, service processes and the administration socket (SLP-SVC-nnnn). */
export const serviceErrors = {
  'SLP-SVC-0001': {
    blame: 'self',
    summary: 'a service process ended unexpectedly',
    remedy:
      'The supervisor restarts it by itself. If it keeps ending, keep the log lines around it and report them.',
  },
  'SLP-SVC-0002': {
    blame: 'operator',
    summary: 'a listening address and port is already in use',
    remedy:
      'Stop the other program that listens there (`ss -lntup` names it), or give this one another address.',
  },
  'SLP-SVC-0003': {
    blame: 'operator',
    summary: 'a listening address does not exist on this machine',
    remedy:
      'Write an address that `ip address` shows into host.addresses, or add the address to an interface.',
  },
  'SLP-SVC-0004': {
    blame: 'operator',
    summary: 'listening on this port is not permitted',
    remedy:
      'Ports below 1024 need root at the start or the capability CAP_NET_BIND_SERVICE (the systemd unit grants it). ' +
      'After privilege was dropped no new low port can be added by reloading: restart instead.',
  },
  'SLP-SVC-0005': {
    blame: 'operator',
    summary: 'a listening socket could not be made',
    remedy: 'The detail is what the system said; check the address and port in the document.',
  },
  'SLP-SVC-0006': {
    blame: 'operator',
    summary: 'privilege could not be dropped',
    remedy: 'Make sure that the account in host.runAs exists, or start without root and without host.runAs.',
  },
  'SLP-SVC-0007': {
    blame: 'operator',
    summary: 'the administration socket could not be opened',
    remedy:
      'Make sure that its folder exists and may be written by the account that the server runs as, and that no ' +
      'other server uses the same socket.',
  },
  'SLP-SVC-0008': {
    blame: 'operator',
    summary: 'a service refused the document',
    remedy: 'The detail says what it could not use; the document that was running before goes on.',
  },
  'SLP-SVC-0009': {
    blame: 'self',
    summary: 'a service did not answer in time',
    remedy:
      'The supervisor replaces a service that stays silent. Keep the log lines around it and report them.',
  },
  'SLP-SVC-0010': {
    blame: 'operator',
    summary: 'the arguments of an administration verb do not fit',
    remedy: 'Correct the arguments that the detail names.',
  },
  'SLP-SVC-0011': {
    blame: 'operator',
    summary: 'there is no such service or verb',
    remedy: '`sallyport status` lists the services of a running program, with --json their verbs too.',
  },
  'SLP-SVC-0012': {
    blame: 'self',
    summary: 'a message between supervisor and service was not understood',
    remedy: 'Both ends must be the same version: restart the program after an update.',
  },
  'SLP-SVC-0013': {
    blame: 'operator',
    summary: 'a service was not healthy in time with the new document',
    remedy: 'The detail is what the service said of itself; the document that was running before goes on.',
  },
  'SLP-SVC-0014': {
    blame: 'operator',
    summary: 'the document has errors',
    remedy: 'Correct the lines named; `sallyport check FILE` prints them again. Nothing was changed.',
  },
  'SLP-SVC-0015': {
    blame: 'operator',
    summary: 'no server answers on the administration socket',
    remedy: 'Start the server, or name its socket with --socket.',
  },
  'SLP-SVC-0016': {
    blame: 'self',
    summary: 'an administration verb failed',
    remedy: 'The detail says how; the log of the service has more.',
  },
} as const satisfies Catalogue;
