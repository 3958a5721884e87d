import { join } from 'node:path';
import { ADDRESSES } from './lib/bench-folder.ts';
import { roundsAsked, runBench, threadsAsked } from './lib/bench-run.ts';
import { startCoturn } from './lib/coturn-server.ts';
import { startEdge } from './lib/edge-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { demandProgram } from './lib/pinned-process.ts';
import { keepReport, machine, median, ratio, table, versionOf, whole } from './lib/report.ts';
import type { TurnFigures, TurnRound } from './lib/turn-load-process.ts';

/* ChannelData over UDP: the A/V Edge beside coturn, in one run. README.md says what the figures mean. */

/** As many as one has in a quiet office, and in a large one. */
const FLOWS = [200, 2_000] as const;
/** Datagrams a second that all clients send together: 200 calls of 20 ms, whatever the number of flows. */
const RATE = 10_000;
/** G.711, 20 ms, as RTP: 160 octets and a header of 12. */
const PAYLOAD_BYTES = 172;

interface Case {
  readonly name: string;
  /** The ratio that the hot path's design is held to. */
  readonly floor?: number;
  readonly round: Pick<TurnRound, 'kind' | 'underWay' | 'flows'> & { readonly rate?: number };
}
const CASES: readonly Case[] = FLOWS.flatMap((flows): Case[] => [
  {
    name: `${flows} flows, ${RATE} datagrams/s each way, peer outside`,
    floor: 0.625,
    round: { kind: 'echo', underWay: 0, rate: RATE, flows },
  },
  {
    name: `${flows} flows, as fast as it goes, peer outside`,
    floor: 0.625,
    round: { kind: 'echo', underWay: 2, flows },
  },
  {
    name: `${flows} flows, as fast as it goes, relayed address to relayed address`,
    floor: 0.625,
    round: { kind: 'switched', underWay: 2, flows },
  },
]);

interface Target {
  readonly name: string;
  readonly pid: number;
  readonly server: string;
}
interface Comparison {
  readonly kind: Case;
  readonly edge: TurnFigures[];
  readonly coturn: TurnFigures[];
}

await runBench(async (folder) => {
  demandProgram('turnserver', 'coturn');
  const rounds = roundsAsked(4);
  const threads = threadsAsked();
  const script = join(import.meta.dirname, 'lib/turn-load-process.ts');
  const load = await LoadProcess.start<TurnRound, TurnFigures>(script, []);
  const edge = {
    name: 'A/V Edge',
    pid: (await startEdge(folder, { host: { workers: { av: threads } } })).pid,
    server: ADDRESSES.external,
  };
  const coturn = {
    name: 'coturn',
    pid: (await startCoturn(folder, threads)).pid,
    server: ADDRESSES.peerServer,
  };
  const play = async (target: Target, kind: Case, ms: number) => {
    const { pid, server } = target;
    const figures = await load.play({
      ...kind.round,
      payloadBytes: PAYLOAD_BYTES,
      pid,
      server,
      warmMs: 500,
      ms,
    });
    tell(kind, target, figures);
    return figures;
  };
  const comparisons: Comparison[] = CASES.map((kind) => ({ kind, edge: [], coturn: [] }));
  // A server that has run for a while is what is compared; ours compiles its code while it runs.
  for (const { kind } of comparisons.slice(1, 3)) await play(edge, kind, 2_000);
  for (let round = 0; round < rounds; round++) {
    for (const comparison of comparisons) {
      comparison.edge.push(await play(edge, comparison.kind, 2_000));
      comparison.coturn.push(await play(coturn, comparison.kind, 2_000));
    }
  }
  const name = threads === 1 ? 'turn-channel-data' : 'turn-channel-data-threads';
  keepReport(name, report(comparisons, rounds, threads));
});

function perProcessorSecond({ relayed, processorSeconds }: TurnFigures): number {
  return relayed / processorSeconds;
}
function tell(kind: Case, target: Target, figures: TurnFigures): void {
  process.stdout.write(
    `${kind.name}, ${target.name}: ${whole(perProcessorSecond(figures))} relayed a CPU-second, ` +
      `${whole(figures.relayed / figures.seconds)}/s\n`,
  );
}

function report(comparisons: readonly Comparison[], rounds: number, threads: number): string {
  const coturn = versionOf('turnserver', ['--version'], /\d+\.\d+\.\d+/);
  return `# ChannelData over UDP: A/V Edge beside coturn

${new Date().toISOString()}. \`sallyport edge\` with its processes on Node ${process.versions.node}, coturn ${coturn}
${threads === 1 ? 'with one relay thread' : `both with ${threads} relay threads`}. ${PAYLOAD_BYTES} octets of data a datagram.
${machine()}

Medians of ${rounds} alternating rounds; in brackets least and greatest of the rounds. A relayed datagram is one that came
out of the relay: at the peer, or at a client. The floor is what at most 1.6 times the processor time for a datagram means.

${table(
  [
    'case',
    'Edge: relayed a CPU-second',
    'coturn: relayed a CPU-second',
    'ratio',
    'floor',
    'Edge: relayed/s',
    'coturn: relayed/s',
    'lost, %',
  ],
  comparisons.map(row),
)}
`;
}

function row({ kind, edge, coturn }: Comparison): string[] {
  const efficiency = (figures: readonly TurnFigures[]) => figures.map(perProcessorSecond);
  const speed = (figures: readonly TurnFigures[]) =>
    whole(median(figures.map(({ relayed, seconds }) => relayed / seconds)));
  const lost = (figures: readonly TurnFigures[]) =>
    (
      (Math.max(0, median(figures.map(({ lost }) => lost))) / median(figures.map(({ sent }) => sent))) *
      100
    ).toFixed(1);
  const { middle, text } = ratio(efficiency(edge), efficiency(coturn));
  const { floor } = kind;
  return [
    kind.name,
    whole(median(efficiency(edge))),
    whole(median(efficiency(coturn))),
    text,
    floor === undefined ? '' : `${floor}: ${middle >= floor ? 'met' : '**missed**'}`,
    speed(edge),
    speed(coturn),
    `${lost(edge)} / ${lost(coturn)}`,
  ];
}
