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
      'and a message without a word of it is unverified.',
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
  allowed,
  blocked,
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
