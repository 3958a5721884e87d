import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AdministrationClient } from '#platform/service';
import { ADDRESSES, type BenchFolder, PORTS } from './lib/bench-folder.ts';
import { roundsAsked, runBench } from './lib/bench-run.ts';
import { startEdge, writeEdgeDocument } from './lib/edge-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { logEvent } from './lib/log-events.ts';
import { ingest, ingestBare, openLogStore } from './lib/log-stores.ts';
import { LOAD_CORE, SERVER_CORE } from './lib/pinned-process.ts';
import { ownProcessorSeconds } from './lib/processor-time.ts';
import { keepReport, machine, median, ratio, table, whole } from './lib/report.ts';
import type { SipFigures, SipRound } from './lib/sip-load-process.ts';

/*
 * What logging costs: taking events into the store beside a bare full-text insert of the same texts, and the Access Edge
 * with AlwaysOn beside itself without, in one run.
 */

const EVENTS = 40_000;
/** Messages a second of the paced rounds, and how long one is: an edge that is nearly idle, and a busy one. */
const RATES = [500, 2_000] as const;
const ROUND_MS = 3_000;
const FLOOR = 0.5;
const CEILING = 1.05;

interface Ingest {
  readonly ours: number[];
  readonly bare: number[];
}
/** Where the agent runs: beside the load, so that the core is the services' alone, or on the services' core as well. */
const PLACES = [
  { place: 'another', core: LOAD_CORE },
  { place: 'the same', core: SERVER_CORE },
] as const;

interface Costs {
  readonly rate: number;
  readonly place: string;
  /** Of the agent. */
  readonly core: number;
  readonly on: Cost[];
  readonly off: Cost[];
}
interface Cost {
  /** CPU microseconds of the access process for a message that was relayed. */
  readonly access: number;
  /** The same of the logging agent and of the supervisor. */
  readonly agent: number;
  readonly supervisor: number;
}

await runBench(async (folder) => {
  const rounds = roundsAsked(16);
  const stored = ingestRounds(folder, rounds);
  const load = await LoadProcess.start<SipRound, SipFigures>(
    join(import.meta.dirname, 'lib/sip-load-process.ts'),
    [folder.path],
  );
  const costs = await alwaysOnRounds(folder, load, rounds);
  keepReport('logging', report(stored, costs, rounds));
});

/** Events for each CPU-second of this process, alternating. */
function ingestRounds(folder: BenchFolder, rounds: number): Ingest {
  const events = Array.from({ length: EVENTS }, (_, at) => logEvent(at + 1));
  const perCpuSecond = (task: () => void): number => {
    const before = process.cpuUsage();
    task();
    const { user, system } = process.cpuUsage(before);
    return EVENTS / ((user + system) / 1e6);
  };
  const result: Ingest = { ours: [], bare: [] };
  // The first one of each is not counted.
  for (let round = 0; round <= rounds; round++) {
    const place = folder.file('store');
    rmSync(place, { recursive: true, force: true });
    const store = openLogStore(place);
    const ours = perCpuSecond(() => ingest(store, events));
    store.close();
    const bare = perCpuSecond(() => ingestBare(folder.file('bare.db'), events));
    if (round === 0) continue;
    result.ours.push(ours);
    result.bare.push(bare);
    process.stdout.write(`store ${whole(ours)}, bare ${whole(bare)} events a CPU-second\n`);
  }
  rmSync(folder.file('store'), { recursive: true, force: true });
  return result;
}

async function alwaysOnRounds(
  folder: BenchFolder,
  load: LoadProcess<SipRound, SipFigures>,
  rounds: number,
): Promise<Costs[]> {
  const policy = (alwaysOn: boolean) => ({
    features: { logging: true },
    logging: { alwaysOn, eventsPerSecond: 1_000_000 },
  });
  const edge = await startEdge(folder, { policy: policy(true) });
  const administration = new AdministrationClient(folder.file('edge.sock'));
  const costs = PLACES.flatMap((where) => RATES.map((rate): Costs => ({ rate, ...where, on: [], off: [] })));
  for (let round = 0; round <= rounds; round++) {
    // Whoever is first in one round is second in the next.
    for (const on of round % 2 === 0 ? [true, false] : [false, true]) {
      writeEdgeDocument(folder, { policy: policy(on) });
      await administration.call('reload', {});
      // What a reload leaves to do, and code that is compiled again after it, belongs to neither.
      await play(load, edge.pid, RATES[0], LOAD_CORE);
      for (const { rate, place, core, ...of } of costs) {
        const cost = await play(load, edge.pid, rate, core);
        if (round === 0) continue;
        of[on ? 'on' : 'off'].push(cost);
        process.stdout.write(
          `AlwaysOn ${on ? 'on' : 'off'}, ${whole(rate)}/s, agent on ${place} core: access ${whole(cost.access)}, agent ${whole(cost.agent)} CPU µs a message\n`,
        );
      }
    }
  }
  const status = await administration.call('call', { service: 'logging-agent', verb: 'status' });
  const { dropped, suppressed, unstored, events } = (status.ok ? status.value : {}) as Record<string, number>;
  const lost = [dropped, suppressed, unstored];
  if (lost.some((count) => count !== 0)) throw new Error(`events were lost: ${lost.join(', ')}`);
  process.stdout.write(`${whole(events ?? 0)} events stored, none lost\n`);
  return costs;
}

async function play(
  load: LoadProcess<SipRound, SipFigures>,
  supervisor: number,
  rate: number,
  agentCore: number,
): Promise<Cost> {
  const [access, agent] = ['edge/access', 'edge/logging-agent'].map((room) => childOf(supervisor, room));
  if (access === undefined || agent === undefined) throw new Error('a service is not running');
  const proxy = { host: ADDRESSES.external, port: PORTS.sip };
  execFileSync('taskset', ['-a', '-p', '-c', String(agentCore), String(agent)], { stdio: 'ignore' });
  const before = [agent, supervisor].map(ownProcessorSeconds);
  const figures = await load.play({
    proxy,
    pid: access,
    connections: 4,
    warmMs: 500,
    ms: ROUND_MS,
    underWay: 0,
    rate,
  });
  if (figures.failed > 0) throw new Error(`${figures.failed} messages failed`);
  const [ofAgent = 0, ofSupervisor = 0] = [agent, supervisor].map(
    (pid, at) => ownProcessorSeconds(pid) - (before[at] ?? 0),
  );
  const each = (seconds: number) => (seconds * 1e6) / figures.completed;
  return {
    access: each(figures.processorSeconds),
    agent: each(ofAgent),
    supervisor: each(ofSupervisor),
  };
}

function pidsBelow(pid: number): number[] {
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
  } catch {
    // It has none.
    return [];
  }
}
function childOf(pid: number, room: string): number | undefined {
  return pidsBelow(pid).find((child) =>
    execFileSync('ps', ['-o', 'args=', '-p', String(child)], { encoding: 'utf8' }).includes(`${room}/`),
  );
}

function report(stored: Ingest, costs: readonly Costs[], rounds: number): string {
  const taken = ratio(stored.ours, stored.bare);
  return `# Logging: the store beside a bare full-text insert, and AlwaysOn beside nothing

${new Date().toISOString()}. Node ${process.versions.node}. ${machine()}

Medians of ${rounds} alternating rounds; in brackets least and greatest of the rounds.

${table(
  ['', 'events a CPU-second'],
  [
    ['the logging agent’s store: event, time, words, keys', whole(median(stored.ours))],
    ['bare FTS5 insert of the texts', whole(median(stored.bare))],
    ['ratio', taken.text],
  ],
)}

Floor ${FLOOR}: ${taken.middle >= FLOOR ? 'met' : '**missed**'}.

SIP MESSAGEs through the Access Edge (four messages on the wire each), throttle off, no event lost. CPU µs a message:

${table(
  [
    'messages/s',
    'agent on',
    'Access Edge service, AlwaysOn',
    'without',
    `ratio, at most ${CEILING}`,
    'of the sums; median of neighbours',
    'logging agent, AlwaysOn',
    'supervisor, AlwaysOn',
    'without',
  ],
  costs.map(costRow),
)}

${together(costs)}
`;
}

/** One figure for all rows: rounds differ so much that a single row says less than the ceiling asks for. */
function together(costs: readonly Costs[]): string {
  const logs = costs.flatMap(({ on, off }) =>
    on.map(({ access }, round) => Math.log(access / (off[round]?.access ?? Number.NaN))),
  );
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (logs.length - 1);
  const middle = Math.exp(mean);
  const either = middle * 2 * Math.sqrt(variance / logs.length);
  const verdict = middle <= CEILING ? 'met' : '**missed**';
  return (
    `All rows together: **${middle.toFixed(3)}**, give or take ${either.toFixed(3)} (geometric mean of ${logs.length} ` +
    `pairs of neighbouring rounds, and twice its standard error); at most ${CEILING}: ${verdict}.`
  );
}

function costRow({ rate, place, on, off }: Costs): string[] {
  const [withIt, without] = [on, off].map((costs) => costs.map(({ access }) => access)) as [
    number[],
    number[],
  ];
  const more = ratio(withIt, without);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  // Rounds of one number are neighbours, and share what else the machine did.
  const neighbours = median(withIt.map((value, round) => value / (without[round] ?? Number.NaN)));
  const micros = (costs: readonly Cost[], key: keyof Cost) =>
    median(costs.map((cost) => cost[key])).toFixed(0);
  return [
    whole(rate),
    `${place} core`,
    micros(on, 'access'),
    micros(off, 'access'),
    `${more.text}: ${more.middle <= CEILING ? 'met' : '**missed**'}`,
    `${(sum(withIt) / sum(without)).toFixed(2)}; ${neighbours.toFixed(2)}`,
    micros(on, 'agent'),
    micros(on, 'supervisor'),
    micros(off, 'supervisor'),
  ];
}
