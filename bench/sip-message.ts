import { join } from 'node:path';
import { ADDRESSES, type BenchFolder, PORTS } from './lib/bench-folder.ts';
import { roundsAsked, runBench } from './lib/bench-run.ts';
import { startEdge } from './lib/edge-server.ts';
import { type Allocator, startKamailio } from './lib/kamailio-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { demandProgram } from './lib/pinned-process.ts';
import { keepReport, machine, median, ratio, table, versionOf, whole } from './lib/report.ts';
import type { SipFigures, SipRound } from './lib/sip-load-process.ts';

/*
 * SIP MESSAGE from TLS to TLS: the Access Edge beside Kamailio as a stateful proxy, in one run. README.md says what
 * the figures mean.
 */

const CONNECTIONS = [1, 4, 16] as const;
/** Kamailio's TCP workers; its best counts, for each number of connections by itself. */
const WORKERS = [1, 2, 4] as const;
/** MESSAGEs under way at saturation, however many connections they are spread over. */
const UNDER_WAY = 64;
/** What is wanted of the edge beside Kamailio at its best setting. */
const FLOOR = 2;
/** MESSAGEs a second of the latency rounds: well within what either can do. */
const RATE = 1_000;
const RATE_ROUNDS = 2;
/** Messages after which code is compiled as it stays, and how many rounds that may take. */
const WARM_MESSAGES = 60_000;
const WARM_ROUNDS = 6;

interface Target {
  readonly name: string;
  readonly pid: number;
  readonly host: string;
  readonly port: number;
}
interface Proxies {
  readonly edge: Target;
  /** Tuned, by number of workers. */
  readonly kamailios: readonly Target[];
  /** Kamailio with the allocator that it has when nobody chooses one, and one worker, the best number for it. */
  readonly standard: Target;
}
interface Played {
  readonly target: Target;
  readonly figures: SipFigures[];
}
interface Comparison {
  readonly connections: number;
  readonly edge: Played;
  readonly kamailio: Played;
  readonly standard: Played;
  readonly edgePaced: SipFigures[];
  readonly kamailioPaced: SipFigures[];
}

type Load = LoadProcess<SipRound, SipFigures>;

await runBench(async (folder) => {
  demandProgram('kamailio', 'kamailio kamailio-tls-modules');
  const rounds = roundsAsked(3);
  const load: Load = await LoadProcess.start(join(import.meta.dirname, 'lib/sip-load-process.ts'), [
    folder.path,
  ]);
  const proxies = await startProxies(folder);
  for (const target of [proxies.edge, ...proxies.kamailios, proxies.standard]) await warm(load, target);
  const comparisons: Comparison[] = [];
  for (const connections of CONNECTIONS) {
    comparisons.push(await compare(load, proxies, { connections, rounds }));
  }
  keepReport('sip-message', report(comparisons, rounds));
});

async function startProxies(folder: BenchFolder): Promise<Proxies> {
  const edge = await startEdge(folder);
  const kamailios: Target[] = [];
  const start = async (workers: number, allocator: Allocator): Promise<Target> => {
    const { process, port } = await startKamailio(folder, workers, allocator);
    const name = `Kamailio, ${workers}${allocator === 'qm' ? ', its standard allocator' : ''}`;
    return { name, pid: process.pid, host: ADDRESSES.peerServer, port };
  };
  for (const workers of WORKERS) kamailios.push(await start(workers, 'tlsf'));
  return {
    edge: { name: 'Access Edge', pid: edge.pid, host: ADDRESSES.external, port: PORTS.sip },
    kamailios,
    standard: await start(1, 'qm'),
  };
}

/** A server that has run for a while is what is compared; ours compiles its code while it runs. */
async function warm(load: Load, target: Target): Promise<void> {
  const most = target.name.startsWith('Kamailio') ? 1 : WARM_ROUNDS;
  for (let round = 0, messages = 0; round < most && messages < WARM_MESSAGES; round++) {
    const figures = await play(load, target, { connections: 4, warmMs: 0, ms: 1_500, underWay: UNDER_WAY });
    messages += figures.completed;
  }
}

function play(load: Load, target: Target, round: Omit<SipRound, 'proxy' | 'pid'>): Promise<SipFigures> {
  const { host, port, pid } = target;
  return load.play({ ...round, proxy: { host, port }, pid });
}

async function compare(
  load: Load,
  { edge, kamailios, standard }: Proxies,
  { connections, rounds }: { connections: number; rounds: number },
): Promise<Comparison> {
  const all: Played[] = [edge, ...kamailios, standard].map((target) => ({ target, figures: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const { target, figures } of all) {
      const got = await play(load, target, { connections, warmMs: 300, ms: 1_600, underWay: UNDER_WAY });
      figures.push(got);
      tell(connections, target, got);
    }
  }
  const [first, ...others] = all as [Played, Played, Played];
  const untuned = others.pop() as Played;
  const best = others.reduce((one, other) => (efficiency(other) > efficiency(one) ? other : one));
  const edgePaced: SipFigures[] = [];
  const kamailioPaced: SipFigures[] = [];
  for (let round = 0; round < RATE_ROUNDS; round++) {
    const paced = { connections, warmMs: 300, ms: 1_600, underWay: 0, rate: RATE };
    edgePaced.push(await play(load, edge, paced));
    kamailioPaced.push(await play(load, best.target, paced));
  }
  return { connections, edge: first, kamailio: best, standard: untuned, edgePaced, kamailioPaced };
}

function perProcessorSecond({ completed, processorSeconds }: SipFigures): number {
  return completed / processorSeconds;
}
function efficiency({ figures }: Played): number {
  return median(figures.map(perProcessorSecond));
}
function tell(connections: number, target: Target, figures: SipFigures): void {
  process.stdout.write(
    `${connections} connections, ${target.name}: ${whole(perProcessorSecond(figures))} messages a CPU-second, ` +
      `${whole(figures.completed / figures.seconds)}/s, failed ${figures.failed}\n`,
  );
}

function report(comparisons: readonly Comparison[], rounds: number): string {
  const kamailio = versionOf('kamailio', ['-v'], /kamailio [\d.]+/);
  const tls = comparisons[0]?.edge.figures[0]?.tls ?? '';
  const least = (other: 'kamailio' | 'standard') =>
    Math.min(...comparisons.map((one) => efficiency(one.edge) / efficiency(one[other])));
  const [worst, worstStandard] = [least('kamailio'), least('standard')];
  const verdict = (value: number) => (value >= FLOOR ? 'met' : '**missed**');
  return `# SIP MESSAGE, TLS to TLS: Access Edge beside Kamailio

${new Date().toISOString()}. \`sallyport edge\` with its processes on Node ${process.versions.node}, ${kamailio}
(tm, t_relay; allocator tlsf, best of ${WORKERS.join(', ')} TCP workers). ${tls} on every connection, the same certificates.
${machine()}

Medians of ${rounds} alternating rounds, with ${UNDER_WAY} messages under way; in brackets least and greatest of the rounds.
A message is one MESSAGE that came back to its client with 200: two messages in and two out at the proxy.

${saturated(comparisons)}

Lowest ratio ${worst.toFixed(2)}, to Kamailio with its standard allocator ${worstStandard.toFixed(2)}; floor ${FLOOR}:
${verdict(worst)} against the tuned one, ${verdict(worstStandard)} against the standard one.

At an equal ${whole(RATE)} messages a second (${RATE_ROUNDS} rounds each):

${paced(comparisons)}
`;
}

function saturated(comparisons: readonly Comparison[]): string {
  const rate = (figures: readonly SipFigures[]) =>
    whole(median(figures.map((round) => round.completed / round.seconds)));
  return table(
    [
      'connections',
      'Kamailio: workers',
      'Edge: messages a CPU-second',
      'Kamailio: messages a CPU-second',
      'ratio',
      'ratio to Kamailio with its standard allocator',
      'Edge: messages/s',
      'Kamailio: messages/s',
      'failed',
    ],
    comparisons.map(({ connections, edge, kamailio, standard }) => [
      String(connections),
      kamailio.target.name.replace(/\D/g, ''),
      whole(efficiency(edge)),
      whole(efficiency(kamailio)),
      ratio(edge.figures.map(perProcessorSecond), kamailio.figures.map(perProcessorSecond)).text,
      ratio(edge.figures.map(perProcessorSecond), standard.figures.map(perProcessorSecond)).text,
      rate(edge.figures),
      rate(kamailio.figures),
      [edge, kamailio].map(({ figures }) => figures.reduce((sum, { failed }) => sum + failed, 0)).join(' / '),
    ]),
  );
}

function paced(comparisons: readonly Comparison[]): string {
  const ms = (figures: readonly SipFigures[], key: 'p50' | 'p99') =>
    median(figures.map((round) => round[key])).toFixed(2);
  const cost = (figures: readonly SipFigures[]) => whole(1e6 / median(figures.map(perProcessorSecond)));
  return table(
    [
      'connections',
      'Edge: p50 / p99 ms',
      'Kamailio: p50 / p99 ms',
      'Edge: CPU µs a message',
      'Kamailio: CPU µs a message',
      'ratio of messages a CPU-second',
    ],
    comparisons.map(({ connections, edgePaced, kamailioPaced }) => [
      String(connections),
      `${ms(edgePaced, 'p50')} / ${ms(edgePaced, 'p99')}`,
      `${ms(kamailioPaced, 'p50')} / ${ms(kamailioPaced, 'p99')}`,
      cost(edgePaced),
      cost(kamailioPaced),
      ratio(edgePaced.map(perProcessorSecond), kamailioPaced.map(perProcessorSecond)).text,
    ]),
  );
}
