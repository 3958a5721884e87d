import * as setting from './setting.ts';

/** The SIP servers that a service inside works for as a trusted peer. */
export function nextHops() {
  return setting.sectionsOrNone(
    'The SIP servers that it opens connections to, by mutual TLS; with none, the front end of this document.',
    {
      name: setting.text('a fully qualified domain name', setting.domainName, {
        sentence: "The server's name, which its certificate must hold.",
        reload: 'live',
        example: 'sip1.example.com',
      }),
      address: setting.text('an IPv4 or IPv6 address', setting.hostAddress, {
        sentence: "The server's address.",
        reload: 'live',
        example: '10.45.20.5',
      }),
      port: setting.port(5061, { sentence: 'Its TCP port for SIP over TLS.' }),
    },
  );
}
