import * as setting from './setting.ts';

/** policy.revocation */
export const revocation = setting.optionalSection(
  "Whether partners' certificates still stand: revocation lists and stapled responses.",
  {
    unknown: setting.choice(['refuse', 'accept'], 'refuse', {
      sentence:
        'What becomes of a partner whose certificate names revocation lists of which none can be fetched and believed.',
      reload: 'live',
    }),
    shortLivedDays: setting.integer({
      sentence:
        'A certificate that names no revocation list passes if it is made for no more than so many days.',
      reload: 'live',
      unit: 'days',
      default: 10,
      floor: 0,
      ceiling: 10_000,
    }),
    allowedNetworks: setting.textsOrNone('a list of networks in CIDR form', setting.network, {
      sentence:
        'Networks that revocation lists may be fetched from although the default, public addresses, refuses them; never internal ones.',
      reload: 'live',
      example: ['198.51.100.0/24'],
      rows: ['ext-02'],
    }),
    listKibibytes: setting.integer({
      sentence: 'Largest revocation list that is taken.',
      reload: 'live',
      unit: 'KiB',
      default: 10_240,
      floor: 1,
      ceiling: 15_360,
    }),
    keepFresh: setting.toggle(true, {
      sentence:
        'Whether revocation lists that are in use are fetched again every hour, so that what was revoked meanwhile is noticed before their time ends.',
      reload: 'live',
      rows: ['ext-02'],
    }),
    acceptedKept: setting.integer({
      sentence: 'Accepted certificates of partners that are remembered.',
      reload: 'live',
      default: 1000,
      floor: 1,
      ceiling: 100_000,
    }),
    rejectedKept: setting.integer({
      sentence: 'Rejected certificates of partners that are remembered.',
      reload: 'live',
      default: 500,
      floor: 1,
      ceiling: 100_000,
    }),
    evictedPercent: setting.integer({
      sentence:
        'The part of either that is forgotten when it is full, those first that were not asked for longest.',
      reload: 'live',
      unit: 'percent',
      default: 20,
      floor: 1,
      ceiling: 100,
    }),
    fetchSeconds: setting.integer({
      sentence: 'Longest time for fetching one revocation list.',
      reload: 'live',
      unit: 'seconds',
      default: 10,
      floor: 1,
      ceiling: 60,
    }),
  },
);
