import { type ConferenceInfo, type ConferenceUser, formatConferenceUri } from '#protocols/conference';
import type { RosterEntry, RosterView } from '../conferences.ts';

/** For whom a document is made: colleagues see one another's addresses, everybody else sees numbers (RFC 4575 §8.2). */
export type Audience = 'colleague' | 'outsider';

/** Who takes part, as the event package tells it, without a version yet. */
export function rosterDocument(
  conference: { readonly id: string; readonly domain: string },
  { title, locked, entries }: RosterView,
  audience: Audience,
): ConferenceInfo {
  const uri = formatConferenceUri(conference);
  const users = new Map<string, ConferenceUser>();
  for (const entry of entries) {
    const entity = entityOf(entry, audience);
    const known = users.get(entity);
    const endpoint = {
      entity: `${uri};participant=${entry.participant}`,
      state: 'full' as const,
      status: entry.connected ? ('connected' as const) : ('on-hold' as const),
    };
    users.set(entity, {
      entity,
      state: 'full',
      displayText: known?.displayText ?? entry.displayName,
      roles: rolesOf(known, entry),
      endpoints: [...(known?.endpoints ?? []), endpoint],
    });
  }
  return {
    entity: uri,
    state: 'full',
    version: 0,
    subject: title,
    userCount: users.size,
    active: true,
    locked,
    users: { state: 'full', list: [...users.values()] },
  };
}

/** RFC 4575 §5.6: a URI that names nobody stands for who is not to be named. */
function entityOf({ participant, address, kind }: RosterEntry, audience: Audience): string {
  const named = audience === 'colleague' && kind !== 'guest';
  return named ? `sip:${address}` : `sip:participant-${participant}@anonymous.invalid`;
}

/** Who is a presenter on one device is one. */
function rolesOf(known: ConferenceUser | undefined, { role }: RosterEntry): readonly string[] {
  return known?.roles.includes('presenter') === true ? known.roles : [role];
}
