import { join } from 'node:path';
import { ADDRESSES, type BenchFolder, PORTS } from './lib/bench-folder.ts';
import { roundsAsked, runBench } from './lib/bench-run.ts';
import { startEdge } from './lib/edge-server.ts';
import { type KamailioKind, startKamailio } from './lib/kamailio-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { demandProgram } from './lib/pinned-process.ts';
import { keepReport, machine, median, ratio, table, versionOf, whole } from './lib/report.ts';
import { RUNTIME_SERVERS, startRuntimeServer } from './lib/runtime-servers.ts';
import type { SipFigures, SipRound } from './lib/sip-load-process.ts';

/*
 * SIP MESSAGE from TLS to TLS: the Access Edge beside Kamailio, in one run; beside one that does what an edge does, and
 * beside one that only relays. README.md says what the figures mean.
 */

const CONNECTIONS = [1, 4, 16] as const;
/** MESSAGEs under way at saturation, however many connections they are spread over. */
const UNDER_WAY = [64, 256] as const;
/** What is wanted of the edge beside Kamailio at its best setting. */
const FLOOR = 2;
/** MESSAGEs a second of the latency rounds: one that any of them takes lightly, and half of what a Kamailio that is an edge can do. */
const RATES = [1_000, 12_000] as const;
const RATE_ROUNDS = 3;
/** Messages after which code is compiled as it stays, and how many rounds that may take. */
const WARM_MESSAGES = 60_000;
const WARM_ROUNDS = 6;

/** Who plays: the edge, and Kamailio by its duty, with so many TCP workers; it is judged by the best of those. */
const KAMAILIOS: Record<'edge' | 'relay' | 'untuned', readonly KamailioKind[]> = {
  edge: [1, 2].map((children) => ({ duty: 'edge', allocator: 'tlsf', children })),
  relay: [1, 2].map((children) => ({ duty: 'relay', allocator: 'tlsf', children })),
  /** With the allocator that it has when nobody chooses one, and one worker, the best number for it. */
  untuned: [{ duty: 'relay', allocator: 'qm', children: 1 }],
};
type Peer = keyof typeof KAMAILIOS;
/** Of the runtime: ours, and a server that only hands on, which shows what ours can be at most. */
type Own = 'sallyport' | 'handing';
const PEERS = Object.keys(KAMAILIOS) as Peer[];

interface Target {
  readonly name: string;
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  readonly kind: Own | Peer;
}
interface Played {
  readonly target: Target;
  readonly figures: SipFigures[];
}
/** The servers of the runtime, and of each peer the setting that did best. */
type Compared = Record<Own | Peer, Played>;
interface Saturated extends Compared {
  readonly connections: number;
  readonly underWay: number;
}
interface Paced {
  readonly connections: number;
  readonly rate: number;
  readonly played: readonly Played[];
}

type Load = LoadProcess<SipRound, SipFigures>;

await runBench(async (folder) => {
  demandProgram('kamailio', 'kamailio kamailio-tls-modules kamailio-outbound-modules');
  const rounds = roundsAsked(3);
  const load: Load = await LoadProcess.start(join(import.meta.dirname, 'lib/sip-load-process.ts'), [
    folder.path,
  ]);
  const targets = await startProxies(folder);
  for (const target of targets) await warm(load, target);
  const saturated: Saturated[] = [];
  const paced: Paced[] = [];
  for (const connections of CONNECTIONS) {
    let best: Compared | undefined;
    for (const underWay of UNDER_WAY) {
      best = await saturate(load, targets, { connections, underWay, rounds });
      saturated.push({ connections, underWay, ...best });
    }
    if (best === undefined) continue;
    const { sallyport, edge, relay } = best;
    for (const rate of RATES) {
      const played = await pace(load, [sallyport.target, edge.target, relay.target], { connections, rate });
      paced.push({ connections, rate, played });
    }
  }
  keepReport('sip-message', report(saturated, paced, rounds));
});

async function startProxies(folder: BenchFolder): Promise<Target[]> {
  const edge = await startEdge(folder);
  const targets: Target[] = [
    { name: 'Access Edge', pid: edge.pid, host: ADDRESSES.external, port: PORTS.sip, kind: 'sallyport' },
  ];
  for (const peer of PEERS)
    for (const kind of KAMAILIOS[peer]) {
      const { process, port } = await startKamailio(folder, kind);
      const name = `Kamailio, ${peer}, ${kind.children}`;
      targets.push({ name, pid: process.pid, host: ADDRESSES.peerServer, port, kind: peer });
    }
  const handing = await startRuntimeServer(folder, 'handing');
  const { host, port } = handing;
  targets.push({
    name: RUNTIME_SERVERS.handing.title,
    pid: handing.process.pid,
    host,
    port,
    kind: 'handing',
  });
  return targets;
}

/** A server that has run for a while is what is compared; the runtime compiles code while it runs. */
async function warm(load: Load, target: Target): Promise<void> {
  const most = target.kind === 'sallyport' || target.kind === 'handing' ? WARM_ROUNDS : 1;
  for (let round = 0, messages = 0; round < most && messages < WARM_MESSAGES; round++) {
    const figures = await play(load, target, { connections: 4, warmMs: 0, ms: 1_500, underWay: 64 });
    messages += figures.completed;
  }
}

async function play(load: Load, target: Target, round: Omit<SipRound, 'proxy' | 'pid'>): Promise<SipFigures> {
  const { name, host, port, pid } = target;
  const figures = await load.play({ ...round, proxy: { host, port }, pid });
  const asked = round.rate === undefined ? `${round.underWay} under way` : `${whole(round.rate)}/s`;
  process.stdout.write(
    `${round.connections} connections, ${asked}, ${name}: ${whole(perProcessorSecond(figures))} messages a CPU-second, ` +
      `${whole(figures.completed / figures.seconds)}/s, p99 ${figures.p99.toFixed(2)} ms, failed ${figures.failed}\n`,
  );
  return figures;
}

async function saturate(
  load: Load,
  targets: readonly Target[],
  { connections, underWay, rounds }: { connections: number; underWay: number; rounds: number },
): Promise<Compared> {
  const all: Played[] = targets.map((target) => ({ target, figures: [] }));
  for (let round = 0; round < rounds; round++)
    for (const { target, figures } of all)
      figures.push(await play(load, target, { connections, warmMs: 300, ms: 1_300, underWay }));
  const best = (kind: Own | Peer): Played =>
    all
      .filter(({ target }) => target.kind === kind)
      .reduce((one, other) => (efficiency(other) > efficiency(one) ? other : one));
  return {
    sallyport: best('sallyport'),
    handing: best('handing'),
    edge: best('edge'),
    relay: best('relay'),
    untuned: best('untuned'),
  };
}

async function pace(
  load: Load,
  targets: readonly Target[],
  { connections, rate }: { connections: number; rate: number },
): Promise<Played[]> {
  const all: Played[] = targets.map((target) => ({ target, figures: [] }));
  for (let round = 0; round < RATE_ROUNDS; round++)
    for (const { target, figures } of all)
      figures.push(await play(load, target, { connections, warmMs: 300, ms: 2_000, underWay: 0, rate }));
  return all;
}

function perProcessorSecond({ completed, processorSeconds }: SipFigures): number {
  return completed / processorSeconds;
}
function efficiency({ figures }: Played): number {
  return median(figures.map(perProcessorSecond));
}
function times({ figures }: Played): string {
  const middle = (key: 'p50' | 'p99') => median(figures.map((round) => round[key])).toFixed(2);
  return `${middle('p50')} / ${middle('p99')}`;
}
function versus(ours: Played, theirs: Played): { middle: number; text: string } {
  return ratio(ours.figures.map(perProcessorSecond), theirs.figures.map(perProcessorSecond));
}

function report(saturated: readonly Saturated[], paced: readonly Paced[], rounds: number): string {
  const kamailio = versionOf('kamailio', ['-v'], /kamailio [\d.]+/);
  const tls = saturated[0]?.sallyport.figures[0]?.tls ?? '';
  const failed = saturated
    .flatMap((one) => [one.sallyport, one.edge, one.relay, one.untuned])
    .map(({ figures }) => figures.reduce((sum, round) => sum + round.failed, 0));
  return `# SIP MESSAGE, TLS to TLS: Access Edge beside Kamailio

${new Date().toISOString()}. \`sallyport edge\` with its processes on Node ${process.versions.node}, ${kamailio}
(tm, t_relay; allocator tlsf, best of 1 and 2 TCP workers). ${tls} on every connection, the same certificates.
${machine()}

Medians of ${rounds} alternating rounds; in brackets least and greatest of the rounds. The last column is the ratio of a server of the
same runtime that only hands on (\`lib/handing-on-server.ts\`): nothing is checked, written anew or kept.
A message is one MESSAGE that came back to its client with 200: two messages in and two out at the proxy. Of all that were sent,
${failed.reduce((sum, one) => sum + one, 0)} failed.

**Beside a Kamailio that does what an edge does** (\`lib/kamailio-server.ts\`):

${comparison(saturated, 'edge')}

${verdict(saturated, 'edge')}

**Beside a Kamailio that only relays**, which the edge does not:

${comparison(saturated, 'relay')}

${verdict(saturated, 'relay')} With the allocator that such a one has
when nobody chooses one: ${least(saturated, 'untuned').toFixed(2)} or more.

**At an equal rate**, ${RATE_ROUNDS} rounds each; p50 / p99 in ms and, in brackets, µs of processor time a message:

${latencies(paced)}
`;
}

function least(saturated: readonly Saturated[], peer: Peer): number {
  return Math.min(...saturated.map((one) => efficiency(one.sallyport) / efficiency(one[peer])));
}
function verdict(saturated: readonly Saturated[], peer: Peer): string {
  const lowest = least(saturated, peer);
  const p99 = ({ figures }: Played) => median(figures.map((round) => round.p99));
  const slower = saturated.filter((one) => p99(one.sallyport) > p99(one[peer])).length;
  return (
    `Lowest ratio ${lowest.toFixed(2)}, floor ${FLOOR}: ${lowest >= FLOOR ? 'met' : '**missed**'}. ` +
    `p99 worse in ${slower} of ${saturated.length} rows.`
  );
}

function comparison(saturated: readonly Saturated[], peer: Peer): string {
  return table(
    [
      'connections',
      'under way',
      'Edge: messages a CPU-second',
      'Kamailio: messages a CPU-second',
      'ratio',
      'Edge: p50 / p99 ms',
      'Kamailio: p50 / p99 ms',
      'workers',
      'only handing on',
    ],
    saturated.map(({ connections, underWay, sallyport, handing, [peer]: other }) => [
      String(connections),
      String(underWay),
      whole(efficiency(sallyport)),
      whole(efficiency(other)),
      versus(sallyport, other).text,
      times(sallyport),
      times(other),
      other.target.name.replace(/\D/g, ''),
      versus(handing, other).middle.toFixed(2),
    ]),
  );
}

function latencies(paced: readonly Paced[]): string {
  return table(
    ['messages/s', 'connections', 'Edge', 'Kamailio as an edge', 'Kamailio as a relay'],
    [...paced]
      .sort((one, other) => one.rate - other.rate)
      .map(({ rate, connections, played }) => [
        whole(rate),
        String(connections),
        ...played.map((one) => `${times(one)} (${whole(1e6 / efficiency(one))})`),
      ]),
  );
}
