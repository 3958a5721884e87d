import type { ConferenceInfo, ConferenceUser } from './conference-info.ts';

/**
 * What a subscriber who has `before` has to be told to have `after`: a partial document of the next version, or undefined
 * when nothing changed (RFC 4575 §4.4, §5.2). A user who changed is told whole.
 */
export function changesOf(before: ConferenceInfo, after: ConferenceInfo): ConferenceInfo | undefined {
  const known = new Map(before.users?.list.map((user) => [user.entity, user]));
  const list: ConferenceUser[] = [];
  for (const user of after.users?.list ?? []) {
    const old = known.get(user.entity);
    known.delete(user.entity);
    if (old === undefined || !isSame(old, user)) list.push(user);
  }
  for (const { entity } of known.values()) list.push({ entity, state: 'deleted', roles: [], endpoints: [] });
  const { entity, subject, userCount, active, locked } = after;
  const describes = subject !== before.subject;
  const counts = userCount !== before.userCount || active !== before.active || locked !== before.locked;
  if (list.length === 0 && !describes && !counts) return undefined;
  return {
    entity,
    state: 'partial',
    version: before.version + 1,
    ...(describes && subject !== undefined ? { subject } : {}),
    // An element without `state` replaces what was there (§4.6 step 3.2), so it is told whole.
    ...(counts
      ? { ...said('userCount', userCount), ...said('active', active), ...said('locked', locked) }
      : {}),
    ...(list.length > 0 ? { users: { state: 'partial', list } } : {}),
  };
}

/**
 * The subscriber's side of it (RFC 4575 §4.6). `refresh`: a document was missed, and only a full one helps; `ignore`: this
 * one is older than what is known.
 */
export function applyChanges(
  known: ConferenceInfo | undefined,
  told: ConferenceInfo,
): ConferenceInfo | 'refresh' | 'ignore' {
  if (known !== undefined && told.version <= known.version) return 'ignore';
  if (told.state !== 'partial') return told;
  if (known === undefined || told.version !== known.version + 1) return 'refresh';
  const { users, ...rest } = told;
  const merged = { ...known, ...rest, state: 'full' as const };
  if (users === undefined) return merged;
  if (users.state !== 'partial') return { ...merged, users };
  const list = new Map(known.users?.list.map((user) => [user.entity, user]));
  for (const user of users.list) {
    if (user.state === 'deleted') list.delete(user.entity);
    else list.set(user.entity, user.state === 'full' ? user : mergeUser(list.get(user.entity), user));
  }
  return { ...merged, users: { state: 'full', list: [...list.values()] } };
}

function mergeUser(known: ConferenceUser | undefined, told: ConferenceUser): ConferenceUser {
  if (known === undefined) return { ...told, state: 'full' };
  const endpoints = new Map(known.endpoints.map((endpoint) => [endpoint.entity, endpoint]));
  for (const endpoint of told.endpoints) {
    if (endpoint.state === 'deleted') endpoints.delete(endpoint.entity);
    else endpoints.set(endpoint.entity, { ...endpoints.get(endpoint.entity), ...endpoint, state: 'full' });
  }
  return {
    ...known,
    ...told,
    state: 'full',
    roles: told.roles.length > 0 ? told.roles : known.roles,
    endpoints: [...endpoints.values()],
  };
}

function said<Name extends string, Value>(name: Name, value: Value | undefined): { [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [name in Name]: Value });
}

function isSame(one: ConferenceUser, other: ConferenceUser): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
