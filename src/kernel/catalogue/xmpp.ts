import type { Catalogue } from './entry.ts';

/** Errors of XMPP federation (SLP-XMPP-nnnn); from 0101 on those of the gateway. */
export const xmppErrors = {
  'SLP-XMPP-0101': {
    blame: 'operator',
    summary: 'the XMPP gateway has nothing to do',
    remedy: 'List the edges of the pool under xmppGateway.edges of internal.yaml, then reload.',
  },
  'SLP-XMPP-0102': {
    blame: 'operator',
    summary: 'this is no address of a user',
    remedy: 'Write user@domain, without a resource.',
  },
  'SLP-XMPP-0103': {
    blame: 'operator',
    summary: 'the user has no such contact',
    remedy: 'List the contacts with `sallyport internal xmpp contacts USER`.',
  },
} as const satisfies Catalogue;
