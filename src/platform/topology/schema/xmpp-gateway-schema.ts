import { nextHops } from './next-hops-schema.ts';
import * as setting from './setting.ts';

const NAME = 'a fully qualified domain name';

/** The XMPP gateway of internal.yaml. */
export const xmppGateway = setting.optionalSection(
  'The XMPP gateway, which speaks SIP for users of XMPP partners. It opens a link to the XMPP proxy of every edge.',
  {
    edges: setting.sectionsOrNone('The edges whose XMPP proxy it works with; with none, it does nothing.', {
      name: setting.text(NAME, setting.domainName, {
        sentence: "The edge's host.name, which its certificate must hold.",
        reload: 'live',
        example: 'edge1.example.com',
      }),
      address: setting.text('an IPv4 or IPv6 address', setting.hostAddress, {
        sentence: "The edge's internal address.",
        reload: 'live',
        example: '10.45.16.10',
      }),
      port: setting.port(23456, { sentence: 'Internal TCP port of its XMPP proxy.', rows: ['int-01'] }),
    }),
    nextHops: nextHops(),
    database: setting.derivedText(
      'xmpp-gateway.sqlite in stateDirectory',
      'the path of a file',
      setting.filePath,
      {
        sentence:
          'SQLite file with subscriptions and with who has invited whom; it is created when it does not exist.',
        reload: 'restart',
        example: '/var/lib/sallyport/internal/xmpp-gateway.sqlite',
        path: true,
      },
    ),
    sessions: setting.toggle(false, {
      sentence:
        'Conversations that a partner begins are opened by INVITE, for SIP clients with sessions of messages; others are sent each message by itself.',
      reload: 'live',
    }),
    pageModeBytes: setting.integer({
      sentence: 'A longer message of a partner needs such a session, or it is refused.',
      reload: 'live',
      unit: 'bytes',
      default: 1300,
      floor: 256,
      ceiling: 32_768,
    }),
    sessionIdleSeconds: setting.integer({
      sentence: 'A session in which nobody says anything for so long is ended.',
      reload: 'live',
      unit: 'seconds',
      default: 600,
      floor: 1,
      ceiling: 86_400,
    }),
    answerSeconds: setting.integer({
      sentence:
        'How long a partner has to refuse a message or to confirm it, before its sender is told that it was accepted.',
      reload: 'live',
      unit: 'seconds',
      default: 2,
      floor: 0,
      ceiling: 20,
    }),
    subscriptionRefreshSeconds: setting.integer({
      sentence: 'The longest time of a subscription to presence; it is renewed before.',
      reload: 'live',
      unit: 'seconds',
      default: 28_800,
      floor: 60,
      ceiling: 604_800,
    }),
    keepAliveSeconds: setting.integer({
      sentence: 'Between two signs of life on a quiet link to an edge.',
      reload: 'live',
      unit: 'seconds',
      default: 60,
      floor: 1,
      ceiling: 3600,
    }),
    limits: setting.optionalSection('Bounds on what partners and users can make the gateway hold.', {
      messages: setting.integer({
        sentence: 'Most messages under way, and conversations remembered, at a time.',
        reload: 'restart',
        default: 10_000,
        floor: 1,
        ceiling: 1_000_000,
      }),
      sessions: setting.integer({
        sentence: 'Most sessions of messages at a time.',
        reload: 'live',
        default: 10_000,
        floor: 1,
        ceiling: 1_000_000,
      }),
      subscriptions: setting.integer({
        sentence: 'Most subscriptions to presence in each direction.',
        reload: 'live',
        default: 100_000,
        floor: 1,
        ceiling: 1_000_000,
      }),
      subscriptionsPerUser: setting.integer({
        sentence: "Most users whose presence one partner's user may watch.",
        reload: 'live',
        default: 1000,
        floor: 1,
        ceiling: 100_000,
      }),
      contactsPerUser: setting.integer({
        sentence: 'Most contacts at partners that one user may have.',
        reload: 'live',
        default: 1000,
        floor: 1,
        ceiling: 100_000,
      }),
      partnerPercent: setting.integer({
        sentence:
          'What people of one domain may hold of the conversations, sessions and subscriptions; 100 lets one use up what is for others.',
        reload: 'live',
        unit: 'percent',
        default: 50,
        floor: 1,
        ceiling: 100,
      }),
    }),
  },
);
