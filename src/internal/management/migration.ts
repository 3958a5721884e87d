import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ok, type Result } from '#kernel';
import { copyDatabase } from '#platform/store';
import { Database } from './database.ts';
import { type ManagedEdge, Policies } from './policies.ts';
import { migrateText } from './policy-migration.ts';
import type { Scope } from './scopes.ts';

export interface MigrationReport {
  /** Of the database, before and after. */
  readonly schema: { readonly from: number; readonly to: number };
  readonly scopes: readonly {
    readonly scope: Scope;
    readonly before: string;
    readonly after: string;
    readonly done: readonly string[];
  }[];
  /** What would be wrong with the policy of an edge afterwards. */
  readonly problems: readonly string[];
}

/** Brings every scope to the form of this version, as new revisions. */
export function migrate(
  database: Database,
  policies: Policies,
  by: { readonly author: string; readonly at: number },
): Omit<MigrationReport, 'schema'> {
  const scopes: MigrationReport['scopes'][number][] = [];
  const problems: string[] = [];
  for (const { scope, text } of database.latest()) {
    const migrated = migrateText(text);
    if (!migrated.ok) problems.push(`${scope}: ${migrated.error.message}`);
    else if (migrated.value.done.length > 0)
      scopes.push({ scope, before: text, after: migrated.value.text, done: migrated.value.done });
  }
  database.store.transaction(() => {
    for (const { scope, after, done } of scopes)
      database.revise({
        scope,
        text: after,
        author: by.author,
        at: by.at,
        reason: `migrated: ${done.join(', ')}`,
      });
  });
  return { scopes, problems: [...problems, ...policies.problems().map(({ message }) => message)] };
}

/** Plays everything on a copy, whether the store runs or not; the store itself is not touched. */
export function tryMigration(file: string, edges: readonly ManagedEdge[]): Result<MigrationReport> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-migration-'));
  try {
    const copy = join(folder, 'store.sqlite');
    const copied = copyDatabase(file, copy);
    if (!copied.ok) return copied;
    const from = Database.schemaOf(copy);
    if (!from.ok) return from;
    const opened = Database.open(copy);
    if (!opened.ok) return opened;
    try {
      const policies = new Policies(opened.value, () => edges);
      const report = migrate(opened.value, policies, { author: 'sallyport', at: Date.now() });
      return ok({ schema: { from: from.value, to: Database.NEWEST_SCHEMA }, ...report });
    } finally {
      opened.value.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
