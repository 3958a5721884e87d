import * as setting from './setting.ts';

const DECISIONS = ['allow', 'confirm', 'polite-block', 'block'] as const;

/** frontEnd.presence: who may see whom, and how much of it there may be. */
export const presence = setting.optionalSection(
  'Who may see when users are there, and what they are doing.',
  {
    approval: setting.optionalSection(
      'What somebody gets who asks to see the presence of a user and about whom the user has not decided: allow; ' +
        'confirm, nothing until the user says so; polite-block, always offline; block, a refusal.',
      {
        colleagues: setting.choice(DECISIONS, 'allow', {
          sentence: 'Users of this front end.',
          reload: 'live',
        }),
        outsiders: setting.choice(DECISIONS, 'confirm', {
          sentence: 'People of other organisations whom the external access policy of the user lets through.',
          reload: 'live',
        }),
      },
    ),
    minExpiresSeconds: setting.integer({
      sentence: 'A subscription or publication asked for a shorter time is refused with 423.',
      reload: 'live',
      unit: 'seconds',
      default: 60,
      floor: 1,
      ceiling: 3600,
    }),
    maxExpiresSeconds: setting.integer({
      sentence: 'A subscription or publication asked for a longer time is granted this one.',
      reload: 'live',
      unit: 'seconds',
      default: 36_000,
      floor: 3600,
      ceiling: 604_800,
    }),
    defaultExpiresSeconds: setting.integer({
      sentence: 'The time granted to a subscription or publication that asks for none.',
      reload: 'live',
      unit: 'seconds',
      default: 3600,
      floor: 60,
      ceiling: 3600,
    }),
    notifySeconds: setting.integer({
      sentence: 'Shortest time between two notifications of changes to one subscriber.',
      reload: 'live',
      unit: 'seconds',
      default: 5,
      floor: 0,
      ceiling: 300,
    }),
    watchersPerUser: setting.integer({
      sentence:
        'Most subscriptions to one user, and most watchers about whom one user has decided; people of other organisations take half of the places at most.',
      reload: 'live',
      default: 500,
      floor: 1,
      ceiling: 10_000,
    }),
    subscriptionsPerWatcher: setting.integer({
      sentence: 'Most subscriptions of one watcher.',
      reload: 'live',
      default: 500,
      floor: 1,
      ceiling: 10_000,
    }),
    subscriptions: setting.integer({
      sentence: 'Most subscriptions of all together; others are answered 503.',
      reload: 'live',
      default: 100_000,
      floor: 10,
      ceiling: 1_000_000,
    }),
    publicationsPerUser: setting.integer({
      sentence: 'Most devices of one user that publish at a time.',
      reload: 'live',
      default: 10,
      floor: 1,
      ceiling: 100,
    }),
    documentBytes: setting.integer({
      sentence: 'Longest document that is published.',
      reload: 'live',
      unit: 'bytes',
      default: 16_384,
      floor: 1024,
      ceiling: 65_536,
    }),
  },
);
