import { join } from 'node:path';
import { ok, type Result } from '#kernel';
import type { InternalDocument } from '#platform/topology';
import type { ConferenceSigningKey } from '#protocols/tokens';
import { type MeetingSettings, settingsOf } from './settings.ts';
import { ConferenceStore } from './store/conference-store.ts';
import { loadSigningKey } from './tokens.ts';

/** A document made ready. */
export interface Prepared {
  readonly document: InternalDocument;
  readonly settings: MeetingSettings;
  readonly store: ConferenceStore;
  readonly key: ConferenceSigningKey;
}

const KEY_FILE = 'conference-tokens.key';

/** @param running the store in use, kept when the document names the same file; undefined when there is nothing to do */
export function prepare(
  document: InternalDocument,
  running: { readonly file: string; readonly store: ConferenceStore } | undefined,
): Result<Prepared | undefined> {
  const settings = settingsOf(document);
  if (settings === undefined) return ok(undefined);
  const key = loadSigningKey(join(document.host.stateDirectory, KEY_FILE));
  if (!key.ok) return key;
  const { database } = document.webConferencing;
  const store = running?.file === database ? ok(running.store) : ConferenceStore.open(database);
  if (!store.ok) return store;
  return ok({ document, settings, store: store.value, key: key.value });
}
