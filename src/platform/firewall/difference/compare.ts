import { z } from 'zod';
import { quote } from '#platform/topology';
import { chainName, nftablesRule, TABLE } from '../formats/nftables.ts';
import type { Chain, Ruleset } from '../model/ruleset.ts';
import { alignRules } from './align.ts';
import type { LoadedChain, LoadedRule, LoadedTable } from './listing.ts';

export interface Difference {
  /** What it means: something planned does not pass, something else passes, or another part of the host interferes. */
  readonly kind: 'missing' | 'too open' | 'extra' | 'order' | 'interference';
  readonly what: string;
  /** The rows that care. */
  readonly rows: readonly string[];
}

/** The rules of one host, as nft lists them. */
export interface Loaded {
  readonly tables: readonly LoadedTable[];
  /** The text of each rule of our table by its handle. */
  readonly texts: ReadonlyMap<number, string>;
}

/**
 * What differs between the rules that a document asks for, as nft itself lists them once they are loaded, and those
 * that are loaded on a host.
 */
export function compareRules(ruleset: Ruleset, expected: LoadedTable, loaded: Loaded): Difference[] {
  const table = loaded.tables.find(({ family, name }) => family === TABLE.family && name === TABLE.name);
  const others = loaded.tables.filter((other) => other !== table).flatMap(foreignTranslations);
  if (table === undefined) {
    const what = `table ${TABLE.family} ${TABLE.name} is not loaded: nothing of the plan is enforced`;
    return [{ kind: 'too open', what, rows: [] }, ...others];
  }
  const planned = new Set(expected.chains.map(({ name }) => name));
  const strange = table.chains.filter(({ name }) => !planned.has(name));
  return [
    ...expected.chains.flatMap((chain) => compareChain(ruleset, chain, table, loaded.texts)),
    ...strange.flatMap((chain) => strangeChain(chain)),
    ...others,
  ];
}

function compareChain(
  ruleset: Ruleset,
  expected: LoadedChain,
  table: LoadedTable,
  texts: ReadonlyMap<number, string>,
): Difference[] {
  const planned = ruleset.chains.find(({ hook }) => chainName(hook) === expected.name);
  const ours = (planned?.rules ?? []).map((rule) => ({
    text: nftablesRule(rule, planned?.hook ?? 'input'),
    rows: rule.rows,
  }));
  const actual = table.chains.find(({ name }) => name === expected.name);
  const rows = [...new Set(ours.flatMap((rule) => rule.rows))];
  if (actual === undefined) {
    const denies = expected.policy === 'drop' || closes(planned, 0);
    const what = `chain ${expected.name} (${expected.base}) is not there`;
    return [{ kind: denies ? 'too open' : 'missing', what, rows }];
  }
  const differences: Difference[] = [];
  if (actual.base !== expected.base) {
    const what = `chain ${expected.name} hangs at ${quote(actual.base ?? 'no hook')}, not at ${expected.base}`;
    differences.push({ kind: 'too open', what, rows });
  }
  if (actual.policy !== expected.policy) {
    const what = `the policy of chain ${expected.name} is ${quote(actual.policy ?? 'none')}, not ${expected.policy}`;
    differences.push({ kind: actual.policy === 'drop' ? 'missing' : 'too open', what, rows: [] });
  }
  const alignment = alignRules(expected.rules, actual.rules);
  const nameOf = (index: number | undefined): string =>
    index === undefined ? 'at the end' : `before "${ours[index]?.text}"`;
  for (const index of alignment.missing) {
    const { text = '', rows: cares = [] } = ours[index] ?? {};
    const kind = closes(planned, index) ? 'too open' : 'missing';
    differences.push({ kind, what: `chain ${expected.name} lacks "${text}"`, rows: cares });
  }
  for (const index of alignment.moved) {
    const { text = '', rows: cares = [] } = ours[index] ?? {};
    differences.push({ kind: 'order', what: `chain ${expected.name} has elsewhere "${text}"`, rows: cares });
  }
  for (const { index, before } of alignment.extra) {
    const rule = actual.rules[index];
    if (rule === undefined) continue;
    const what = `chain ${expected.name} has ${textOf(rule, texts)} ${nameOf(before)}`;
    const shadowed = rowsOf(rule);
    differences.push({ kind: opens(rule) ? 'too open' : 'extra', what, rows: shadowed });
  }
  return differences;
}

/** Whether the rule denies what would pass without it: by a later rule, or by the policy. */
function closes(chain: Chain | undefined, index: number): boolean {
  const [rule, ...later] = chain?.rules.slice(index) ?? [];
  const denies = rule?.action.kind === 'drop' || rule?.action.kind === 'reject';
  return denies && (chain?.policy === 'accept' || later.some(({ action }) => action.kind === 'accept'));
}

/** A comment of ours begins with the rows. */
function rowsOf({ comment = '' }: LoadedRule): string[] {
  return (/^((?:[a-z]+-\d\d ?)+)(?::|$)/.exec(comment)?.[1] ?? '').split(' ').filter((id) => id !== '');
}

function textOf({ handle, statements }: LoadedRule, texts: ReadonlyMap<number, string>): string {
  return `"${texts.get(handle) ?? JSON.stringify(statements)}"`;
}

/** Statements that let nothing pass. A return would: it leaves the rest of the chain out. */
const HARMLESS = new Set(['match', 'counter', 'drop', 'reject', 'log', 'limit']);

function opens({ statements }: LoadedRule): boolean {
  return statements.some((statement) => !HARMLESS.has(keyOf(statement)));
}

function keyOf(statement: unknown): string {
  return typeof statement === 'object' && statement !== null ? (Object.keys(statement)[0] ?? '') : '';
}

function strangeChain(chain: LoadedChain): Difference[] {
  const what = `chain ${quote(chain.name)} (${quote(chain.base ?? 'no hook')}) is not of the plan`;
  return [{ kind: chain.rules.some(opens) ? 'too open' : 'extra', what, rows: [] }];
}

const TRANSLATING = new Set([
  ...['dnat', 'snat', 'redirect', 'masquerade', 'tproxy', 'notrack', 'fwd', 'dup'],
  ...['flow', 'queue', 'synproxy'],
]);
const TRANSLATING_TARGETS =
  /^(DNAT|SNAT|REDIRECT|MASQUERADE|NETMAP|TPROXY|NOTRACK|CT|TEE|NFQUEUE|QUEUE|SYNPROXY|FLOWOFFLOAD|HL)$/;
/** What a rule may write into a packet without making another of it. */
const MARKS = new Set(['dscp', 'ecn']);

/**
 * What other tables do to packets happens before or behind our rules, and they do not see it: translating, writing into
 * headers, leading packets around the rules (a flow table), or giving them to a program (a queue).
 */
function foreignTranslations({ family, name, chains }: LoadedTable): Difference[] {
  return chains.flatMap((chain) =>
    chain.rules.flatMap(({ statements }): Difference[] => {
      const verb = statements.map(translation).find((found) => found !== undefined);
      if (verb === undefined) return [];
      const place = `table ${quote(`${family} ${name}`)}, chain ${quote(chain.name)}`;
      const what = `${place} has a rule with ${verb}, which changes packets unseen by the plan`;
      return [{ kind: 'interference', what, rows: [] }];
    }),
  );
}

function translation(statement: unknown): string | undefined {
  const key = keyOf(statement);
  if (TRANSLATING.has(key)) return key;
  if (key === 'mangle') return writing(statement);
  if (key !== 'xt') return undefined;
  const { xt } = statement as { xt: unknown };
  const target = typeof xt === 'object' && xt !== null && 'name' in xt ? `${xt.name}` : '';
  return TRANSLATING_TARGETS.test(target) ? target : undefined;
}

const mangle = z.object({
  mangle: z.object({
    key: z.object({ payload: z.object({ protocol: z.string().optional(), field: z.string().optional() }) }),
  }),
});

/** `ip daddr set`; undefined for marks, and for what is written beside the packet or into its options. */
function writing(statement: unknown): string | undefined {
  const written = mangle.safeParse(statement);
  if (!written.success) return undefined;
  const { protocol = 'raw', field = 'bytes' } = written.data.mangle.key.payload;
  return MARKS.has(field) ? undefined : `${protocol} ${field} set`;
}
