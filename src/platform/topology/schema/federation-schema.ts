import * as setting from './setting.ts';

const DOMAIN = 'a domain name';

/** How far a sender's name is believed when the message says nothing, or whatever it says. */
const VERIFICATION = ['always-verifiable', 'always-unverifiable', 'use-source'] as const;

const mediaProfiles = setting.choices(['edge-tunnel', 'ice', 'legacy-ocs2007'], ['ice'], {
  sentence:
    'How media reaches partners: edge-tunnel between the relays on 3478 and 443 only; ice from the relay range, ' +
    'answers only; legacy-ocs2007 to and from the relay range.',
  reload: 'live',
  rows: ['ext-09', 'ext-10', 'ext-11', 'ext-12', 'ext-13'],
});

const allowed = setting.sectionsOrNone('Partners, by the SIP domain of their users.', {
  domain: setting.text(DOMAIN, setting.domainName, {
    sentence: 'SIP domain of the partner.',
    reload: 'live',
    example: 'partner.example',
    rows: ['ext-06', 'ext-07', 'fed-01'],
  }),
  proxy: setting.optionalText('a fully qualified domain name', setting.domainName, {
    sentence:
      "Name of the partner's edge, which its certificate must hold. When left out, the partner is found by its DNS " +
      'record _sipfederationtls._tcp.',
    reload: 'live',
    example: 'sip.partner.example',
  }),
  verification: setting.choice(VERIFICATION, 'use-source', {
    sentence:
      'How far the names of its senders count as verified: use-source believes what the partner says of each message, ' +
      'and a message without a word of it is unverified. always-unverifiable lets them reach only users who have them on their contact list.',
    reload: 'live',
  }),
});

const blocked = setting.sectionsOrNone('Domains that nothing is exchanged with, whatever else is written.', {
  domain: setting.text(DOMAIN, setting.domainName, {
    sentence: 'SIP domain that is refused.',
    reload: 'live',
    example: 'spam.example',
  }),
});

const FQDN = 'a fully qualified domain name';

function verification(initial: (typeof VERIFICATION)[number], whose: string) {
  return setting.choice(VERIFICATION, initial, {
    sentence:
      `How far the names of senders ${whose} count as verified; with always-unverifiable they reach only users who have ` +
      'them on their contact list.',
    reload: 'live',
  });
}

const discovery = setting.optionalSection('Domains on no list that are found by their DNS records.', {
  enabled: setting.toggle(false, {
    sentence: 'Whether messages are exchanged with domains on no list, where DNS tells their edge.',
    reload: 'live',
  }),
  verification: verification('use-source', 'at discovered partners'),
  messagesPerSecond: setting.integer({
    sentence: 'Most requests in a second that are taken from one discovered partner.',
    reload: 'live',
    default: 20,
    floor: 1,
    ceiling: 10_000,
  }),
  limitUsers: setting.toggle(true, {
    sentence: 'Whether the number of users of ours that a discovered partner may address is limited.',
    reload: 'live',
  }),
  users: setting.integer({
    sentence: 'Most distinct users of ours that one discovered partner may address.',
    reload: 'live',
    default: 1000,
    floor: 1,
    ceiling: 100_000,
  }),
  suspiciousMessagesPerSecond: setting.integer({
    sentence: 'Most requests in a second from one of whose requests most fail.',
    reload: 'live',
    default: 1,
    floor: 1,
    ceiling: 10_000,
  }),
  reportMinutes: setting.integer({
    sentence: 'How often an event lists the discovered partners.',
    reload: 'live',
    unit: 'minutes',
    default: 60,
    floor: 1,
    ceiling: 10_080,
  }),
});

const defaultRoute = setting.optionalSection('One server that everything for other organisations goes by.', {
  proxy: setting.optionalText(FQDN, setting.domainName, {
    sentence: 'Name of that server, which its certificate must hold; needed when routing is default-route.',
    reload: 'live',
    example: 'clearing.partner.example',
  }),
  publicProvider: setting.toggle(false, {
    sentence:
      'Whether that server is the way to public providers: then what goes by it is one to one, as with providers, and ' +
      'opened by policy.features.publicProviders; calls by policy.features.publicProviderMedia.',
    reload: 'live',
  }),
  verification: verification('use-source', 'behind it'),
});

/** policy.publicProviders */
export const publicProviders = setting.sectionsOrNone(
  'Public providers of instant messaging, and providers that host organisations: many domains behind one server.',
  {
    name: setting.text('a name', setting.label, {
      sentence: 'Name of the provider, for people.',
      reload: 'live',
      example: 'Example Messenger',
    }),
    kind: setting.choice(['public', 'hosting'], 'public', {
      sentence:
        'What it is. public: messages and presence from one to one only; hosting: organisations whose users live there.',
      reload: 'live',
    }),
    proxy: setting.text(FQDN, setting.domainName, {
      sentence: 'Name of its server, which its certificate must hold.',
      reload: 'live',
      example: 'federation.provider.example',
    }),
    enabled: setting.toggle(false, {
      sentence: 'Whether anything is exchanged with it.',
      reload: 'live',
    }),
    domains: setting.textsOrNone('a list of domain names', setting.domainName, {
      sentence: 'The SIP domains of its users.',
      reload: 'live',
      example: ['provider.example'],
    }),
    decorationDomain: setting.optionalText(DOMAIN, setting.domainName, {
      sentence:
        'Domain under which its users with an address elsewhere are written, as in user(elsewhere.example)@provider.example.',
      reload: 'live',
      example: 'users.provider.example',
    }),
    audioVideo: setting.toggle(false, {
      sentence: 'Whether calls are allowed with its users, where policy.features.publicProviderMedia is on.',
      reload: 'live',
    }),
    verification: verification('always-unverifiable', 'at this provider'),
  },
);

/** Bounds of what partners can make the Access Edge service hold. */
const limits = setting.optionalSection('Bounds on what partners can make the edge hold.', {
  connections: setting.integer({
    sentence: 'Most connections that partners have opened at a time.',
    reload: 'live',
    default: 1000,
    floor: 1,
    ceiling: 100_000,
  }),
  connectionsPerSource: setting.integer({
    sentence: 'Most connections from one address (IPv6: from one /64) at a time.',
    reload: 'live',
    default: 32,
    floor: 1,
    ceiling: 100_000,
  }),
  idleSeconds: setting.integer({
    sentence: 'A connection with a partner on which nothing arrived for so long is closed.',
    reload: 'live',
    unit: 'seconds',
    default: 900,
    floor: 30,
    ceiling: 86_400,
  }),
});

/** policy.federation */
export const federation = setting.optionalSection('Partners: who they are, and how they are spoken to.', {
  enabled: setting.toggle(true, {
    sentence:
      'Whether the organisation exchanges anything with others at all; off, whatever partners, providers and XMPP ' +
      'partners send or are to be sent is refused. The ports are opened by policy.features, which is off by default: ' +
      'both have to be on.',
    reload: 'live',
  }),
  allowed,
  blocked,
  discovery,
  routing: setting.choice(['dns', 'default-route'], 'dns', {
    sentence:
      'How partners are found that are on no list: by DNS where discovery is on, or by the default route.',
    reload: 'live',
  }),
  defaultRoute,
  allowedNetworks: setting.textsOrNone('a list of networks in CIDR form', setting.network, {
    sentence:
      'Networks in which partners may be although the default, public addresses, refuses them; never internal ones.',
    reload: 'live',
    example: ['198.51.100.0/24'],
  }),
  archivingDisclaimer: setting.toggle(false, {
    sentence: 'Whether what leaves says that it is archived here.',
    reload: 'live',
  }),
  connectionsPerPartner: setting.integer({
    sentence: 'Most TLS connections that the edge opens to one partner.',
    reload: 'live',
    default: 4,
    floor: 1,
    ceiling: 4,
  }),
  markOutgoing: setting.toggle(true, {
    sentence: 'Whether what leaves says that the sender is verified, so that partners can rate it.',
    reload: 'live',
  }),
  limits,
  mediaProfiles,
});
