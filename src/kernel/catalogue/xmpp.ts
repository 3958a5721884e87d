import type { Catalogue } from './entry.ts';

/** Errors of XMPP federation (SLP-XMPP-nnnn): 0001 to 0099 are the proxy's on the edge, 0101 to 0199 the gateway's inside. */
export const xmppErrors = {
  'SLP-XMPP-0001': {
    blame: 'peer',
    summary: 'a server of an XMPP partner is at a port that the port plan does not open',
    remedy:
      'The edge dials partners on TCP 5269 only (port row xmpp-02). Ask the partner for an SRV record with that port; ' +
      'one for STARTTLS is enough.',
  },
  'SLP-XMPP-0002': {
    blame: 'operator',
    summary: 'a verified peer on the XMPP link is none of the gateways',
    remedy:
      'Write the name of its certificate into policy.xmpp.gateways if it is the gateway; otherwise find out why it dials this port.',
  },
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
