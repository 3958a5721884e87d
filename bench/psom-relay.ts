import { join } from 'node:path';
import { ADDRESSES } from './lib/bench-folder.ts';
import { roundsAsked, runBench } from './lib/bench-run.ts';
import { startEdge } from './lib/edge-server.ts';
import { HAPROXY, startHaproxy } from './lib/haproxy-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { demandProgram } from './lib/pinned-process.ts';
import type { PsomFigures, PsomRound } from './lib/psom-load-process.ts';
import { keepReport, machine, median, ratio, table, versionOf, whole } from './lib/report.ts';

/*
 * Bytes of participants of web conferences: the Web Conferencing Edge (TLS outside, streams of HTTP/2 over one TLS connection
 * inside) beside HAProxy (TLS to TLS, a connection for each), in one run. README.md says what the figures mean.
 */

const PARTICIPANTS = 50;
const FLOOR = 0.5;
const OUTSIDE = '127.0.6.7';
const KINDS = [
  { name: 'files, inward', direction: 'inward', pieceBytes: 32_768, underWay: 4 },
  { name: 'files, outward', direction: 'outward', pieceBytes: 32_768, underWay: 4 },
  { name: 'strokes, inward', direction: 'inward', pieceBytes: 200, underWay: 8 },
  { name: 'strokes, outward', direction: 'outward', pieceBytes: 200, underWay: 8 },
] as const;

type Target = Pick<PsomRound, 'server' | 'end' | 'pid'> & { readonly name: string };
type Load = LoadProcess<PsomRound, PsomFigures>;

await runBench(async (folder) => {
  demandProgram('haproxy', 'haproxy');
  const rounds = roundsAsked(3);
  const edge = await startEdge(folder, {
    host: {
      addresses: { access: [ADDRESSES.external], webConferencing: [OUTSIDE], internal: [ADDRESSES.internal] },
    },
    policy: {
      // AlwaysOn runs: what passes is followed.
      features: { webConferencing: true, logging: true },
      webConferencing: { limits: { bytesPerSecond: 1_073_741_824, bytesWaiting: 8_388_608 } },
    },
  });
  const haproxy = await startHaproxy(folder);
  const load: Load = await LoadProcess.start(join(import.meta.dirname, 'lib/psom-load-process.ts'), [
    folder.path,
  ]);
  const ours: Target = { name: 'edge', pid: edge.pid, server: { host: OUTSIDE, port: 443 }, end: 'link' };
  const theirs: Target = {
    name: 'HAProxy',
    pid: haproxy.pid,
    server: { host: ADDRESSES.peerServer, port: HAPROXY.port },
    end: 'server',
  };
  for (const kind of [KINDS[0], KINDS[1]]) await play(load, ours, kind);
  const compared = [];
  for (const kind of KINDS) {
    const figures: [PsomFigures[], PsomFigures[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      for (const [index, target] of [ours, theirs].entries())
        figures[index]?.push(await play(load, target, kind));
    }
    compared.push({ name: kind.name, ours: figures[0], theirs: figures[1] });
  }
  keepReport('psom-relay', report(compared, rounds));
});

async function play(load: Load, target: Target, kind: (typeof KINDS)[number]): Promise<PsomFigures> {
  const { name, ...at } = target;
  const { name: what, ...how } = kind;
  const figures = await load.play({ ...at, ...how, participants: PARTICIPANTS, warmMs: 500, ms: 3000 });
  const per = (perProcessorSecond(figures) / 1e6).toFixed(1);
  process.stdout.write(`${what}, ${name}: ${per} MB a CPU-second\n`);
  return figures;
}

function perProcessorSecond({ bytes, processorSeconds }: PsomFigures): number {
  return bytes / processorSeconds;
}

interface Compared {
  readonly name: string;
  readonly ours: readonly PsomFigures[];
  readonly theirs: readonly PsomFigures[];
}

function report(compared: readonly Compared[], rounds: number): string {
  const haproxy = versionOf('haproxy', ['-v'], /HAProxy version [\d.]+/);
  const ratios = compared.map(({ ours, theirs }) =>
    ratio(ours.map(perProcessorSecond), theirs.map(perProcessorSecond)),
  );
  const worst = Math.min(...ratios.map(({ middle }) => middle));
  const perCpu = (figures: readonly PsomFigures[]) => whole(median(figures.map(perProcessorSecond)) / 1000);
  const perSecond = (figures: readonly PsomFigures[]) =>
    whole(median(figures.map(({ bytes, seconds }) => bytes / seconds)) / 1000);
  return `# Bytes of participants: Web Conferencing Edge beside HAProxy

${new Date().toISOString()}. \`sallyport edge\` with its processes on Node ${process.versions.node}, ${haproxy}, one thread.
${machine()}

${PARTICIPANTS} participants with a TLS connection each; medians of ${rounds} alternating rounds. The edge verifies a token for each, and puts all of
them into one TLS connection as streams of HTTP/2. HAProxy has a TLS connection inside for each, and looks at nothing. Files:
calls of 32,768 octets, 4 under way for each participant; strokes: calls of 200 octets, 8 under way. AlwaysOn runs, and so the edge
follows all operations.

${table(
  ['what', 'edge: kB a CPU-second', 'HAProxy', 'ratio', 'edge: kB/s', 'HAProxy'],
  compared.map(({ name, ours, theirs }, index) => [
    name,
    perCpu(ours),
    perCpu(theirs),
    ratios[index]?.text ?? '',
    perSecond(ours),
    perSecond(theirs),
  ]),
)}

Lowest ratio ${worst.toFixed(2)}; floor ${FLOOR}: ${worst >= FLOOR ? 'met' : '**missed**'}.
`;
}
