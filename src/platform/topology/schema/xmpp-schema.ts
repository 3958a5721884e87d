import { negotiations, partnerTypes } from '#protocols/xmpp';
import * as setting from './setting.ts';

const DOMAIN = 'a domain name';
const ROWS = ['ext-01', 'xmpp-01', 'xmpp-02'];

const partners = setting.sectionsOrNone(
  'Organisations with an XMPP server with which messages and presence are exchanged; no others are.',
  {
    domain: setting.text(DOMAIN, setting.domainName, {
      sentence: 'Main XMPP domain of the partner.',
      reload: 'live',
      example: 'partner.example',
      rows: ROWS,
    }),
    additionalDomains: setting.textsOrNone('a list of domain names', setting.domainName, {
      sentence: 'Further XMPP domains of the partner.',
      reload: 'live',
      example: ['chat.partner.example'],
      mostItems: 100,
    }),
    type: setting.choice(partnerTypes, 'public-unverified', {
      sentence:
        'How far it is trusted: federated, an organisation that vouches for its users; public-verified, either side may ' +
        'begin; public-unverified, only what a user of ours has begun.',
      reload: 'live',
    }),
    tls: setting.choice(negotiations, 'required', {
      sentence: 'Whether streams with it are encrypted.',
      reload: 'live',
    }),
    sasl: setting.choice(negotiations, 'required', {
      sentence: 'Whether its certificate proves its domain (SASL EXTERNAL), which needs TLS.',
      reload: 'live',
    }),
    dialback: setting.toggle(false, {
      sentence:
        'Whether calling back where the DNS leads proves its domain; that is as good as the DNS is, and no better.',
      reload: 'live',
    }),
    keepAlive: setting.toggle(true, {
      sentence: 'Whether a blank is sent on its streams when nothing else is.',
      reload: 'live',
    }),
    server: setting.optionalText('a fully qualified domain name', setting.domainName, {
      sentence:
        'Name of its server. When left out, its DNS records _xmpps-server._tcp and _xmpp-server._tcp say it.',
      reload: 'live',
      example: 'xmpp.partner.example',
    }),
  },
);

const limits = setting.optionalSection('Bounds on what XMPP partners can make the edge hold.', {
  connections: setting.integer({
    sentence: 'Most streams with all partners together, in both directions.',
    reload: 'live',
    default: 1000,
    floor: 2,
    ceiling: 100_000,
  }),
  connectionsPerPartner: setting.integer({
    sentence: 'Most streams with one partner, in each direction.',
    reload: 'live',
    default: 20,
    floor: 1,
    ceiling: 10_000,
  }),
  unprovenConnections: setting.integer({
    sentence: 'Most connections at a time whose peer has not proven its domain.',
    reload: 'live',
    default: 100,
    floor: 2,
    ceiling: 10_000,
  }),
  keepAliveSeconds: setting.integer({
    sentence: 'A blank is sent on a stream on which nothing was sent for so long.',
    reload: 'live',
    unit: 'seconds',
    default: 300,
    floor: 1,
    ceiling: 86_400,
  }),
  establishmentSeconds: setting.integer({
    sentence: 'A stream on which no domain is proven within so long is closed.',
    reload: 'live',
    unit: 'seconds',
    default: 60,
    floor: 1,
    ceiling: 600,
  }),
  inactivitySeconds: setting.integer({
    sentence: 'A stream without a stanza in either direction for so long is closed.',
    reload: 'live',
    unit: 'seconds',
    default: 600,
    floor: 1,
    ceiling: 86_400,
  }),
  stanzaBytes: setting.integer({
    sentence: 'Largest stanza that is read.',
    reload: 'live',
    unit: 'bytes',
    default: 65_536,
    floor: 10_000,
    ceiling: 65_536,
  }),
  stanzasInFlight: setting.integer({
    sentence:
      'Most stanzas of one stream that the gateway has not taken over; then nothing more is read from the partner.',
    reload: 'live',
    default: 256,
    floor: 1,
    ceiling: 10_000,
  }),
  stanzasWaiting: setting.integer({
    sentence: 'Most stanzas that wait for one partner, and as many again for the gateway.',
    reload: 'live',
    default: 1000,
    floor: 1,
    ceiling: 100_000,
  }),
  gatewayWaitSeconds: setting.integer({
    sentence:
      'How long a stanza waits when no gateway is connected, before its sender is told that it did not arrive.',
    reload: 'live',
    unit: 'seconds',
    default: 10,
    floor: 0,
    ceiling: 300,
  }),
  stanzasPerSecond: setting.integer({
    sentence: 'Most stanzas in a second that are taken from one partner; ten times as many at once.',
    reload: 'live',
    default: 500,
    floor: 1,
    ceiling: 100_000,
  }),
  subscriptionsPerMinute: setting.integer({
    sentence: 'Most requests in a minute from one partner to see presence; twice as many at once.',
    reload: 'live',
    default: 120,
    floor: 1,
    ceiling: 100_000,
  }),
});

/** policy.xmpp */
export const xmpp = setting.optionalSection(
  'XMPP federation. Only what is listed here is spoken with, where policy.features.xmpp is on.',
  {
    partners,
    gateways: setting.derivedTexts(
      'policy.nextHop, its name and its members',
      'a list of fully qualified domain names',
      setting.domainName,
      {
        sentence: 'Certificate names of the XMPP gateways, which dial this edge.',
        reload: 'live',
        example: ['pool.example.com', 'fe1.example.com'],
        rows: ['int-01', 'xmpp-03'],
      },
    ),
    allowedNetworks: setting.textsOrNone('a list of networks in CIDR form', setting.network, {
      sentence:
        'Networks in which XMPP partners may be although the default, public addresses, refuses them; never internal ones.',
      reload: 'live',
      example: ['198.51.100.0/24'],
      rows: ['xmpp-02'],
    }),
    limits,
  },
);
