import { ok, type Result, SystemClock, SystemRandom } from '#kernel';
import { createLog } from '#platform/telemetry';
import type { ProgramStatus, ReloadReport } from './administration-schema.ts';
import { memoryLauncher, processLauncher } from './launch.ts';
import { DEFAULT_DEADLINES } from './supervised-service.ts';
import { Supervisor } from './supervisor.ts';
import type { RunOptions, StartFailure, Timing } from './supervisor-options.ts';

const DEFAULT_TIMING: Timing = {
  ...DEFAULT_DEADLINES,
  healthyMs: 30_000,
  pollMs: 100,
  watchMs: 5000,
  filesMs: 1000,
};

/** For a start that is given up. */
const ABANDON_MS = 5000;

export interface RunningProgram {
  status(): ProgramStatus;
  reload(reason: string): Promise<ReloadReport>;
  /** Drains first if asked to, then stops; over within so many milliseconds. */
  stop(withinMs: number, drain: boolean): Promise<void>;
  /** Fulfilled when everything has stopped, whoever asked for it. */
  readonly ended: Promise<void>;
}

/**
 * Starts a program: every listening socket bound, every service running with the document. With any failure
 * everything is closed again and the reasons are returned.
 */
export async function runProgram<Document>(
  options: RunOptions<Document>,
): Promise<Result<RunningProgram, StartFailure>> {
  const clock = options.clock ?? new SystemClock();
  const random = options.random ?? new SystemRandom();
  const logLevel = options.logLevel ?? 'info';
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  const log = createLog({ level: logLevel, write });
  const own = log.child({ service: 'supervisor', pid: process.pid });
  const single = options.singleProcess === true;
  const supervisor = new Supervisor<Document>({
    program: options.program,
    file: options.file,
    mode: single ? 'single-process' : 'processes',
    launch: single ? memoryLauncher(log, clock, random) : processLauncher({ log, logLevel, write }),
    clock,
    random,
    log: own,
    timing: { ...DEFAULT_TIMING, ...options.timing },
  });
  const abandon = () => void supervisor.stop(ABANDON_MS, false);
  options.abort?.addEventListener('abort', abandon, { once: true });
  const started = await supervisor.start();
  options.abort?.removeEventListener('abort', abandon);
  return started.ok ? ok(supervisor) : started;
}
