import { join } from 'node:path';
import { ok, type Result } from '#kernel';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import type { InternalDocument } from '#platform/topology';
import { type MeetingSettings, settingsOf } from './settings.ts';
import { SigningKeys } from './signing-keys.ts';
import { ConferenceStore } from './store/conference-store.ts';
import { FileStore } from './store/file-store.ts';

/** A document made ready. */
export interface Prepared {
  readonly document: InternalDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  readonly settings: MeetingSettings;
  readonly store: ConferenceStore;
  readonly files: FileStore;
  readonly keys: SigningKeys;
}

const KEY_FILE = 'conference-tokens.key';

/** What goes on when the document names the same database and folder. */
export interface InUse {
  readonly document: InternalDocument;
  readonly store: ConferenceStore;
  readonly files: FileStore;
}

/** Undefined when there is nothing to do. */
export function prepare(
  document: InternalDocument,
  wall: number,
  running: InUse | undefined,
): Result<Prepared | undefined> {
  const settings = settingsOf(document);
  if (settings === undefined) return ok(undefined);
  const credentials = loadCredentials(document.host.certificates.internal, wall);
  if (!credentials.ok) return credentials;
  const trust = loadTrustAnchors(document.host.internalCa);
  if (!trust.ok) return trust;
  const keys = SigningKeys.load(join(document.host.stateDirectory, KEY_FILE));
  if (!keys.ok) return keys;
  const made = { document, settings, keys: keys.value, credentials: credentials.value, trust: trust.value };
  const { database, filesDirectory } = document.webConferencing;
  const before = running?.document.webConferencing;
  const same = before?.database === database && before.filesDirectory === filesDirectory;
  if (running !== undefined && same) return ok({ ...made, store: running.store, files: running.files });
  const files = FileStore.open(filesDirectory);
  if (!files.ok) return files;
  const store = ConferenceStore.open(database);
  if (!store.ok) return store;
  return ok({ ...made, store: store.value, files: files.value });
}
