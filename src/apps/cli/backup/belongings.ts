import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { err, failure, ok, type Result } from '#kernel';
import type { About, Belongings } from '#platform/backup';
import { PRODUCT_VERSION } from '#platform/telemetry';
import {
  currentReplica,
  formatDocumentError,
  kindOf,
  loadEdgeDocument,
  loadInternalDocument,
  namedFiles,
} from '#platform/topology';

/** Files in the state directory that are larger are no keys, and can be made again. */
const LARGEST_STATE = 1_048_576;
/** Databases are copied as such; sockets, and what lies beside databases, mean nothing elsewhere. */
const NOT_STATE = /\.(sqlite(-wal|-shm|-journal)?|sock|new)$/;

export interface Planned {
  readonly about: About;
  readonly belongings: Belongings;
}

/** What the backup of the program with this document consists of. */
export function planBackup(file: string): Result<Planned> {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return kindOf(text) === 'internal' ? planInternal(resolve(file)) : planEdge(resolve(file));
}

function planInternal(file: string): Result<Planned> {
  const loaded = loadInternalDocument(file);
  if (!loaded.ok) return err(failure('SLP-CFG-0043', loaded.error.map(formatDocumentError).join('\n')));
  const { host, frontEnd, management, webConferencing } = loaded.value;
  return ok({
    about: aboutOf('internal', host),
    belongings: {
      files: [file, ...namedFiles('internal', loaded.value)],
      state: [...ownState(host.stateDirectory), ...meetingFiles(webConferencing.filesDirectory)],
      databases: [frontEnd.database, management.database, webConferencing.database],
    },
  });
}

function planEdge(file: string): Result<Planned> {
  const loaded = loadEdgeDocument(file);
  if (!loaded.ok) return err(failure('SLP-CFG-0043', loaded.error.map(formatDocumentError).join('\n')));
  const { host } = loaded.value;
  const replica = ['sealing.key', 'activation.json', 'last.json'].map((name) =>
    join(host.stateDirectory, 'replica', name),
  );
  return ok({
    about: aboutOf('edge', host),
    belongings: {
      files: [file, ...namedFiles('edge', loaded.value)],
      state: [...ownState(host.stateDirectory), ...replica, currentReplica(host.stateDirectory)],
      databases: [],
    },
  });
}

function aboutOf(
  program: About['program'],
  host: { readonly name: string; readonly administration: { readonly socket: string } },
): About {
  const { socket } = host.administration;
  return { program, host: host.name, product: PRODUCT_VERSION, created: Date.now(), socket };
}

/** Slides and hand-outs of meetings; what is half-way there is nothing yet. */
function meetingFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .map((name) => join(folder, name));
}

/** Keys and the like that the program made for itself, such as that of its tokens. */
function ownState(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !NOT_STATE.test(name))
    .map((name) => join(folder, name))
    .filter((path) => {
      const stats = lstatSync(path);
      return stats.isFile() && stats.size <= LARGEST_STATE;
    });
}
