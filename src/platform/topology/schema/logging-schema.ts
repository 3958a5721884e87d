import * as setting from './setting.ts';

/** What of the logging agent belongs to one host: where it stores, and whom it answers. */
export const hostLogging = setting.optionalSection('What the logging agent does on this host.', {
  directory: setting.derivedText('logs in stateDirectory', 'the path of a folder', setting.filePath, {
    sentence: 'Folder for stored events, which only the user of the program may read.',
    reload: 'live',
    example: '/var/lib/sallyport/edge/logs',
    path: true,
  }),
  diskPercent: setting.integer({
    sentence:
      'Above so much of its volume in use, by whatever, the oldest events are deleted, and at last none stored.',
    reload: 'live',
    unit: 'percent',
    default: 80,
    floor: 1,
    ceiling: 99,
  }),
  controllers: setting.textsOrNone('a list of fully qualified domain names', setting.domainName, {
    sentence: 'Certificate names of the hosts whose log controller may ask; nobody may when empty.',
    reload: 'live',
    example: ['fe1.example.com'],
    rows: ['int-09', 'int-10', 'int-11'],
    mostItems: 8,
  }),
});

/** What is stored, and for how long. */
export const logging = setting.optionalSection(
  'What the logging agents store, with policy.features.logging.',
  {
    alwaysOn: setting.toggle(true, {
      sentence: 'Run the scenario AlwaysOn, so that what happened can be asked afterwards.',
      reload: 'live',
    }),
    eventsPerSecond: setting.integer({
      sentence: 'Most events of one component that are stored in a second; the others are counted.',
      reload: 'live',
      unit: 'events',
      default: 5000,
      floor: 1,
      ceiling: 1_000_000,
    }),
    segmentMegabytes: setting.integer({
      sentence: 'A file of stored events is closed when it is so large.',
      reload: 'live',
      unit: 'megabytes',
      default: 256,
      floor: 1,
      ceiling: 4096,
    }),
    segmentMinutes: setting.integer({
      sentence: 'A file of stored events is closed when it is so old.',
      reload: 'live',
      unit: 'minutes',
      default: 60,
      floor: 1,
      ceiling: 10_080,
    }),
    retentionDays: setting.integer({
      sentence: 'Files of stored events are deleted when the newest event in them is so old.',
      reload: 'live',
      unit: 'days',
      default: 14,
      floor: 1,
      ceiling: 3650,
    }),
  },
);
