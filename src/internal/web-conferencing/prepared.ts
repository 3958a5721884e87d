import { join } from 'node:path';
import { ok, type Result, type WallTime } from '#kernel';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import type { InternalDocument } from '#platform/topology';
import type { ConferenceSigningKey } from '#protocols/tokens';
import { type MeetingSettings, settingsOf } from './settings.ts';
import { ConferenceStore } from './store/conference-store.ts';
import { loadSigningKey } from './tokens.ts';

/** A document made ready. */
export interface Prepared {
  readonly document: InternalDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  readonly settings: MeetingSettings;
  readonly store: ConferenceStore;
  readonly key: ConferenceSigningKey;
}

const KEY_FILE = 'conference-tokens.key';

/** @param running the store in use, kept when the document names the same file; undefined when there is nothing to do */
export function prepare(
  document: InternalDocument,
  wall: WallTime,
  running: { readonly file: string; readonly store: ConferenceStore } | undefined,
): Result<Prepared | undefined> {
  const settings = settingsOf(document);
  if (settings === undefined) return ok(undefined);
  const credentials = loadCredentials(document.host.certificates.internal, wall);
  if (!credentials.ok) return credentials;
  const trust = loadTrustAnchors(document.host.internalCa);
  if (!trust.ok) return trust;
  const key = loadSigningKey(join(document.host.stateDirectory, KEY_FILE));
  if (!key.ok) return key;
  const { database } = document.webConferencing;
  const store = running?.file === database ? ok(running.store) : ConferenceStore.open(database);
  if (!store.ok) return store;
  const identity = { credentials: credentials.value, trust: trust.value };
  return ok({ document, ...identity, settings, store: store.value, key: key.value });
}
