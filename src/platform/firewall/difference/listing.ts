import { z } from 'zod';
import { err, ok, type Result } from '#kernel';

/** One rule as the kernel has it. */
export interface LoadedRule {
  readonly handle: number;
  readonly comment: string | undefined;
  /** Its statements in the JSON of nft, without what counters have counted. */
  readonly statements: readonly unknown[];
}

export interface LoadedChain {
  readonly name: string;
  /** Such as `filter input 0 drop`; undefined for a chain that no hook calls. */
  readonly base: string | undefined;
  readonly policy: string | undefined;
  readonly rules: readonly LoadedRule[];
}

export interface LoadedTable {
  readonly family: string;
  readonly name: string;
  readonly chains: readonly LoadedChain[];
}

const entry = z.object({
  table: z.object({ family: z.string(), name: z.string() }).optional(),
  chain: z
    .object({
      family: z.string(),
      table: z.string(),
      name: z.string(),
      type: z.string().optional(),
      hook: z.string().optional(),
      prio: z.number().optional(),
      policy: z.string().optional(),
    })
    .optional(),
  rule: z
    .object({
      family: z.string(),
      table: z.string(),
      chain: z.string(),
      handle: z.number(),
      comment: z.string().optional(),
      expr: z.array(z.unknown()),
    })
    .optional(),
});
const listing = z.object({ nftables: z.array(entry) });
type Entry = z.output<typeof entry>;

/** Reads what `nft -j list ruleset` prints (libnftables-json(5)). The error says what is wrong with it. */
export function parseListing(text: string): Result<LoadedTable[], string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err('nft -j list ruleset did not print JSON');
  }
  const parsed = listing.safeParse(json);
  if (!parsed.success)
    return err(`nft -j list ruleset printed JSON of another shape: ${z.prettifyError(parsed.error)}`);
  return ok(tablesOf(parsed.data.nftables));
}

function tablesOf(entries: readonly Entry[]): LoadedTable[] {
  const rules = Map.groupBy(
    entries.flatMap(({ rule }) => (rule === undefined ? [] : [rule])),
    ({ family, table, chain }) => JSON.stringify([family, table, chain]),
  );
  const chains = Map.groupBy(
    entries.flatMap(({ chain }) => (chain === undefined ? [] : [chain])),
    ({ family, table }) => JSON.stringify([family, table]),
  );
  return entries.flatMap(({ table }) => {
    if (table === undefined) return [];
    const { family, name } = table;
    return [
      {
        family,
        name,
        chains: (chains.get(JSON.stringify([family, name])) ?? []).map((chain) => ({
          name: chain.name,
          base: chain.hook && `${chain.type} ${chain.hook} ${chain.prio}`,
          policy: chain.policy,
          rules: (rules.get(JSON.stringify([family, name, chain.name])) ?? []).map((rule) => ({
            handle: rule.handle,
            comment: rule.comment,
            statements: rule.expr.map(withoutCounts),
          })),
        })),
      },
    ];
  });
}

/** An anonymous counter carries its numbers, a named one only its name. */
function withoutCounts(statement: unknown): unknown {
  const counter = typeof statement === 'object' && statement !== null && 'counter' in statement;
  return counter && typeof statement.counter !== 'string' ? { counter: null } : statement;
}
