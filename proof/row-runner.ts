import type { PlannedRow } from '#platform/topology';
import { type EdgeName, edgeNames } from './network/addresses.ts';
import type { RuleCount } from './observe/rule-counters.ts';
import type { RowResult } from './report.ts';
import type { Evidence, Passage, RowProof } from './rows/row.ts';

/** What the rules of a host have counted, by row. */
export type Counts = ReadonlyMap<string, readonly RuleCount[]>;

export interface RowRunnerOptions<Stage> {
  readonly stage: Stage;
  readonly proofs: ReadonlyMap<string, RowProof<Stage>>;
  /** What the rules of this host have counted until now. */
  readonly countsOf: (host: RuledHost) => Promise<Counts>;
}

/** The hosts that have generated rules. */
export type RuledHost = EdgeName | NonNullable<Passage['firewall']>;
const ruledHosts: readonly RuledHost[] = ['externalFirewall', 'internalFirewall', ...edgeNames];

type AllCounts = ReadonlyMap<RuledHost, Counts>;

/** Proves one row after the other and judges the evidence. */
export class RowRunner<Stage> {
  readonly #options: RowRunnerOptions<Stage>;
  readonly #results = new Map<string, RowResult>();
  readonly #passages = new Map<string, Passage>();

  constructor(options: RowRunnerOptions<Stage>) {
    this.#options = options;
  }

  /** Rows come in the order of the tables: one that repeats another comes after it. */
  async prove(row: PlannedRow): Promise<RowResult> {
    const result = await this.#judge(row);
    this.#results.set(row.id, result);
    return result;
  }

  async #judge(row: PlannedRow): Promise<RowResult> {
    const proof = this.#options.proofs.get(row.id);
    if (!row.on) return plain(row, 'off', `asked for by ${row.feature.settings.join(' or ')}`);
    if (proof === undefined) return plain(row, 'failed', `there is no flow: write proof/rows/${row.id}.ts`);
    if ('run' in proof) return this.#run(row, proof.run);
    return this.#same(row, proof.sameFlowAs);
  }

  async #run(row: PlannedRow, run: (stage: Stage) => Promise<Evidence>): Promise<RowResult> {
    const before = await this.#counts();
    try {
      const evidence = await run(this.#options.stage);
      this.#passages.set(row.id, evidence.passage);
      const after = await this.#counts();
      const still = hostsOf(evidence.passage).filter((host) => {
        const base = evidence.connection === 'new' ? packets(before.get(host), row.id) : 0;
        return packets(after.get(host), row.id) <= base;
      });
      const counters = shown(row.id, evidence.passage, after);
      if (still.length === 0) return { id: row.id, outcome: 'proven', evidence: evidence.seen, counters };
      const names = still.join(', ');
      const why = `its flow worked, but no rule that carries ${row.id} counted it on ${names}`;
      return { id: row.id, outcome: 'failed', evidence: why, counters };
    } catch (problem) {
      return plain(row, 'failed', problem instanceof Error ? problem.message : String(problem));
    }
  }

  /** Proven with the other row if the rule that took its flow names this one as well. */
  async #same(row: PlannedRow, original: string): Promise<RowResult> {
    if (row.sameAs !== original) return plain(row, 'failed', `the plan says that it repeats ${row.sameAs}`);
    const known = this.#results.get(original);
    if (known === undefined || known.outcome !== 'proven')
      return plain(
        row,
        known?.outcome ?? 'failed',
        `the same flow as ${original}: ${known?.evidence ?? 'not run'}`,
      );
    const passage = this.#passages.get(original);
    if (passage === undefined) return plain(row, 'failed', `${original} passed nowhere`);
    const counts = await this.#counts();
    const without = hostsOf(passage).filter((host) => packets(counts.get(host), row.id) === 0);
    const counters = shown(row.id, passage, counts);
    if (without.length === 0)
      return { id: row.id, outcome: 'proven', evidence: `the same flow as ${original}`, counters };
    const names = without.join(', ');
    return {
      id: row.id,
      outcome: 'failed',
      evidence: `no rule that carries ${row.id} counted on ${names}`,
      counters,
    };
  }

  async #counts(): Promise<AllCounts> {
    const { countsOf } = this.#options;
    return new Map(await Promise.all(ruledHosts.map(async (host) => [host, await countsOf(host)] as const)));
  }
}

/** The hosts whose rules a flow has to have passed. */
function hostsOf({ firewall, edges }: Passage): RuledHost[] {
  return [...(firewall === undefined ? [] : [firewall]), ...edges];
}

function shown(id: string, passage: Passage, counts: AllCounts): RowResult['counters'] {
  return Object.fromEntries(hostsOf(passage).map((host) => [host, counts.get(host)?.get(id) ?? []]));
}

function plain({ id }: PlannedRow, outcome: RowResult['outcome'], evidence: string): RowResult {
  return { id, outcome, evidence, counters: {} };
}

function packets(counts: Counts | undefined, id: string): number {
  return (counts?.get(id) ?? []).reduce((sum, { packets: count }) => sum + count, 0);
}
