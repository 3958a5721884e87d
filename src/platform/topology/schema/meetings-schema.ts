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
    port: setting.port(8057, {
      sentence: 'TCP port of its own door, by which participants inside come.',
      rows: ['more-12'],
    }),
    edges: setting.sectionsOrNone('The edges by which participants outside come.', {
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
      port: setting.port(8057, {
        sentence: 'Internal TCP port of its Web Conferencing Edge service.',
        rows: ['int-04'],
      }),
    }),
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
    filesDirectory: setting.derivedText(
      'web-conferencing-files in stateDirectory',
      'the path of a folder',
      setting.filePath,
      {
        sentence: 'Folder for slides and files of meetings; it is created when it does not exist.',
        reload: 'restart',
        example: '/var/lib/sallyport/internal/web-conferencing-files',
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
      connections: setting.integer({
        sentence: 'Most connections at the door inside, and by each edge, at a time.',
        reload: 'live',
        default: 2000,
        floor: 10,
        ceiling: 100_000,
      }),
      contents: setting.integer({
        sentence: 'Most contents of one meeting: slides, whiteboards, polls and files.',
        reload: 'live',
        default: 200,
        floor: 1,
        ceiling: 1000,
      }),
      annotations: setting.integer({
        sentence: 'Most things drawn on one content.',
        reload: 'live',
        default: 5000,
        floor: 1,
        ceiling: 20_000,
      }),
      fileBytes: setting.integer({
        sentence: 'Largest file that may be handed out.',
        reload: 'live',
        unit: 'bytes',
        default: 104_857_600,
        floor: 1024,
        ceiling: 104_857_600,
      }),
      meetingBytes: setting.integer({
        sentence: 'Most bytes of all files of one meeting.',
        reload: 'live',
        unit: 'bytes',
        default: 1_073_741_824,
        floor: 1024,
        ceiling: 1_099_511_627_776,
      }),
      callsPerSecond: setting.integer({
        sentence:
          'What one participant may call for long, five times as much at once, and of it a tenth that changes the meeting other than by drawing; whoever does more is heard more slowly.',
        reload: 'live',
        default: 200,
        floor: 20,
        ceiling: 10_000,
      }),
      waitingBytes: setting.integer({
        sentence: 'What may wait for a participant that does not read; beyond it the connection ends.',
        reload: 'live',
        unit: 'bytes',
        default: 4_194_304,
        floor: 524_288,
        ceiling: 67_108_864,
      }),
    }),
  },
);
