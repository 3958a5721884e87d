import * as setting from './setting.ts';
import { sipOverWebSocket } from './web-socket-schema.ts';

const webSocket = sipOverWebSocket('on the port of the clients', ['ext-05']);

const guard = setting.optionalSection(
  'What becomes of wrong passwords. Sources are refused, never accounts: nobody outside can lock anybody out.',
  {
    failuresPerAccount: setting.integer({
      sentence: 'Failed sign-ins to one account from one source, after which that source is refused for it.',
      reload: 'live',
      default: 5,
      floor: 1,
      ceiling: 100,
    }),
    failuresPerSource: setting.integer({
      sentence:
        'Failed sign-ins from one source (IPv6: from one /64), after which it is refused; as many of its attempts are under way at a time, and others wait.',
      reload: 'live',
      default: 20,
      floor: 1,
      ceiling: 10_000,
    }),
    minutes: setting.integer({
      sentence: 'Within so long, and for so long.',
      reload: 'live',
      unit: 'minutes',
      default: 10,
      floor: 1,
      ceiling: 1440,
    }),
    slowMilliseconds: setting.integer({
      sentence:
        'How long the first failure holds the next attempt back; each further one twice as long, up to 4 seconds.',
      reload: 'live',
      unit: 'milliseconds',
      default: 250,
      floor: 0,
      ceiling: 4000,
    }),
    rememberDays: setting.integer({
      sentence: 'A source that signed in to an account is slowed but not refused for it, for so long.',
      reload: 'live',
      unit: 'days',
      default: 30,
      floor: 0,
      ceiling: 365,
    }),
  },
);

const guests = setting.optionalSection(
  'People without an account, on the way to one conference. They may invite, and subscribe to, nothing else.',
  {
    allowed: setting.toggle(false, {
      sentence: 'Whether there are guests.',
      reload: 'live',
      rows: ['ext-05'],
    }),
    conferenceDomains: setting.textsOrNone('a list of fully qualified domain names', setting.domainName, {
      sentence:
        'Domains all of whose addresses are conferences. Addresses of SIP domains with opaque=app:conf: are conferences too.',
      reload: 'live',
      example: ['conf.example.com'],
      mostItems: 64,
    }),
    connections: setting.integer({
      sentence: 'Most connections of guests at a time.',
      reload: 'live',
      default: 500,
      floor: 1,
      ceiling: 100_000,
    }),
    requestsPerMinute: setting.integer({
      sentence: 'Most requests of one guest in a minute.',
      reload: 'live',
      default: 60,
      floor: 5,
      ceiling: 10_000,
    }),
    minutes: setting.integer({
      sentence: 'Longest stay of one guest.',
      reload: 'live',
      unit: 'minutes',
      default: 480,
      floor: 1,
      ceiling: 1440,
    }),
  },
);

/** policy.remoteAccess */
export const remoteAccess = setting.optionalSection('Clients outside, whoever they are.', {
  allowed: setting.toggle(true, {
    sentence: 'Whether users and guests outside are served at all; off, every request of theirs is refused.',
    reload: 'live',
    rows: ['ext-05'],
  }),
  onlyUsers: setting.textsOrNone('a list of user@domain', setting.userAddress, {
    sentence:
      'Older form of policy.externalAccess, read until the next version: these users may sign in from outside, and ' +
      'nobody else may.',
    reload: 'live',
    example: ['alice@example.com'],
  }),
  webSocket,
  guests,
  guard,
});
