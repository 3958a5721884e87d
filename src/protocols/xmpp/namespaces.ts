/** The namespaces of the specifications that are spoken here, by the short names of the text. */
export const NS = {
  streams: 'http://etherx.jabber.org/streams',
  server: 'jabber:server',
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  streamErrors: 'urn:ietf:params:xml:ns:xmpp-streams',
  stanzaErrors: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  dialback: 'jabber:server:dialback',
  dialbackFeature: 'urn:xmpp:features:dialback',
  bidi: 'urn:xmpp:bidi',
  bidiFeature: 'urn:xmpp:features:bidi',
  management: 'urn:xmpp:sm:3',
  /** Our own: docs/protocols/xmpp-link.md. */
  link: 'urn:sallyport:xmpp-link:1',
} as const;
