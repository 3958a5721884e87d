import { ADDRESSES, internalAddresses } from './host-schema.ts';
import * as setting from './setting.ts';

const PUBLIC = {
  reload: 'live',
  example: ['203.0.113.10'],
} as const;

/** The addresses of one edge: of this host, or of a member of its pool. */
export function edgeAddresses(sentence: string) {
  return setting.section(sentence, {
    access: setting.texts(ADDRESSES, setting.hostAddress, {
      sentence: 'External addresses of the Access Edge service.',
      reload: 'live',
      example: ['192.0.2.10', '2001:db8:1::10'],
      rows: ['ext-05'],
    }),
    webConferencing: setting.derivedTexts('addresses.access', ADDRESSES, setting.hostAddress, {
      sentence: 'External addresses of the Web Conferencing Edge service.',
      reload: 'live',
      example: ['192.0.2.20', '2001:db8:1::20'],
      rows: ['ext-08'],
    }),
    av: setting.derivedTexts('addresses.access', ADDRESSES, setting.hostAddress, {
      sentence: 'External addresses of the A/V Edge service; relayed media leaves from here.',
      reload: 'live',
      example: ['192.0.2.30', '2001:db8:1::30'],
      rows: ['ext-14'],
    }),
    internal: internalAddresses(),
    public: publicAddresses(),
  });
}

/** What an external firewall that translates addresses shows in their place. */
function publicAddresses() {
  return setting.optionalSection(
    'The public addresses that the external firewall translates to the addresses above, in the same order; none ' +
      'when these are public themselves.',
    {
      access: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
        ...PUBLIC,
        sentence: 'Public addresses of the Access Edge service.',
      }),
      webConferencing: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
        ...PUBLIC,
        sentence: 'Public addresses of the Web Conferencing Edge service, unless it shares those of access.',
        example: ['203.0.113.20'],
      }),
      av: setting.textsOrNone(ADDRESSES, setting.hostAddress, {
        ...PUBLIC,
        sentence: 'Public addresses of the A/V Edge service, unless it shares those of access.',
        example: ['203.0.113.30'],
      }),
    },
  );
}
