import { join } from 'node:path';
import { hostNetwork } from '../address.ts';
import type { Draft } from '../document/read-document.ts';
import type { EdgeDocument } from './edge-schema.ts';
import type { InternalDocument } from './internal-schema.ts';

type Services = Omit<EdgeDocument['host']['addresses'], 'public'>;
type Addresses = Draft<EdgeDocument['host']['addresses']>;
type Host = Draft<EdgeDocument>['host'] | Draft<InternalDocument>['host'];

/**
 * Fills in the defaults that are taken from other settings (`defaultFrom` in the schema); until here they are the
 * empty text or list, which cannot be written.
 */
export function fillEdgeDefaults(draft: Draft<EdgeDocument>): void {
  fillSocket(draft.host);
  if (draft.host?.logging?.directory === '') {
    const folder = draft.host.stateDirectory;
    draft.host.logging.directory = folder === undefined ? undefined : join(folder, 'logs');
  }
  fillAddresses(draft.host?.addresses);
  fillCertificates(draft.host?.certificates);
  const policy = draft.policy;
  for (const member of policy?.pool?.members ?? []) fillAddresses(member?.addresses);
  fillPorts(policy?.ports, draft.host?.addresses);
  if (policy?.relay?.realm === '') policy.relay.realm = policy.sipDomains?.[0];
  if (policy?.avAuthentication?.callers?.length === 0) {
    policy.avAuthentication.callers = nextHopNames(policy.nextHop);
  }
  if (policy?.xmpp?.gateways?.length === 0) policy.xmpp.gateways = nextHopNames(policy.nextHop);
  if (policy?.webConferencing?.services?.length === 0) {
    policy.webConferencing.services = nextHopNames(policy.nextHop);
  }
  fillInternalPeers(policy);
  fillExternalAccess(policy);
}

/** An edge that is upgraded before the store goes on with a policy of the version before. */
function fillExternalAccess(policy: Draft<EdgeDocument['policy']> | undefined): void {
  const access = policy?.externalAccess;
  const listed = policy?.remoteAccess?.onlyUsers ?? [];
  if (access === undefined || listed.length === 0) return;
  access.remote = false;
  const named = new Set((access.users ?? []).map((one) => one?.user));
  const { federation } = access;
  const older = listed.filter((user) => user !== undefined && !named.has(user));
  access.users = [...(access.users ?? []), ...older.map((user) => ({ user, remote: true, federation }))];
}

function fillCertificates(certificates: Draft<EdgeDocument['host']['certificates']> | undefined): void {
  const { access, av } = certificates ?? {};
  if (av?.certificate === '') av.certificate = access?.certificate;
  if (av?.key === '') av.key = access?.key;
}

function fillAddresses(addresses: Addresses | undefined): void {
  if (addresses === undefined) return;
  const { access = [] } = addresses;
  for (const service of ['webConferencing', 'av'] as const) {
    if (addresses[service]?.length === 0) addresses[service] = [...access];
    const shown = addresses.public;
    const together = addresses[service]?.join() === access.join();
    if (together && shown?.[service]?.length === 0) shown[service] = [...(shown.access ?? [])];
  }
}

/** Services that share an address need ports of their own: the single-address mode of port row tables is 5061/444/443. */
function fillPorts(
  ports: Draft<EdgeDocument['policy']['ports']> | undefined,
  at: Addresses | undefined,
): void {
  const shared = (one: keyof Services, other: keyof Services): boolean =>
    (at?.[one] ?? []).some((address) => address !== undefined && at?.[other]?.includes(address) === true);
  if (ports?.accessClients === 0) ports.accessClients = shared('access', 'av') ? 5061 : 443;
  if (ports?.webConferencing === 0) {
    const alone = !shared('webConferencing', 'access') && !shared('webConferencing', 'av');
    ports.webConferencing = alone ? 443 : 444;
  }
}

const FROM_NEXT_HOP = ['access', 'webConferencing', 'avAuthentication', 'xmpp', 'replication'] as const;
const FROM_EVERYBODY = ['media', 'logging'] as const;

function fillInternalPeers(policy: Draft<EdgeDocument['policy']> | undefined): void {
  const peers = policy?.internalPeers;
  if (peers === undefined) return;
  const members = (policy?.nextHop?.members ?? []).map((member) => member?.address);
  const nextHop = [...new Set(members.filter((address) => address !== undefined))].map(hostNetwork);
  for (const key of FROM_NEXT_HOP) if (peers[key]?.length === 0) peers[key] = [...nextHop];
  for (const key of FROM_EVERYBODY) {
    if (peers[key]?.length === 0) peers[key] = [...(policy?.internalNetworks ?? [])];
  }
}

export function fillInternalDefaults(draft: Draft<InternalDocument>): void {
  fillSocket(draft.host);
  const folder = draft.host?.stateDirectory;
  if (draft.frontEnd?.database === '') {
    draft.frontEnd.database = folder === undefined ? undefined : join(folder, 'front-end.sqlite');
  }
  if (draft.management?.database === '') {
    draft.management.database = folder === undefined ? undefined : join(folder, 'management.sqlite');
  }
  if (draft.xmppGateway?.database === '') {
    draft.xmppGateway.database = folder === undefined ? undefined : join(folder, 'xmpp-gateway.sqlite');
  }
  fillMeetings(draft.webConferencing, folder, draft.frontEnd?.sipDomains?.[0]);
}

function fillMeetings(
  conferencing: Draft<InternalDocument['webConferencing']> | undefined,
  folder: string | undefined,
  sipDomain: string | undefined,
): void {
  if (conferencing?.database === '') {
    conferencing.database = folder === undefined ? undefined : join(folder, 'web-conferencing.sqlite');
  }
  if (conferencing?.filesDirectory === '') {
    conferencing.filesDirectory = folder === undefined ? undefined : join(folder, 'web-conferencing-files');
  }
  if (conferencing?.meetingUrl === '') {
    const domain = conferencing.domain ?? sipDomain;
    conferencing.meetingUrl = domain === undefined ? undefined : `https://${domain}/`;
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
