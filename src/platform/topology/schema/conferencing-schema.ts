import * as setting from './setting.ts';

const limits = setting.optionalSection('Bounds on what participants can make the edge hold.', {
  participants: setting.integer({
    sentence: 'Most participants at a time; one who comes then is told that the edge is full.',
    reload: 'live',
    default: 1000,
    floor: 1,
    ceiling: 8000,
  }),
  participantsPerSource: setting.integer({
    sentence:
      'Most participants from one address (IPv6: from one /64) at a time; an office may have one for all.',
    reload: 'live',
    default: 250,
    floor: 1,
    ceiling: 8000,
  }),
  bytesPerSecond: setting.integer({
    sentence: 'Most bytes in a second that are read from one participant; twice as many at once.',
    reload: 'live',
    unit: 'bytes',
    default: 4_194_304,
    floor: 16_384,
    ceiling: 1_073_741_824,
  }),
  bytesWaiting: setting.integer({
    sentence:
      'Most bytes that wait for one participant, or for the service from it; beyond it the participant is reset.',
    reload: 'live',
    unit: 'bytes',
    default: 2_097_152,
    floor: 262_144,
    ceiling: 67_108_864,
  }),
  refusalsPerMinute: setting.integer({
    sentence:
      'Most tokens from one source (IPv6: from one /64) that are refused in a minute; then it is told to slow down, whatever it shows.',
    reload: 'live',
    default: 30,
    floor: 1,
    ceiling: 100_000,
  }),
  drainSeconds: setting.integer({
    sentence:
      'While the edge is drained, its participants are sent to other edges one by one within this time.',
    reload: 'live',
    unit: 'seconds',
    default: 60,
    floor: 1,
    ceiling: 3600,
  }),
});

/** policy.webConferencing */
export const webConferencing = setting.optionalSection(
  'Web conferencing for participants outside, where policy.features.webConferencing is on.',
  {
    services: setting.derivedTexts(
      'policy.nextHop, its name and its members',
      'a list of fully qualified domain names',
      setting.domainName,
      {
        sentence: 'Certificate names of the web conferencing services, which dial this edge.',
        reload: 'live',
        example: ['pool.example.com', 'fe1.example.com'],
        rows: ['int-04'],
      },
    ),
    origins: setting.textsOrNone('a list of web origins', setting.webOrigin, {
      sentence:
        'Origins of further pages that may open a WebSocket here; those of the edge itself always may.',
      reload: 'live',
      example: ['https://meet.example.com'],
      mostItems: 100,
      rows: ['ext-08'],
    }),
    limits,
  },
);
