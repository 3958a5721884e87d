import * as setting from './setting.ts';

/** Whom an edge trusts to configure it: part of what is local, since nothing replicated may say so. */
export const hostReplication = setting.optionalSection(
  'Where the policy part comes from, and whom this host trusts to push it.',
  {
    policy: setting.choice(['local', 'replicated'], 'local', {
      sentence: 'Where the policy part comes from: local, this document; replicated, the management store.',
      reload: 'live',
    }),
    signers: setting.textsOrNone('a list of fingerprints', setting.fingerprint, {
      sentence: 'Fingerprints of the keys with which a management store signs what this host may run.',
      reload: 'live',
      example: ['SHA256:GqAZQ9IcPzbkuvLhAlJ2y0yMRwXtrLfvVx1IN0OnfrI'],
      mostItems: 4,
    }),
    stores: setting.textsOrNone('a list of fully qualified domain names', setting.domainName, {
      sentence:
        'Certificate names of the hosts from which a management store may push; nobody may when empty.',
      reload: 'live',
      example: ['fe1.example.com'],
      rows: ['int-08'],
      mostItems: 8,
    }),
  },
);
