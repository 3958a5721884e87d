import * as setting from './setting.ts';

/** What a policy grants. All of it is off until somebody writes otherwise. */
function rights() {
  return {
    remote: setting.toggle(false, {
      sentence: 'Signing in from outside, through an edge.',
      reload: 'live',
    }),
    federation: setting.toggle(false, {
      sentence: 'Messages and calls with users of other organisations, in both directions.',
      reload: 'live',
    }),
    publicProviders: setting.toggle(false, {
      sentence: 'Messages and presence with users of public providers, in both directions.',
      reload: 'live',
    }),
    publicProviderMedia: setting.toggle(false, {
      sentence: 'Calls with users of public providers; it needs publicProviders, too.',
      reload: 'live',
    }),
    xmpp: setting.toggle(false, {
      sentence:
        'Messages and presence with users of XMPP partners, or of other domains of a trusted peer; it needs federation, too.',
      reload: 'live',
    }),
  };
}

/**
 * frontEnd.externalAccess: what a user may do with the outside. The policy of the user counts, else the one of the site,
 * else the global one; each as a whole, nothing is merged.
 */
export const externalAccess = setting.optionalSection(
  'What users may do with the outside. The policy nearest to the user counts as a whole: the user’s own, else that ' +
    'of the site, else the global one.',
  {
    global: setting.optionalSection('The policy of users that no other one names.', rights()),
    site: setting.optionalText('a name', setting.label, {
      sentence: 'The site that this front end belongs to.',
      reload: 'live',
      example: 'Head office',
    }),
    sites: setting.sectionsOrNone('Policies of sites.', {
      name: setting.text('a name', setting.label, {
        sentence: 'Name of the site.',
        reload: 'live',
        example: 'Head office',
      }),
      ...rights(),
    }),
    users: setting.sectionsOrNone('Policies of single users.', {
      user: setting.text('user@domain', setting.userAddress, {
        sentence: 'Address of the user.',
        reload: 'live',
        example: 'alice@example.com',
      }),
      ...rights(),
    }),
  },
);

/** Public providers, in a policy that had one right for everybody elsewhere before: what it says of partners goes on. */
function providerRights(whose: string) {
  return {
    publicProviders: setting.derivedToggle('federation beside it', {
      sentence: `Messages and presence with users of public providers, in both directions${whose}.`,
      reload: 'live',
      example: false,
    }),
    publicProviderMedia: setting.derivedToggle('publicProviders beside it', {
      sentence: `Calls with users of public providers${whose}; it needs publicProviders, too.`,
      reload: 'live',
      example: false,
    }),
  };
}

/**
 * policy.externalAccess of an edge: the same for a next hop that does not decide it itself. Where the next hop decides,
 * that is the gate, and with the embedded front end all of it is off until somebody writes otherwise; so what is not
 * written here leaves the decision there. A list that was off by default would close every edge whose next hop decides,
 * and open none. The policy of a user counts as a whole, and in it nothing is granted that is not written.
 */
export const edgeExternalAccess = setting.optionalSection(
  'What users may do with the outside, for a next hop that does not decide that itself.',
  {
    remote: setting.toggle(true, {
      sentence: 'Signing in from outside, for users that users does not name.',
      reload: 'live',
      rows: ['ext-05'],
    }),
    federation: setting.toggle(true, {
      sentence: 'Messages and calls with partners, in both directions, for users that users does not name.',
      reload: 'live',
      rows: ['ext-06', 'ext-07'],
    }),
    ...providerRights(', for users that users does not name'),
    users: setting.sectionsOrNone('Policies of single users; each counts as a whole.', {
      user: setting.text('user@domain', setting.userAddress, {
        sentence: 'Address of the user.',
        reload: 'live',
        example: 'alice@example.com',
      }),
      remote: setting.toggle(false, { sentence: 'Signing in from outside.', reload: 'live' }),
      federation: setting.toggle(false, {
        sentence: 'Messages and calls with partners, in both directions.',
        reload: 'live',
      }),
      ...providerRights(''),
    }),
  },
);
