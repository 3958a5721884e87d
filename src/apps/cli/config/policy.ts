import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { exitStatus, printable, type Session, table } from '../terminal.ts';
import { difference } from './difference.ts';
import { askStore, author, type StoreOptions, storeCommand, time } from './store.ts';

const SCOPE = ['--scope <scope>', 'global, site/NAME, service/EDGE, user/ADDRESS', 'global'] as const;
const REASON = ['--reason <text>', 'why, for the log', ''] as const;

interface ScopeOptions extends StoreOptions {
  readonly scope: string;
  readonly reason: string;
}

const changed = z.object({ revision: z.number(), edges: z.array(z.string()) });
const textAnswer = z.object({ text: z.string() });
const revisionAnswer = z.object({
  id: z.number(),
  scope: z.string(),
  text: z.string(),
  author: z.string(),
  at: z.number(),
  reason: z.string(),
});

function renderChange({ revision, edges }: z.output<typeof changed>): string {
  const where = edges.length === 0 ? 'no edge is affected yet' : `published for ${edges.join(', ')}`;
  return `revision ${revision}: ${where}`;
}

/** `config get|set|unset|edit|show|log|diff|revert` */
export function addPolicyCommands(config: Command, session: Session): void {
  storeCommand(config, 'get', 'print a setting, or all of a scope')
    .argument('[setting]', 'such as policy.limits.access.connections')
    .option(...SCOPE)
    .action(async (path: string | undefined, options: ScopeOptions) => {
      const { scope } = options;
      if (path === undefined)
        await askStore(session, options, 'text', { scope }, textAnswer, ({ text }) => text.trimEnd());
      else
        await askStore(
          session,
          options,
          'value',
          { scope, path },
          z.object({ value: z.unknown() }),
          ({ value }) => JSON.stringify(value),
        );
    });
  storeCommand(config, 'set', 'change a setting; with --file, everything in a scope')
    .argument('[setting]')
    .argument('[value]', 'YAML: a number, true, a text, [a, list]')
    .option(...SCOPE)
    .option(...REASON)
    .option('--file <file>', 'the settings below policy, in YAML')
    .action(
      (path: string | undefined, value: string | undefined, options: ScopeOptions & { file?: string }) =>
        set(session, path, value, options),
    );
  storeCommand(config, 'unset', 'take a setting out of a scope')
    .argument('<setting>')
    .option(...SCOPE)
    .option(...REASON)
    .action(async (path: string, options: ScopeOptions) => {
      const { scope, reason } = options;
      await askStore(
        session,
        options,
        'set',
        { scope, path, reason, author: author() },
        changed,
        renderChange,
      );
    });
  storeCommand(config, 'edit', 'change a scope in $EDITOR; what is not valid is not stored')
    .option(...SCOPE)
    .option(...REASON)
    .action((options: ScopeOptions) => edit(session, options));
  storeCommand(config, 'show', 'print the policy of an edge, each line with the scope that it comes from')
    .requiredOption('--edge <name>')
    .action(async (options: StoreOptions & { edge: string }) => {
      const line = z.object({
        text: z.string(),
        scope: z.string().optional(),
        revision: z.number().optional(),
      });
      const inUse = z.object({ media: z.string(), flow: z.string() }).nullable();
      const answer = z.object({ lines: z.array(line), inUse });
      await askStore(session, options, 'show', { edge: options.edge }, answer, ({ lines, inUse: keys }) => {
        const used = keys === null ? [] : [`# keys of the store in use: ${keys.media}, ${keys.flow}`];
        return [renderLines(lines), ...used].join('\n');
      });
    });
  addHistory(config, session);
}

function addHistory(config: Command, session: Session): void {
  storeCommand(config, 'log', 'list changes, newest first')
    .option('--scope <scope>', 'of one scope only')
    .option('--versions', 'what was published for edges, rolls of keys too')
    .action((options: LogOptions) =>
      options.versions === true ? listVersions(session, options) : listRevisions(session, options),
    );
  storeCommand(config, 'diff', 'what changed from one revision to another, or to what counts now')
    .argument('<revision>')
    .argument('[other]')
    .action((from: string, to: string | undefined, options: StoreOptions) =>
      diff(session, from, to, options),
    );
  storeCommand(config, 'revert', 'bring a scope back to what a revision says, as a new revision')
    .argument('<revision>')
    .option(...REASON)
    .action(async (id: string, options: ScopeOptions) => {
      const args = { id: Number(id), reason: options.reason, author: author() };
      await askStore(session, options, 'revert', args, changed, renderChange);
    });
}

interface LogOptions extends StoreOptions {
  readonly scope?: string;
  readonly versions?: true;
}
async function listRevisions(session: Session, options: LogOptions): Promise<void> {
  const args = options.scope === undefined ? {} : { scope: options.scope };
  const answer = z.object({ revisions: z.array(revisionAnswer) });
  await askStore(session, options, 'log', args, answer, ({ revisions }) =>
    table([
      ['REVISION', 'TIME', 'AUTHOR', 'SCOPE', 'REASON'],
      ...revisions.map(({ id, at, author: by, scope, reason }) =>
        [String(id), time(at), by, scope, reason].map(printable),
      ),
    ]),
  );
}
async function listVersions(session: Session, options: LogOptions): Promise<void> {
  const version = z.object({
    version: z.number(),
    edges: z.array(z.string()),
    author: z.string(),
    reason: z.string(),
    at: z.number(),
  });
  await askStore(session, options, 'versions', {}, z.object({ versions: z.array(version) }), ({ versions }) =>
    table([
      ['VERSION', 'TIME', 'AUTHOR', 'EDGES', 'REASON'],
      ...versions.map(({ version: number, at, author: by, edges, reason }) =>
        [String(number), time(at), by, edges.join(' '), reason].map(printable),
      ),
    ]),
  );
}

function renderLines(
  lines: readonly { text: string; scope?: string | undefined; revision?: number | undefined }[],
): string {
  const width = Math.min(80, Math.max(...lines.map((line) => line.text.length)));
  return lines
    .map(({ text, scope, revision }) => {
      if (scope === undefined) return printable(text);
      const origin = revision === 0 ? 'keys of the store' : `${scope}, revision ${revision}`;
      return printable(`${text.padEnd(width)}  # ${origin}`);
    })
    .join('\n');
}

async function set(
  session: Session,
  path: string | undefined,
  value: string | undefined,
  options: ScopeOptions & { file?: string },
): Promise<void> {
  const { scope, reason, file } = options;
  const by = { scope, reason, author: author() };
  if (file !== undefined && path === undefined) {
    await askStore(
      session,
      options,
      'replace',
      { ...by, text: readFileSync(file, 'utf8') },
      changed,
      renderChange,
    );
  } else if (file === undefined && path !== undefined && value !== undefined) {
    await askStore(session, options, 'set', { ...by, path, value }, changed, renderChange);
  } else {
    session.terminal.error('write a setting and a value, or --file');
    session.finish(exitStatus.usage);
  }
}

async function edit(session: Session, options: ScopeOptions): Promise<void> {
  const { scope, reason } = options;
  const quiet: Session = { ...session, terminal: { ...session.terminal, out() {} } };
  const before = await askStore(quiet, { ...options }, 'text', { scope }, textAnswer, () => '');
  if (before === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
  try {
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, before.text, { mode: 0o600 });
    const editor = process.env.VISUAL ?? process.env.EDITOR ?? 'vi';
    const { status } = spawnSync(editor, [file], { stdio: 'inherit', shell: true });
    const text = readFileSync(file, 'utf8');
    if (status !== 0 || text === before.text) {
      session.terminal.out('nothing changed');
      return;
    }
    await askStore(
      session,
      options,
      'replace',
      { scope, text, reason, author: author() },
      changed,
      renderChange,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function diff(
  session: Session,
  from: string,
  to: string | undefined,
  options: StoreOptions,
): Promise<void> {
  const quiet: Session = { ...session, terminal: { ...session.terminal, out() {} } };
  const before = await askStore(quiet, options, 'revision', { id: Number(from) }, revisionAnswer, () => '');
  if (before === undefined) return;
  const after =
    to === undefined
      ? await askStore(quiet, options, 'text', { scope: before.scope }, textAnswer, () => '')
      : await askStore(quiet, options, 'revision', { id: Number(to) }, revisionAnswer, () => '');
  if (after === undefined) return;
  const lines = difference(before.text, after.text);
  session.terminal.out(lines.length === 0 ? 'no difference' : lines.map(printable).join('\n'));
}
