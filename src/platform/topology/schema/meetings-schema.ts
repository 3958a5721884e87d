import { nextHops } from './next-hops-schema.ts';
import * as setting from './setting.ts';

const NAME = 'a fully qualified domain name';
const HOURS = 'hours';

/** The web conferencing service of internal.yaml. */
export const meetings = setting.optionalSection(
  'The web conferencing service, which holds the meetings. It opens a connection to the Web Conferencing Edge of every edge.',
  {
    domain: setting.optionalText(NAME, setting.domainName, {
      sentence: 'The domain of the addresses of its conferences; without one, the service does nothing.',
      reload: 'live',
      example: 'conf.example.com',
    }),
    meetingUrl: setting.derivedText('https://, domain and /', 'the address of a page', setting.webPage, {
      sentence: 'The page that meeting links lead to: that of an edge or of the pool.',
      reload: 'live',
      example: 'https://conf.example.com/',
    }),
    nextHops: nextHops(),
    database: setting.derivedText(
      'web-conferencing.sqlite in stateDirectory',
      'the path of a file',
      setting.filePath,
      {
        sentence: 'SQLite file with the meetings; it is created when it does not exist.',
        reload: 'restart',
        example: '/var/lib/sallyport/internal/web-conferencing.sqlite',
        path: true,
      },
    ),
    graceSeconds: setting.integer({
      sentence: 'A participant whose connection is gone for so long has left.',
      reload: 'live',
      unit: 'seconds',
      default: 120,
      floor: 5,
      ceiling: 3600,
    }),
    expiryHours: setting.integer({
      sentence: 'How long a meeting lives when nothing else is said at its creation.',
      reload: 'live',
      unit: HOURS,
      default: 720,
      floor: 1,
      ceiling: 87_600,
    }),
    keptHours: setting.integer({
      sentence: 'How long what was shown in a meeting is kept after its end.',
      reload: 'live',
      unit: HOURS,
      default: 168,
      floor: 0,
      ceiling: 87_600,
    }),
    notifySeconds: setting.integer({
      sentence: 'Shortest time between two messages to one subscriber about who takes part.',
      reload: 'live',
      unit: 'seconds',
      default: 5,
      floor: 1,
      ceiling: 60,
    }),
    limits: setting.optionalSection('Bounds on what participants can make the service hold.', {
      meetings: setting.integer({
        sentence: 'Most meetings at a time, ended ones that are kept included.',
        reload: 'live',
        default: 10_000,
        floor: 1,
        ceiling: 1_000_000,
      }),
      calls: setting.integer({
        sentence: 'Most SIP dialogs of participants at a time; more are answered 503.',
        reload: 'live',
        default: 10_000,
        floor: 1,
        ceiling: 1_000_000,
      }),
      subscriptions: setting.integer({
        sentence: 'Most subscriptions to who takes part at a time; more are answered 503.',
        reload: 'live',
        default: 10_000,
        floor: 1,
        ceiling: 1_000_000,
      }),
      participants: setting.integer({
        sentence: 'Most participants of one meeting.',
        reload: 'live',
        default: 250,
        floor: 1,
        ceiling: 1000,
      }),
    }),
  },
);
