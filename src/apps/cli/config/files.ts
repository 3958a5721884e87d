import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { unzipSync, zipSync } from 'fflate';
import { z } from 'zod';
import { catalogue, err, type Failure, failure, ok, type Result } from '#kernel';
import {
  keptActivation,
  policyProblems,
  ReplicaFolder,
  stage,
  stageActivation,
} from '#platform/replica-store';
import { becomeServer } from '#platform/service';
import { silentLog } from '#platform/telemetry';
import { loadEdgeHost, type ReplicaSettings, replicaSettings } from '#platform/topology';
import { ACTIVATION_BYTES, decodePush, fingerprintOf, PUSH_BYTES } from '#protocols/replication';
import { exitStatus, printable, type Session } from '../terminal.ts';
import { askStore, type StoreOptions, storeCommand } from './store.ts';

/** Names in an export file. */
const SNAPSHOT = 'snapshot.json';
const ACTIVATION = 'activation.json';
const NOTE = 'READ-ME.txt';
/** A zip of a snapshot is not much larger than it. */
const FILE_BYTES = PUSH_BYTES + 65_536;

/** `config export --edge NAME FILE`, inside. */
export function addExport(config: Command, session: Session): void {
  storeCommand(config, 'export', 'write the configuration of an edge to a file, for its first load')
    .argument('<file>', 'a .zip to be made')
    .requiredOption('--edge <name>')
    .option('--sealing-key <key>', 'as config identity prints it on an edge that was never reached')
    .action(async (file: string, options: StoreOptions & { edge: string; sealingKey?: string }) => {
      const key = options.sealingKey === undefined ? {} : { sealingKey: options.sealingKey };
      const answer = z.object({
        snapshot: z.string(),
        activation: z.string().optional(),
        fingerprint: z.string(),
      });
      await askStore(
        session,
        options,
        'export',
        { edge: options.edge, ...key },
        answer,
        ({ snapshot, activation, fingerprint }) => {
          const note = `Configuration of ${options.edge}. On that edge: sallyport config import FILE\nSigned by ${fingerprint}\n`;
          const zip = zipSync({
            [SNAPSHOT]: Buffer.from(snapshot, 'base64'),
            ...(activation === undefined ? {} : { [ACTIVATION]: Buffer.from(activation, 'base64') }),
            [NOTE]: Buffer.from(note),
          });
          writeFileSync(file, zip, { mode: 0o600, flag: 'wx' });
          return `${printable(file)}: configuration of ${printable(options.edge)}\nsigned by ${fingerprint}`;
        },
      );
    });
}

interface EdgeOptions {
  readonly document: string;
}
const DOCUMENT = ['--document <file>', 'the edge.yaml', '/etc/sallyport/edge.yaml'] as const;

/** `config import FILE`, on an edge, whether it runs or not; no network is needed. */
export function addImport(config: Command, session: Session): void {
  config
    .command('import')
    .description('load the configuration of this edge from a file that config export made')
    .argument('<file>')
    .option(...DOCUMENT)
    .option('--replace', 'also when it does not descend from what runs here')
    .action((file: string, { document, replace }: EdgeOptions & { replace?: true }) => {
      const outcome = importFile(document, file, replace === true);
      if (outcome.ok) session.terminal.out(outcome.value);
      else complain(session, outcome.error);
    });
}

/** `config identity`, on an edge: what the management store has to know about it. */
export function addIdentity(config: Command, session: Session): void {
  config
    .command('identity')
    .description('print the key to which secrets for this edge are sealed')
    .option(...DOCUMENT)
    .action(({ document }: EdgeOptions) => {
      const settings = prepared(document);
      if (!settings.ok) return complain(session, settings.error);
      const key = new ReplicaFolder(settings.value.stateDirectory).sealingKey();
      if (!key.ok) return complain(session, key.error);
      const { publicKey, fingerprint } = key.value;
      session.terminal.out(
        `edge ${settings.value.edge}\nsealing key ${publicKey}\nfingerprint ${fingerprint}`,
      );
    });
}

/** As the account that the edge runs as, so that it can use the files later. */
function prepared(document: string): Result<ReplicaSettings> {
  const settings = replicaSettings(document);
  const host = loadEdgeHost(document);
  if (settings === undefined || host === undefined) return err(failure('SLP-CFG-0013', document));
  process.umask(0o077);
  const became = becomeServer(host, silentLog());
  return became.ok ? ok(settings) : became;
}

function importFile(document: string, file: string, anyHistory: boolean): Result<string> {
  const exported = readExport(file);
  if (!exported.ok) return exported;
  const { snapshot, activation } = exported.value;
  const settings = prepared(document);
  if (!settings.ok) return settings;
  const folder = new ReplicaFolder(settings.value.stateDirectory);
  const staged = stage(folder, settings.value, snapshot, { anyHistory });
  if (!staged.ok) return err(staged.error.failure);
  const { head, author, reason, commit, discard } = staged.value;
  const refuse = (problem: Failure) => {
    discard();
    return err(problem);
  };
  const keys =
    activation === undefined ? undefined : stageActivation(folder, settings.value, staged.value, activation);
  if (keys?.ok === false) return refuse(keys.error);
  const used = keys?.value.activation ?? keptActivation(folder, settings.value, staged.value);
  const problems = policyProblems(document, staged.value, used?.keys);
  if (problems.length > 0) return refuse(failure('SLP-CFG-0022', problems.join('\n')));
  // A stop between the two leaves the version with the keys of before, which every edge honours.
  commit();
  keys?.value.commit();
  folder.sweepVersions();
  return ok(
    [
      `version ${head.version} of ${printable(author)}${reason === '' ? '' : ` (${printable(reason)})`} is loaded`,
      ...(used === undefined ? [] : [`keys in use: ${used.keys.media}, ${used.keys.flow}`]),
      `signed by ${signerOf(snapshot)}, as host.replication.signers says`,
      'an edge that runs takes it by itself',
    ].join('\n'),
  );
}

function signerOf(bytes: Uint8Array): string {
  const push = decodePush(bytes);
  const text = push.ok ? push.value.links.at(-1)?.text : undefined;
  return text === undefined ? 'unknown' : fingerprintOf((JSON.parse(text) as { signer: string }).signer);
}

interface Export {
  readonly snapshot: Uint8Array;
  /** Absent while the keys are used that the policy names. */
  readonly activation: Uint8Array | undefined;
}

/** What a zip holds, within bounds: what it says of its sizes is checked before anything is unpacked. */
function readExport(file: string): Result<Export> {
  if (!existsSync(file) || !statSync(file).isFile()) return err(failure('SLP-CFG-0036', file));
  if (statSync(file).size > FILE_BYTES) return err(failure('SLP-CFG-0001', file));
  const bounds = new Map([
    [SNAPSHOT, PUSH_BYTES],
    [ACTIVATION, ACTIVATION_BYTES],
  ]);
  try {
    const files = unzipSync(readFileSync(file), {
      filter: ({ name, originalSize }) => originalSize <= (bounds.get(name) ?? -1),
    });
    const { [SNAPSHOT]: snapshot, [ACTIVATION]: activation } = files;
    return snapshot === undefined ? err(failure('SLP-CFG-0036', file)) : ok({ snapshot, activation });
  } catch (error) {
    return err(failure('SLP-CFG-0036', `${file}: ${(error as Error).message}`, error));
  }
}

function complain(session: Session, { code, message }: Failure): void {
  for (const line of `${code} ${message}`.split('\n')) session.terminal.error(printable(line));
  session.terminal.error(`  ${catalogue[code].remedy}`);
  session.finish(exitStatus.failed);
}
