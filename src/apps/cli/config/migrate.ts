import type { Command } from 'commander';
import { z } from 'zod';
import { catalogue } from '#kernel';
import { formatDocumentError, loadInternalDocument } from '#platform/topology';
import { exitStatus, printable, type Session } from '../terminal.ts';
import { difference } from './difference.ts';
import { askStore, author, type StoreOptions, storeCommand } from './store.ts';

const scope = z.object({
  scope: z.string(),
  before: z.string(),
  after: z.string(),
  done: z.array(z.string()),
});
const answer = z.object({
  scopes: z.array(scope),
  problems: z.array(z.string()),
  edges: z.array(z.string()),
});
type Shown = Pick<z.output<typeof answer>, 'scopes' | 'problems'>;

interface MigrateOptions extends StoreOptions {
  readonly dryRun?: true;
  readonly document: string;
}

/** `config migrate [--dry-run]`: after an upgrade, the policies in the form of the new version. */
export function addMigrate(config: Command, session: Session): void {
  storeCommand(config, 'migrate', 'after an upgrade, bring every scope to the form of this version')
    .option(
      '--dry-run',
      'play it on a copy of the database and say what would change; the store need not run',
    )
    .option('--document <file>', 'with --dry-run: the internal.yaml', '/etc/sallyport/internal.yaml')
    .action(async (options: MigrateOptions) => {
      if (options.dryRun === true) return tryIt(session, options.document);
      const done = await askStore(session, options, 'migrate', { author: author() }, answer, (report) =>
        [
          ...describe(report),
          report.edges.length === 0 ? 'nothing new for any edge' : `published for ${report.edges.join(', ')}`,
        ].join('\n'),
      );
      if (done !== undefined && done.problems.length > 0) session.finish(exitStatus.failed);
    });
}

async function tryIt(session: Session, file: string): Promise<void> {
  const loaded = loadInternalDocument(file);
  if (!loaded.ok) {
    for (const finding of loaded.error) session.terminal.error(printable(formatDocumentError(finding)));
    return session.finish(exitStatus.failed);
  }
  const { tryMigration } = await import('#internal/management');
  const { database, edges } = loaded.value.management;
  const tried = tryMigration(database, edges);
  if (!tried.ok) {
    const { code, message } = tried.error;
    session.terminal.error(printable(`${code} ${message}`));
    session.terminal.error(`  ${catalogue[code].remedy}`);
    return session.finish(exitStatus.failed);
  }
  const { schema } = tried.value;
  const same = schema.from === schema.to;
  session.terminal.out(
    [
      `database: schema ${schema.from}${same ? ', as it is to be' : ` becomes ${schema.to} at the next start`}`,
      ...describe({
        ...tried.value,
        scopes: [...tried.value.scopes] as Shown['scopes'],
        problems: [...tried.value.problems],
      }),
      'nothing was changed',
    ].join('\n'),
  );
  if (tried.value.problems.length > 0) session.finish(exitStatus.failed);
}

function describe({ scopes, problems }: Shown): string[] {
  return [
    ...(scopes.length === 0 ? ['every scope is of this version'] : []),
    ...scopes.flatMap(({ scope: name, before, after, done }) => [
      `${printable(name)}: ${done.join(', ')}`,
      ...difference(before, after).map((line) => printable(`  ${line}`)),
    ]),
    ...problems.map((problem) => printable(`afterwards still wrong: ${problem}`)),
  ];
}
