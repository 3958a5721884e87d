import { err, ok, type Result } from '#kernel';
import {
  child,
  children,
  element,
  readXmlDocument,
  textOf,
  writeXmlDocument,
  type XmlElement,
  type XmlProblem,
} from '#protocols/xml';
import { type ConferenceInfoLimits, conferenceInfoLimits } from './limits.ts';

export const CONFERENCE_INFO_TYPE = 'application/conference-info+xml';
/** RFC 4575 §3.1: the event package. */
export const CONFERENCE_EVENT = 'conference';

const NAMESPACE = 'urn:ietf:params:xml:ns:conference-info';

/** RFC 4575 §4.4: the whole element, what changed of it, or that it is gone. */
export type ElementState = 'full' | 'partial' | 'deleted';
const states: readonly ElementState[] = ['full', 'partial', 'deleted'];

/** RFC 4575 §5.7.3, as far as the way into a conference is told. */
export const endpointStatuses = [
  'connected',
  'disconnected',
  'on-hold',
  'muted-via-focus',
  'pending',
  'alerting',
  'dialing-in',
  'dialing-out',
  'disconnecting',
] as const;
export type EndpointStatus = (typeof endpointStatuses)[number];

/** RFC 4575 §5.7. */
export interface ConferenceEndpoint {
  /** URI, unique within the user. */
  readonly entity: string;
  readonly state: ElementState;
  readonly status?: EndpointStatus;
}

/** RFC 4575 §5.6. */
export interface ConferenceUser {
  /** URI, unique within the conference. */
  readonly entity: string;
  readonly state: ElementState;
  readonly displayText?: string;
  readonly roles: readonly string[];
  readonly endpoints: readonly ConferenceEndpoint[];
}

/** A conference information document (RFC 4575 §5), without host, media and sidebars. */
export interface ConferenceInfo {
  /** The conference URI. */
  readonly entity: string;
  readonly state: ElementState;
  /** Counts up by one with each document of a subscription that tells a change (§5.2). */
  readonly version: number;
  /** §5.3. */
  readonly subject?: string;
  /** §5.5: people in the conference, whether there is one, whether somebody new may come in. */
  readonly userCount?: number;
  readonly active?: boolean;
  readonly locked?: boolean;
  /** §5.6: `full` when these are all; undefined when nothing is said about users. */
  readonly users?: { readonly state: ElementState; readonly list: readonly ConferenceUser[] };
}

export type ConferenceInfoProblem = XmlProblem | 'not-conference-info' | 'state' | 'user' | 'too-many-users';

export function writeConferenceInfo(info: ConferenceInfo): Buffer {
  const { entity, state, version, users } = info;
  const description = info.subject === undefined ? undefined : [leaf('subject', info.subject)];
  const parts: XmlElement[] = [];
  // RFC 4575 §5.2: a full document has a description and users, whatever is in them.
  if (description !== undefined || state === 'full') parts.push(node('conference-description', description));
  const conferenceState = writeState(info);
  if (conferenceState.length > 0) parts.push(node('conference-state', conferenceState));
  if (users !== undefined || state === 'full') {
    const list = users?.list ?? [];
    parts.push(element(NAMESPACE, 'users', { state: users?.state }, list.map(writeUser)));
  }
  return writeXmlDocument(
    element(NAMESPACE, 'conference-info', { entity, state, version: `${version}` }, parts),
  );
}

function writeState({ userCount, active, locked }: ConferenceInfo): XmlElement[] {
  const parts: XmlElement[] = [];
  if (userCount !== undefined) parts.push(leaf('user-count', `${userCount}`));
  if (active !== undefined) parts.push(leaf('active', `${active}`));
  if (locked !== undefined) parts.push(leaf('locked', `${locked}`));
  return parts;
}

function writeUser({ entity, state, displayText, roles, endpoints }: ConferenceUser): XmlElement {
  const parts: XmlElement[] = [];
  if (displayText !== undefined) parts.push(leaf('display-text', displayText));
  if (roles.length > 0) {
    parts.push(
      node(
        'roles',
        roles.map((role) => leaf('entry', role)),
      ),
    );
  }
  for (const endpoint of endpoints) {
    const status = endpoint.status === undefined ? [] : [leaf('status', endpoint.status)];
    parts.push(
      element(NAMESPACE, 'endpoint', { entity: endpoint.entity, state: shown(endpoint.state) }, status),
    );
  }
  return element(NAMESPACE, 'user', { entity, state: shown(state) }, parts);
}

/** `full` is what an element without the attribute is (RFC 4575 §4.4). */
function shown(state: ElementState): string | undefined {
  return state === 'full' ? undefined : state;
}

function node(name: string, parts: readonly XmlElement[] = []): XmlElement {
  return element(NAMESPACE, name, {}, parts);
}
function leaf(name: string, text: string): XmlElement {
  return element(NAMESPACE, name, {}, text === '' ? [] : [text]);
}

/** Reads a document of any server; what this program does not use of it is passed over. */
export function readConferenceInfo(
  bytes: Uint8Array,
  limits: ConferenceInfoLimits = conferenceInfoLimits,
): Result<ConferenceInfo, ConferenceInfoProblem> {
  const read = readXmlDocument(bytes, limits);
  if (!read.ok) return read;
  const root = read.value;
  if (root.name !== 'conference-info' || root.namespace !== NAMESPACE) return err('not-conference-info');
  const entity = textAttribute(root, 'entity', limits);
  const version = wholeNumber(root.attributes.get('version'));
  const state = stateOf(root);
  if (entity === undefined || version === undefined) return err('not-conference-info');
  if (state === undefined) return err('state');
  const users = readUsers(child(root, 'users', NAMESPACE), limits);
  if (!users.ok) return users;
  return ok({
    entity,
    state,
    version,
    ...readDescription(child(root, 'conference-description', NAMESPACE), limits),
    ...readState(child(root, 'conference-state', NAMESPACE)),
    ...(users.value === undefined ? {} : { users: users.value }),
  });
}

function readDescription(
  description: XmlElement | undefined,
  { textLength }: ConferenceInfoLimits,
): Pick<ConferenceInfo, 'subject'> {
  const subject = description && child(description, 'subject', NAMESPACE);
  return subject === undefined ? {} : { subject: textOf(subject).slice(0, textLength) };
}

function readState(state: XmlElement | undefined): Pick<ConferenceInfo, 'userCount' | 'active' | 'locked'> {
  if (state === undefined) return {};
  const text = (name: string) => {
    const found = child(state, name, NAMESPACE);
    return found === undefined ? undefined : textOf(found).trim();
  };
  const userCount = wholeNumber(text('user-count'));
  const active = truth(text('active'));
  const locked = truth(text('locked'));
  return {
    ...(userCount === undefined ? {} : { userCount }),
    ...(active === undefined ? {} : { active }),
    ...(locked === undefined ? {} : { locked }),
  };
}

function readUsers(
  users: XmlElement | undefined,
  limits: ConferenceInfoLimits,
): Result<ConferenceInfo['users'], ConferenceInfoProblem> {
  if (users === undefined) return ok(undefined);
  const state = stateOf(users);
  if (state === undefined) return err('state');
  const found = children(users, 'user', NAMESPACE);
  if (found.length > limits.users) return err('too-many-users');
  const list: ConferenceUser[] = [];
  for (const item of found) {
    const user = readUser(item, limits);
    if (user === undefined) return err('user');
    list.push(user);
  }
  return ok({ state, list });
}

function readUser(user: XmlElement, limits: ConferenceInfoLimits): ConferenceUser | undefined {
  const entity = textAttribute(user, 'entity', limits);
  const state = stateOf(user);
  const found = children(user, 'endpoint', NAMESPACE);
  const named = child(user, 'roles', NAMESPACE);
  const roles = named === undefined ? [] : children(named, 'entry', NAMESPACE);
  if (entity === undefined || state === undefined) return undefined;
  if (found.length > limits.endpoints || roles.length > limits.endpoints) return undefined;
  const endpoints: ConferenceEndpoint[] = [];
  for (const item of found) {
    const endpoint = readEndpoint(item, limits);
    if (endpoint === undefined) return undefined;
    endpoints.push(endpoint);
  }
  const text = child(user, 'display-text', NAMESPACE);
  return {
    entity,
    state,
    ...(text === undefined ? {} : { displayText: textOf(text).slice(0, limits.textLength) }),
    roles: roles.map((role) => textOf(role).trim().slice(0, limits.textLength)),
    endpoints,
  };
}

function readEndpoint(item: XmlElement, limits: ConferenceInfoLimits): ConferenceEndpoint | undefined {
  const entity = textAttribute(item, 'entity', limits);
  const state = stateOf(item);
  if (entity === undefined || state === undefined) return undefined;
  const told = child(item, 'status', NAMESPACE);
  const status = endpointStatuses.find((word) => told !== undefined && word === textOf(told).trim());
  return { entity, state, ...(status === undefined ? {} : { status }) };
}

function textAttribute(item: XmlElement, name: string, limits: ConferenceInfoLimits): string | undefined {
  const text = item.attributes.get(name) ?? '';
  return text === '' || text.length > limits.textLength ? undefined : text;
}

function stateOf(item: XmlElement): ElementState | undefined {
  const word = item.attributes.get('state') ?? 'full';
  return states.find((state) => state === word);
}

/** xs:boolean. */
function truth(text: string | undefined): boolean | undefined {
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}

/** RFC 4575 §5.2: 32 bits. */
function wholeNumber(text: string | undefined): number | undefined {
  const number = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  return number === undefined || number > 0xffff_ffff ? undefined : number;
}
