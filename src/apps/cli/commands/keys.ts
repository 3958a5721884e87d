import { readFileSync, statSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { catalogue, type Failure, failure, SystemRandom, type WallTime } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import { type MediaKeyRing, parseMediaKeyRing } from '#protocols/credentials';
import { verbsOf } from '../administered.ts';
import { ROLLED, rollKeys } from '../config/replication.ts';
import { type StoreOptions, USUAL_SOCKET } from '../config/store.ts';
import { writeNewFile } from '../init/new-file.ts';
import { plannedDocument } from '../planned-document.ts';
import { exitStatus, printable, type Session, table } from '../terminal.ts';

const USUAL_DOCUMENT = '/etc/sallyport/edge.yaml';
const MINUTE_MS = 60_000;
const KEY_BYTES = 32;
const LONGEST_NOTICE = 30 * 24 * 60;

/** What is rolled by the web conferencing service, and not by the management store. */
const CONFERENCE = 'conference';

interface ConferenceKeys {
  readonly signing: string;
  readonly next: string | null;
  readonly previous: string | null;
  readonly waits: readonly string[];
}

/**
 * `sallyport keys show|roll`: the keys of the management store, that of conference tokens, or the media key of a pool that
 * has no store, in the file that its document names.
 */
export function addKeys(root: Command, session: Session): void {
  const keys = root
    .command('keys')
    .description('the keys of relay credentials, flow tokens and conference tokens');
  keys
    .command('show')
    .description(
      'list keys by fingerprint: of the file with the times of their turns, or those of conference tokens',
    )
    .argument('[what]', 'conference, or the edge.yaml', USUAL_DOCUMENT)
    .option('--socket <path>', 'host.administration.socket of the internal program', USUAL_SOCKET)
    .option('--json', 'print the answer of the service as JSON')
    .action(async (what: string, options: StoreOptions) => {
      if (what === CONFERENCE) return askConference(session, options, 'keys');
      const opened = open(session, what);
      if (opened !== undefined) session.terminal.out(tableOf(opened, Date.now()));
    });
  keys
    .command('roll')
    .description(
      'make new keys of the management store (media, flow or all), used once every edge knows them; or one that signs ' +
        'conference tokens (conference), used once every edge with a link knows it; or, with a document, ' +
        'add a new media key to its file, whose turn comes later; older ones count until their last token ends',
    )
    .argument('[what]', 'media, flow, all, conference, or the edge.yaml', USUAL_DOCUMENT)
    .option(
      '--socket <path>',
      'host.administration.socket of the internal program, for keys of the store and of conference tokens',
      USUAL_SOCKET,
    )
    .option('--json', 'print the answer of the store as JSON')
    .option(
      '--in <minutes>',
      'when a new key in a file is used first: by then every edge of the pool has to have the file',
      readNotice,
      60,
    )
    .action(async (what: string, options: StoreOptions & { readonly in: number }) => {
      if (what === CONFERENCE) return askConference(session, options, 'keys-roll');
      const kind = ROLLED.find((one) => one === what);
      if (kind === undefined) roll(session, what, options.in);
      else await rollKeys(session, options, kind);
    });
}

/** One command for each host with a web conferencing service: each signs with a key of its own. */
async function askConference(
  session: Session,
  options: StoreOptions,
  verb: 'keys' | 'keys-roll',
): Promise<void> {
  await verbsOf(session, 'web-conferencing-service')<ConferenceKeys>(options, verb, {}, renderConference);
}
function renderConference({ signing, next, previous, waits }: ConferenceKeys): string {
  const rows = [
    [signing, 'signs'],
    ...(next === null ? [] : [[next, 'signs next']]),
    ...(previous === null ? [] : [[previous, 'counts, signs no more']]),
  ];
  return [
    table([['FINGERPRINT', 'STATE'], ...rows]),
    ...waits.map((wait) => printable(`waits: ${wait}`)),
  ].join('\n');
}

function readNotice(text: string): number {
  const minutes = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(minutes <= LONGEST_NOTICE)) throw new InvalidArgumentError(`0 to ${LONGEST_NOTICE} minutes`);
  return minutes;
}

interface OpenRing {
  readonly document: EdgeDocument;
  readonly path: string;
  readonly ring: MediaKeyRing;
}

function roll(session: Session, file: string, minutes: number): void {
  const opened = open(session, file);
  if (opened === undefined) return;
  const { document, path, ring } = opened;
  const { lifetimeMinutes } = document.policy.mediaCredentials;
  const wall = Date.now();
  const turn = wall + minutes * MINUTE_MS;
  const text = ring.rolled(new SystemRandom().bytes(KEY_BYTES), turn, wall, lifetimeMinutes);
  if (!text.ok) {
    complain(session, text.error);
    return;
  }
  const { mode, uid, gid } = statSync(path);
  const written = writeNewFile({
    path,
    text: text.value,
    mode: mode & 0o777,
    owner: { uid, gid },
    replace: true,
  });
  if (!written.ok) {
    complain(session, failure('SLP-AV-0402', written.error));
    return;
  }
  const again = open(session, file);
  if (again === undefined) return;
  session.terminal.out(tableOf(again, wall));
  session.terminal.out(advice(document, path, turn));
}

function advice({ host, policy }: EdgeDocument, path: string, turn: WallTime): string {
  const others = policy.pool.members.map(({ name }) => name).filter((name) => name !== host.name);
  const copy =
    others.length === 0
      ? 'Every edge that shares this key needs the same file before the turn of the new key'
      : `Copy ${path} to ${others.join(', ')} before the turn of the new key`;
  return printable(`${copy}, ${new Date(turn).toISOString()}; running edges read it again by themselves.`);
}

function tableOf({ document, ring }: OpenRing, wall: WallTime): string {
  const { lifetimeMinutes } = document.policy.mediaCredentials;
  const current = ring.current(wall);
  const rows = ring.keys.map((key) => {
    const ends = ring.ends(key, lifetimeMinutes);
    const state = key === current ? 'in use' : ends <= wall ? 'ended' : key.from > wall ? 'next' : 'honoured';
    return [key.fingerprint, state, time(key.from, 'the start'), time(ends, 'the next roll')];
  });
  return table([['FINGERPRINT', 'STATE', 'FROM', 'COUNTS UNTIL'], ...rows]);
}

function time(wall: WallTime, otherwise: string): string {
  return Number.isFinite(wall) ? new Date(wall).toISOString() : otherwise;
}

function open(session: Session, file: string): OpenRing | undefined {
  const document = plannedDocument(session, file);
  if (document === undefined) return undefined;
  const path = document.policy.mediaCredentials.keyFile;
  try {
    const ring = parseMediaKeyRing(readFileSync(path));
    if (ring.ok) return { document, path, ring: ring.value };
    complain(session, { ...ring.error, message: `${ring.error.message} (${path})` });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    complain(session, failure('SLP-AV-0203', `${path}: ${code}`));
  }
  return undefined;
}

function complain(session: Session, { code, message }: Failure): void {
  session.terminal.error(printable(`${code} ${message}`));
  session.terminal.error(`  ${catalogue[code].remedy}`);
  session.finish(exitStatus.failed);
}
