import { spawnSync } from 'node:child_process';
import { err, ok, type Result } from '#kernel';
import { nftablesText, TABLE } from '../formats/nftables.ts';
import type { Ruleset } from '../model/ruleset.ts';
import { compareRules, type Difference } from './compare.ts';
import { compareKernel } from './kernel-settings.ts';
import { type LoadedTable, parseListing } from './listing.ts';

export interface CommandOutcome {
  /** Undefined when there is no such program, or it was killed. */
  readonly status: number | undefined;
  readonly out: string;
  readonly error: string;
}

/** Runs a program of the host with this standard input. */
export type RunCommand = (program: string, parameters: readonly string[], input?: string) => CommandOutcome;

/** More rules than any host has. */
const MOST_BYTES = 64 * 1024 * 1024;

export const runOnHost: RunCommand = (program, parameters, input = '') => {
  const ran = spawnSync(program, parameters, { input, encoding: 'utf8', maxBuffer: MOST_BYTES });
  const error = ran.error === undefined ? ran.stderr : `${program}: ${ran.error.message}`;
  return { status: ran.status ?? undefined, out: ran.stdout ?? '', error };
};

/** Loads the rules where there is no network, and nobody is affected, and lists them. */
const CANONICAL = 'nft -f - && exec nft -j list ruleset';

/**
 * Compares the rules, and on the host of an edge the settings of the kernel, with those that are loaded on this host. nft itself brings both into the same form: the expected
 * ones are loaded in a network namespace that lives as long as the command. Needs the superuser. The error says what
 * is missing and what to do.
 */
export function compareWithLoaded(
  ruleset: Ruleset,
  run: RunCommand = runOnHost,
): Result<Difference[], string> {
  const text = listed(run('nft', ['-a', 'list', 'ruleset']), 'the rules of this host cannot be listed');
  if (!text.ok) return text;
  if (isDormant(text.value)) {
    const what = `table ${TABLE.family} ${TABLE.name} is dormant: none of its rules counts`;
    return ok([{ kind: 'too open', what, rows: [] }]);
  }
  const loaded = tables(run('nft', ['-j', 'list', 'ruleset']), 'the rules of this host cannot be listed');
  if (!loaded.ok) return loaded;
  const scratch = run('unshare', ['--net', 'sh', '-c', CANONICAL], nftablesText(ruleset));
  const expected = tables(scratch, 'nft does not take the rules of the document');
  if (!expected.ok) return expected;
  const [table] = expected.value;
  if (table === undefined) return err('nft took the rules of the document and lists none');
  const kernel = compareKernel(ruleset, run);
  if (!kernel.ok) return kernel;
  const rules = compareRules(ruleset, table, { tables: loaded.value, texts: ruleTexts(text.value) });
  return ok([...rules, ...kernel.value]);
}

function listed(outcome: CommandOutcome, trouble: string): Result<string, string> {
  if (outcome.status === 0) return ok(outcome.out);
  const [reason = 'no reason given'] = outcome.error.split('\n').filter((line) => line.trim() !== '');
  return err(
    `${trouble} (${reason}): run this as root on a host that has nft (nftables) and unshare (util-linux)`,
  );
}

function tables(outcome: CommandOutcome, trouble: string): Result<LoadedTable[], string> {
  const text = listed(outcome, trouble);
  if (!text.ok) return text;
  const parsed = parseListing(text.value);
  return parsed.ok
    ? parsed
    : err(`${trouble}: ${parsed.error}; nft list ruleset shows them in its own words`);
}

/** nft -a writes `table inet sallyport { # handle 1`, then the lines of the table, then `}`. */
function ownLines(text: string): string[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`table ${TABLE.family} ${TABLE.name} {`));
  if (start < 0) return [];
  const end = lines.indexOf('}', start);
  return lines.slice(start + 1, end < 0 ? undefined : end);
}

/** Asked of the text: the JSON of nft 1.0.6 is broken for a table with flags. */
function isDormant(text: string): boolean {
  return ownLines(text).some((line) => /^\s*flags\b.*\bdormant\b/.test(line));
}

function ruleTexts(text: string): Map<number, string> {
  const texts = new Map<number, string>();
  for (const line of ownLines(text)) {
    const [, rule, handle] = /^\t\t(.*) # handle (\d+)$/.exec(line) ?? [];
    if (rule !== undefined && handle !== undefined) texts.set(Number(handle), rule);
  }
  return texts;
}
