import type { Catalogue } from './entry.ts';

/** Errors of the counterparts on the internal network (SLP-INT-nnnn). */
export const internalErrors = {
  'SLP-INT-0001': {
    blame: 'operator',
    summary: 'this is no address of a user',
    remedy: 'Write user@domain: letters, digits and . _ + - before the @, a host name behind it.',
  },
  'SLP-INT-0002': {
    blame: 'operator',
    summary: 'the domain of this address is not served here',
    remedy: 'Use one of frontEnd.sipDomains of internal.yaml, or add the domain there first.',
  },
  'SLP-INT-0003': {
    blame: 'operator',
    summary: 'this digest algorithm is unknown',
    remedy: 'Use SHA-256 (the default), SHA-512-256, or MD5 for clients that know nothing newer.',
  },
  'SLP-INT-0004': {
    blame: 'operator',
    summary: 'the password is too short or too long',
    remedy: 'Choose a password of 8 to 128 characters.',
  },
  'SLP-INT-0005': {
    blame: 'operator',
    summary: 'there is no such user',
    remedy: 'List the users with `sallyport internal user list`.',
  },
  'SLP-INT-0006': {
    blame: 'operator',
    summary: 'the front end has no document yet',
    remedy:
      'Wait until `sallyport status` says that it is healthy, or look there for the reason why it is not.',
  },
} as const satisfies Catalogue;
