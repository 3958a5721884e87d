import type { BindProblem, DatagramError } from './datagrams.ts';

const errorKinds: ReadonlyMap<string, DatagramError> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ENETUNREACH', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETDOWN', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  // What Linux says when the source address cannot lead to the destination.
  ['EINVAL', 'unreachable'],
  ['EMSGSIZE', 'too-big'],
  ['EPERM', 'not-permitted'],
  ['EACCES', 'not-permitted'],
  ['ENOBUFS', 'no-buffers'],
  ['ENOMEM', 'no-buffers'],
]);

/** What an error that the system reported for a datagram counts as. */
export function datagramError(code: string | undefined): DatagramError {
  return errorKinds.get(code ?? '') ?? 'other';
}

const bindProblems: ReadonlyMap<string, BindProblem> = new Map([
  ['EADDRINUSE', 'in-use'],
  ['EADDRNOTAVAIL', 'not-available'],
  ['EACCES', 'not-permitted'],
  ['EPERM', 'not-permitted'],
  ['EMFILE', 'exhausted'],
  ['ENFILE', 'exhausted'],
  ['ENOBUFS', 'exhausted'],
  ['ENOMEM', 'exhausted'],
]);

export function bindProblem(code: string | undefined): BindProblem {
  return bindProblems.get(code ?? '') ?? 'other';
}
