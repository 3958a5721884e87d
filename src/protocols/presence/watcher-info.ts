import { err, ok, type Result } from '#kernel';
import {
  children,
  element,
  readXmlDocument,
  textOf,
  writeXmlDocument,
  type XmlProblem,
} from '#protocols/xml';
import { type PresenceLimits, presenceLimits } from './limits.ts';

export const WATCHER_INFO_TYPE = 'application/watcherinfo+xml';

const WATCHER_INFO = 'urn:ietf:params:xml:ns:watcherinfo';

/** RFC 3858 §4.4. */
export const watcherStatuses = ['pending', 'active', 'waiting', 'terminated'] as const;
export type WatcherStatus = (typeof watcherStatuses)[number];

/** What brought a watcher to its status (RFC 3858 §4.4). */
export const watcherEvents = [
  'subscribe',
  'approved',
  'deactivated',
  'probation',
  'rejected',
  'timeout',
  'giveup',
  'noresource',
] as const;
export type WatcherEvent = (typeof watcherEvents)[number];

export interface Watcher {
  /** The URI of who watches. */
  readonly uri: string;
  /** Unique within the document. */
  readonly id: string;
  readonly status: WatcherStatus;
  readonly event: WatcherEvent;
  /** Seconds. */
  readonly expiration?: number;
  /** Seconds. */
  readonly subscribed?: number;
}

/** Who watches one resource (RFC 3858), for one event package. */
export interface WatcherInfo {
  /** Counts up by one with each document of a subscription. */
  readonly version: number;
  readonly state: 'full' | 'partial';
  /** Whom they watch. */
  readonly resource: string;
  readonly package: string;
  readonly watchers: readonly Watcher[];
}

export type WatcherInfoProblem = XmlProblem | 'not-watcherinfo' | 'watcher-list' | 'watcher';

/** Reads a document with one watcher list, as those of one resource are. */
export function readWatcherInfo(
  bytes: Uint8Array,
  limits: PresenceLimits = presenceLimits,
): Result<WatcherInfo, WatcherInfoProblem> {
  const read = readXmlDocument(bytes, limits);
  if (!read.ok) return read;
  const root = read.value;
  if (root.name !== 'watcherinfo' || root.namespace !== WATCHER_INFO) return err('not-watcherinfo');
  const version = wholeNumber(root.attributes.get('version'));
  const state = root.attributes.get('state');
  const [list, another] = children(root, 'watcher-list', WATCHER_INFO);
  const resource = list?.attributes.get('resource');
  const eventPackage = list?.attributes.get('package');
  if (version === undefined || (state !== 'full' && state !== 'partial')) return err('not-watcherinfo');
  if (list === undefined || another !== undefined || resource === undefined || eventPackage === undefined) {
    return err('watcher-list');
  }
  const watchers: Watcher[] = [];
  for (const { attributes, ...item } of children(list, 'watcher', WATCHER_INFO)) {
    const watcher = readWatcher(attributes, textOf({ ...item, attributes }).trim(), limits);
    if (watcher === undefined) return err('watcher');
    watchers.push(watcher);
  }
  return ok({ version, state, resource, package: eventPackage, watchers });
}

function readWatcher(
  attributes: ReadonlyMap<string, string>,
  uri: string,
  { textLength }: PresenceLimits,
): Watcher | undefined {
  const id = attributes.get('id') ?? '';
  const status = watcherStatuses.find((word) => word === attributes.get('status'));
  const event = watcherEvents.find((word) => word === attributes.get('event'));
  if (id === '' || id.length > textLength || uri === '' || uri.length > textLength) return undefined;
  if (status === undefined || event === undefined) return undefined;
  const expiration = wholeNumber(attributes.get('expiration'));
  const subscribed = wholeNumber(attributes.get('duration-subscribed'));
  return {
    ...{ uri, id, status, event },
    ...(expiration === undefined ? {} : { expiration }),
    ...(subscribed === undefined ? {} : { subscribed }),
  };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

export function writeWatcherInfo(info: WatcherInfo): Buffer {
  const watchers = info.watchers.map(({ uri, id, status, event, expiration, subscribed }) =>
    element(
      WATCHER_INFO,
      'watcher',
      {
        ...{ status, event, id },
        expiration: expiration?.toString(),
        'duration-subscribed': subscribed?.toString(),
      },
      [uri],
    ),
  );
  const { version, state, resource } = info;
  return writeXmlDocument(
    element(WATCHER_INFO, 'watcherinfo', { version: `${version}`, state }, [
      element(WATCHER_INFO, 'watcher-list', { resource, package: info.package }, watchers),
    ]),
  );
}
