import { join } from 'node:path';
import type { AllocationFigures, AllocationRound } from './lib/allocation-load-process.ts';
import { ADDRESSES, type BenchFolder } from './lib/bench-folder.ts';
import { roundsAsked, runBench } from './lib/bench-run.ts';
import { startCoturn } from './lib/coturn-server.ts';
import { startEdge } from './lib/edge-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { demandProgram, type PinnedProcess } from './lib/pinned-process.ts';
import { keepReport, machine, median, ratio, table, versionOf, whole } from './lib/report.ts';

/* Allocations: what setting one up costs, what one holds, what a stranger draws. The A/V Edge beside coturn, in one run. */

const CLIENTS = 5_000;
/** There before anything is measured: our code is compiled while it runs, and what a server holds but once is made. */
const HELD = 2_000;
const REST_MS = 2_000;

interface Target {
  readonly name: string;
  readonly server: string;
  readonly start: (folder: BenchFolder) => Promise<PinnedProcess>;
}
const EDGE: Target = { name: 'A/V Edge', server: ADDRESSES.external, start: startEdge };
/** Without a relay thread of its own it sets up 5 % more in a CPU-second: nothing is handed from thread to thread. */
const COTURN: Target = {
  name: 'coturn',
  server: ADDRESSES.peerServer,
  start: (folder) => startCoturn(folder, 0),
};

const perProcessorSecond = (one: AllocationFigures) => one.clients / one.processorSeconds;
const perSecond = (one: AllocationFigures) => one.clients / one.seconds;
const bytesEach = (one: AllocationFigures) => one.grownBytes / one.clients;
const forAllocate = (one: AllocationFigures) => one.amplification.allocate;
const forBinding = (one: AllocationFigures) => one.amplification.binding;

await runBench(async (folder) => {
  demandProgram('turnserver', 'coturn');
  const rounds = roundsAsked(3);
  const script = join(import.meta.dirname, 'lib/allocation-load-process.ts');
  const load = await LoadProcess.start<AllocationRound, AllocationFigures>(script, []);
  // A new process each time, since memory that was held once is kept by both.
  const play = async ({ name, server, start }: Target) => {
    const { pid, stop } = await started(start, folder);
    const figures = await load.play({ server, pid, held: HELD, clients: CLIENTS, restMs: REST_MS });
    tell(name, figures);
    await stop();
    return figures;
  };
  const edge: AllocationFigures[] = [];
  const coturn: AllocationFigures[] = [];
  for (let round = 0; round < rounds; round++) {
    edge.push(await play(EDGE));
    coturn.push(await play(COTURN));
  }
  keepReport('turn-allocations', report(edge, coturn));
});

async function started(start: Target['start'], folder: BenchFolder) {
  const server = await start(folder);
  return { pid: server.pid, stop: () => server.stop() };
}

function tell(name: string, figures: AllocationFigures): void {
  process.stdout.write(
    `${name}: ${whole(perProcessorSecond(figures))} set-ups a CPU-second, ${whole(perSecond(figures))}/s, ` +
      `${whole(bytesEach(figures))} octets each, amplification ${forAllocate(figures).toFixed(2)} and ` +
      `${forBinding(figures).toFixed(2)}\n`,
  );
}

function report(edge: readonly AllocationFigures[], coturn: readonly AllocationFigures[]): string {
  const version = versionOf('turnserver', ['--version'], /\d+\.\d+\.\d+/);
  const row = (
    name: string,
    figure: (one: AllocationFigures) => number,
    print: (value: number) => string,
    bound: { readonly text: string; readonly met: (ratio: number) => boolean },
  ) => {
    const { middle, text } = ratio(edge.map(figure), coturn.map(figure));
    const verdict = `${bound.text}: ${bound.met(middle) ? 'met' : '**missed**'}`;
    return [name, print(median(edge.map(figure))), print(median(coturn.map(figure))), text, verdict];
  };
  const percent = (rounds: readonly AllocationFigures[]) =>
    `${whole(100 * median(rounds.map(({ loadShare }) => loadShare)))} %`;
  const twoDigits = (value: number) => value.toFixed(2);
  return `# Allocations: A/V Edge beside coturn

${new Date().toISOString()}. \`sallyport edge\` with its processes on Node ${process.versions.node}, coturn ${version}
without relay threads of its own. ${CLIENTS} clients over UDP beside ${HELD} that were there before, each with a challenge, an allocation and a channel; 50 at once.
${machine()}
The load used ${percent(edge)} of its core beside the A/V Edge, ${percent(coturn)} beside coturn.

Medians of ${edge.length} alternating rounds, each with new processes; in brackets least and greatest of the rounds.

${table(
  ['what', 'A/V Edge', 'coturn', 'ratio', 'wanted'],
  [
    row('set-ups a CPU-second', perProcessorSecond, whole, { text: 'at least 1', met: (one) => one >= 1 }),
    row('set-ups/s', perSecond, whole, { text: 'at least 1', met: (one) => one >= 1 }),
    row('octets of memory for each', bytesEach, whole, { text: 'at most 0.5', met: (one) => one <= 0.5 }),
    row('answer to a bare Allocate, by its size', forAllocate, twoDigits, {
      text: 'below 1',
      met: (one) => one < 1,
    }),
    row('answer to a bare Binding, by its size', forBinding, twoDigits, {
      text: 'below 1',
      met: (one) => one < 1,
    }),
  ],
)}
`;
}
