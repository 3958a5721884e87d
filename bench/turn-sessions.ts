import { ADDRESSES } from './lib/bench-folder.ts';
import { roundsAsked, runBench } from './lib/bench-run.ts';
import { startCoturn } from './lib/coturn-server.ts';
import { startEdge } from './lib/edge-server.ts';
import { demandProgram } from './lib/pinned-process.ts';
import { keepReport, machine, median, table, versionOf, whole } from './lib/report.ts';
import { playSessions, SESSIONS_EACH, type SessionFigures } from './lib/uclient-sessions.ts';

/* Audio for a large office: what is lost and how long it takes. The A/V Edge beside coturn, in one run. */

/** Two cores with nothing else to do carry them; a machine that has less to give is asked for less: rounds, sessions, seconds. */
const SESSIONS = 500;
const SECONDS = 60;

interface Target {
  readonly name: string;
  readonly pid: number;
  readonly server: string;
}

await runBench(async (folder) => {
  demandProgram('turnserver', 'coturn');
  const rounds = roundsAsked(2);
  const sessions = sessionsAsked(process.argv[3]);
  const seconds = secondsAsked(process.argv[4]);
  // One user stands for a hundred here; what one user may have is not what is measured.
  const relay = { allocationsPerUser: 10_000, bandwidth: { perUserKilobits: 10_000_000 } };
  const edge = {
    name: 'A/V Edge',
    pid: (await startEdge(folder, { relay })).pid,
    server: ADDRESSES.external,
  };
  const coturn = { name: 'coturn', pid: (await startCoturn(folder)).pid, server: ADDRESSES.peerServer };
  const figures = new Map<Target, SessionFigures[]>([
    [edge, []],
    [coturn, []],
  ]);
  for (let round = 0; round < rounds; round++) {
    for (const [target, taken] of figures) {
      const one = await playSessions({ ...target, sessions, seconds });
      tell(target, one);
      taken.push(one);
    }
  }
  keepReport('turn-sessions', report(figures, sessions, seconds));
});

function sessionsAsked(text: string | undefined): number {
  const asked = Number(text ?? SESSIONS);
  if (Number.isInteger(asked) && asked > 0 && asked % SESSIONS_EACH === 0) return asked;
  throw new RangeError(`write the number of sessions, a multiple of ${SESSIONS_EACH}`);
}

function secondsAsked(text: string | undefined): number {
  const asked = Number(text ?? SECONDS);
  if (Number.isInteger(asked) && asked > 0 && asked <= SECONDS) return asked;
  throw new RangeError(`write the number of seconds, 1 to ${SECONDS}`);
}

function tell({ name }: Target, { sent, lost, delay, processorSeconds }: SessionFigures): void {
  process.stdout.write(
    `${name}: ${whole(sent)} sent, ${lost} lost, ${delay.mean.toFixed(2)} ms on the way, at most ${delay.most} ms, ` +
      `${processorSeconds.toFixed(1)} CPU-seconds\n`,
  );
}

function report(
  figures: ReadonlyMap<Target, readonly SessionFigures[]>,
  sessions: number,
  seconds: number,
): string {
  const version = versionOf('turnserver', ['--version'], /\d+\.\d+\.\d+/);
  const row = ([{ name }, all]: [Target, readonly SessionFigures[]]) => {
    const of = (figure: (one: SessionFigures) => number, digits: number) => {
      const values = all.map(figure);
      const [least, most] = [Math.min(...values), Math.max(...values)];
      return `${median(values).toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
    };
    return [
      name,
      whole(median(all.map(({ sent }) => sent))),
      of(({ sent, lost }) => (lost / sent) * 100, 3),
      of(({ delay }) => delay.mean, 2),
      of(({ delay }) => delay.most, 0),
      of(({ jitter }) => jitter.mean, 2),
      of(({ sent, processorSeconds }) => (processorSeconds / sent) * 1e6, 1),
    ];
  };
  return `# ${sessions} audio sessions: A/V Edge beside coturn

${new Date().toISOString()}. \`sallyport edge\` with its processes on Node ${process.versions.node}, coturn ${version}
with one relay thread. ${sessions} sessions of two clients for ${seconds} s, relayed address to relayed address, each client
50 datagrams of 172 octets a second, played by coturn's own client.
${machine()}

Medians of the rounds, which alternate; in brackets least and greatest.

${table(
  [
    'relay',
    'datagrams sent',
    'lost, %',
    'on the way, mean ms',
    'slowest datagram, ms',
    'jitter, mean ms',
    'CPU-µs for each',
  ],
  [...figures].map(row),
)}
`;
}
