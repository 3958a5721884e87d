import { portPlan } from '#platform/topology';
import type { NegativeCheck } from './negative/finding.ts';
import { insideChecks, outsideChecks } from './negative/inbound.ts';
import { experiments, perform } from './negative/injected.ts';
import { inwardChecks, outwardChecks } from './negative/outbound.ts';
import { profileChecks } from './negative/profiles.ts';
import {
  listeningSockets,
  noWayOut,
  onlyTheNextHop,
  peersRefused,
  unprivileged,
} from './negative/standing.ts';
import { outsideNetworks } from './network/addresses.ts';
import { Observer } from './observe/observer.ts';
import { rowCounts } from './observe/rule-counters.ts';
import { allProfiles } from './programs/documents.ts';
import { Perimeter } from './programs/perimeter.ts';
import { type CheckResult, checkLine, type Report, type RowResult, rowLine } from './report.ts';
import { RowRunner } from './row-runner.ts';
import { rowProofs } from './rows/index.ts';

export interface ProofOptions {
  /** Only these rows, and no negative; all when empty. */
  readonly only: readonly string[];
  /** In which every edge relays media, `host.workers.av`. */
  readonly relayThreads: number;
  readonly say: (line: string) => void;
  /** Where the logs of the programs are left. */
  readonly logs: string;
}

/** Builds the perimeter, proves, and takes it down again, whatever happens. */
export async function prove(options: ProofOptions): Promise<Report> {
  const started = performance.now();
  const perimeter = await Perimeter.build(options.relayThreads);
  try {
    await perimeter.protect();
    const { say } = options;
    say(`perimeter built in ${seconds(started).toFixed(1)} s, the generated rules are loaded`);
    const whole = await Observer.on(perimeter.host('internalFirewall'), [
      { point: 'forwarded', newFlows: true, what: 'ports' },
    ]);
    const negative = new CheckList(perimeter, say);
    await perimeter.start();
    say(`two edges and the next hop are up after ${seconds(started).toFixed(1)} s\n`);
    const all = options.only.length === 0;
    if (all) await negative.run([noWayOut, listeningSockets, unprivileged, peersRefused]);
    await perimeter.vary({ allowed: outsideNetworks });
    say('\nRows');
    const rows = await proveRows(perimeter, options);
    if (!all) return reportOf(rows, [], [], started);
    say('\nNothing else');
    await negative.run(outsideChecks, insideChecks);
    await negative.run(inwardChecks, outwardChecks);
    await negative.run([onlyTheNextHop(whole), listeningSockets]);
    say('\nOther media profiles');
    for (const { profiles, checks } of profileChecks) {
      await perimeter.vary({ profiles });
      await perimeter.protect();
      await negative.run(checks);
    }
    await perimeter.vary({ profiles: allProfiles });
    await perimeter.protect();
    say('\nFaults put in on purpose');
    const trials = new CheckList(perimeter, say);
    await trials.run(
      experiments.map((experiment) => ({
        name: `found: ${experiment.name}`,
        run: () => perform(perimeter, experiment),
      })),
    );
    return reportOf(rows, negative.results, trials.results, started);
  } finally {
    await perimeter.stop(options.logs);
  }
}

async function proveRows(perimeter: Perimeter, { only, say }: ProofOptions): Promise<RowResult[]> {
  const proofs = await rowProofs();
  const runner = new RowRunner({
    stage: perimeter,
    proofs,
    countsOf: (host) => rowCounts(perimeter.host(host)),
  });
  const plan = portPlan(perimeter.document('edge1')).rows;
  const strays = [...proofs.keys()].filter((id) => plan.every((row) => row.id !== id));
  if (strays.length > 0)
    throw new Error(`proof/rows has files of rows that do not exist: ${strays.join(', ')}`);
  const results: RowResult[] = [];
  for (const row of plan) {
    if (only.length > 0 && !only.includes(row.id)) continue;
    const result = await runner.prove(row);
    results.push(result);
    say(rowLine(result));
  }
  return results;
}

/** Runs checks and keeps their results, said as they end. */
class CheckList {
  readonly results: CheckResult[] = [];
  readonly #perimeter: Perimeter;
  readonly #say: (line: string) => void;

  constructor(perimeter: Perimeter, say: (line: string) => void) {
    this.#perimeter = perimeter;
    this.#say = say;
  }

  /** The checks of a list one after the other, the lists side by side; results in the order of the lists. */
  async run(...lists: readonly (readonly NegativeCheck[])[]): Promise<void> {
    const results = await Promise.all(lists.map((list) => this.#runList(list)));
    this.results.push(...results.flat());
  }

  async #runList(list: readonly NegativeCheck[]): Promise<CheckResult[]> {
    const results: CheckResult[] = [];
    for (const check of list) {
      const started = performance.now();
      const findings = await check.run(this.#perimeter).catch((problem: Error) => [problem.message]);
      const result = { name: check.name, ok: findings.length === 0, findings, seconds: seconds(started) };
      results.push(result);
      this.#say(checkLine(result));
    }
    return results;
  }
}

function reportOf(
  rows: readonly RowResult[],
  negative: readonly CheckResult[],
  trials: readonly CheckResult[],
  started: number,
): Report {
  const ok =
    rows.every(({ outcome }) => outcome !== 'failed') && [...negative, ...trials].every((one) => one.ok);
  return { ok, seconds: seconds(started), rows, negative, experiments: trials };
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 100) / 10;
}
