import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { catalogue, err, type Failure, failure, ok, type Result } from '#kernel';
import {
  type Archive,
  collect,
  inTheWay,
  type Lock,
  lock,
  type Opener,
  pack,
  putBack,
  unlock,
  unpack,
} from '#platform/backup';
import { AdministrationClient } from '#platform/service';
import { createDurably } from '#platform/store';
import { makeSealingKey, readSealingKey, sealingKeyPem } from '#protocols/replication';
import { planBackup } from '../backup/belongings.ts';
import { readPassword } from '../password.ts';
import { exitStatus, printable, type Session } from '../terminal.ts';

const USUAL_DOCUMENT = '/etc/sallyport/internal.yaml';
/** Larger than any backup that this program makes. Bytes. */
const LARGEST_FILE = 600_000_000;
const PASSPHRASE = ['--passphrase-file <file>', 'its first line; else standard input is asked'] as const;

/** `sallyport backup|restore|backup-key` */
export function addBackup(root: Command, session: Session): void {
  root
    .command('backup')
    .description('write documents, keys and databases of a program into one encrypted file')
    .argument('<file>', 'to be made')
    .option('--document <file>', 'the internal.yaml or edge.yaml', USUAL_DOCUMENT)
    .option('--recipient <key>', 'lock it for the holder of a key, as backup-key prints it')
    .option(...PASSPHRASE)
    .action((file: string, settings: BackupSettings) => finish(session, backup(file, settings)));
  root
    .command('restore')
    .description('put back what a backup holds; the program must not run')
    .argument('<file>')
    .option('--list', 'say what it holds, and change nothing')
    .option('--replace', 'also where something stands now')
    .option('--key <file>', 'the key that backup-key made')
    .option(...PASSPHRASE)
    .action((file: string, settings: RestoreSettings) => finish(session, restore(file, settings)));
  root
    .command('backup-key')
    .description('make a key for backups; keep the file away from the hosts that are backed up')
    .argument('<file>', 'to be made')
    .action((file: string) => finish(session, Promise.resolve(makeKey(file))));
}

async function finish(session: Session, outcome: Promise<Result<string, Failure>>): Promise<void> {
  const done = await outcome;
  if (done.ok) return session.terminal.out(done.value);
  const { code, message } = done.error;
  for (const line of `${code} ${message}`.split('\n')) session.terminal.error(printable(line));
  session.terminal.error(`  ${catalogue[code].remedy}`);
  session.finish(exitStatus.failed);
}

interface BackupSettings {
  readonly document: string;
  readonly recipient?: string;
  readonly passphraseFile?: string;
}

async function backup(file: string, settings: BackupSettings): Promise<Result<string>> {
  if (existsSync(file)) return err(failure('SLP-CFG-0046', file));
  const planned = planBackup(settings.document);
  if (!planned.ok) return planned;
  const files = collect(planned.value.belongings);
  if (!files.ok) return files;
  const packed = pack({ about: planned.value.about, files: files.value });
  if (!packed.ok) return packed;
  const locked = lock(packed.value, await lockFrom(settings));
  if (!locked.ok) return locked;
  try {
    createDurably(file, locked.value);
  } catch (error) {
    return err(failure('SLP-CFG-0043', `${file}: ${(error as Error).message}`, error));
  }
  const { host, program } = planned.value.about;
  return ok(
    `${printable(file)}: ${files.value.length} files of ${program} on ${host}, ${locked.value.length} bytes`,
  );
}

async function lockFrom({ recipient, passphraseFile }: BackupSettings): Promise<Lock> {
  if (recipient !== undefined) return { kind: 'recipient', publicKey: recipient };
  return { kind: 'passphrase', passphrase: await passphraseFrom(passphraseFile) };
}
async function passphraseFrom(file: string | undefined): Promise<string> {
  if (file === undefined) return readPassword('Passphrase: ');
  return existsSync(file) ? (readFileSync(file, 'utf8').split('\n')[0] ?? '') : '';
}

interface RestoreSettings {
  readonly list?: true;
  readonly replace?: true;
  readonly key?: string;
  readonly passphraseFile?: string;
}

async function restore(file: string, settings: RestoreSettings): Promise<Result<string>> {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.size > LARGEST_FILE)
    return err(failure('SLP-CFG-0041', file));
  const opener = await openerFrom(settings);
  if (!opener.ok) return opener;
  const opened = unlock(readFileSync(file), opener.value);
  const archive = opened.ok ? unpack(opened.value) : opened;
  if (!archive.ok) return archive;
  const { about, files } = archive.value;
  if (settings.list === true) return ok(describe(archive.value));
  const answer = await new AdministrationClient(about.socket).call('status', {});
  if (answer.ok || answer.error.code !== 'SLP-SVC-0015')
    return err(failure('SLP-CFG-0048', `${about.program} on ${about.socket}`));
  const done = putBack(archive.value, settings.replace === true);
  return done.ok
    ? ok(`${files.length} files of ${about.program} on ${printable(about.host)} are back`)
    : done;
}

async function openerFrom({ key, passphraseFile }: RestoreSettings): Promise<Result<Opener>> {
  if (key === undefined) return ok({ kind: 'passphrase', passphrase: await passphraseFrom(passphraseFile) });
  const read = existsSync(key) ? readSealingKey(readFileSync(key, 'utf8')) : undefined;
  return read === undefined ? err(failure('SLP-CFG-0045', key)) : ok({ kind: 'recipient', key: read });
}

function describe(archive: Archive): string {
  const { host, program, product, created } = archive.about;
  const there = new Set(inTheWay(archive));
  return [
    `${program} on ${printable(host)}, product ${printable(product)}, made ${new Date(created).toISOString()}`,
    ...archive.files.map(({ path, kind, content }) => {
      const now = there.has(path) ? '  (stands there now)' : '';
      return printable(`${kind.padEnd(8)}  ${String(content.length).padStart(10)}  ${path}${now}`);
    }),
  ].join('\n');
}

function makeKey(file: string): Result<string> {
  const key = makeSealingKey();
  try {
    if (!createDurably(file, sealingKeyPem(key))) return err(failure('SLP-CFG-0046', file));
  } catch (error) {
    return err(failure('SLP-CFG-0043', `${file}: ${(error as Error).message}`, error));
  }
  return ok(`${printable(file)} is the key; without it no backup opens\nrecipient ${key.publicKey}`);
}
