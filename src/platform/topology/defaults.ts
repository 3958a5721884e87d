import { join } from 'node:path';
import type { EdgeDocument } from './edge-schema.ts';
import type { InternalDocument } from './internal-schema.ts';
import type { Draft } from './read-document.ts';

type Host = Draft<EdgeDocument>['host'] | Draft<InternalDocument>['host'];

/**
 * Fills in the defaults that are taken from other settings (`defaultFrom` in the schema); until here they are the
 * empty text or list, which cannot be written.
 */
export function fillEdgeDefaults(draft: Draft<EdgeDocument>): void {
  fillSocket(draft.host);
  const addresses = draft.host?.addresses;
  if (addresses !== undefined) {
    const access = addresses.access ?? [];
    if (addresses.webConferencing?.length === 0) addresses.webConferencing = [...access];
    if (addresses.av?.length === 0) addresses.av = [...access];
  }
  const policy = draft.policy;
  if (policy?.relay?.realm === '') policy.relay.realm = policy.sipDomains?.[0];
  if (policy?.avAuthentication?.callers?.length === 0) {
    policy.avAuthentication.callers = nextHopNames(policy.nextHop);
  }
}

export function fillInternalDefaults(draft: Draft<InternalDocument>): void {
  fillSocket(draft.host);
  const folder = draft.host?.stateDirectory;
  if (draft.frontEnd?.database === '') {
    draft.frontEnd.database = folder === undefined ? undefined : join(folder, 'front-end.sqlite');
  }
}

function fillSocket(host: Host): void {
  if (host?.administration?.socket !== '') return;
  const folder = host.stateDirectory;
  host.administration.socket = folder === undefined ? undefined : join(folder, 'admin.sock');
}

function nextHopNames(nextHop: Draft<EdgeDocument['policy']['nextHop']> | undefined): string[] {
  const names = [nextHop?.name, ...(nextHop?.members ?? []).map((member) => member?.name)];
  return [...new Set(names.filter((name) => name !== undefined))];
}
