import { type Command, InvalidArgumentError, Option } from 'commander';
import { catalogue } from '#kernel';
import {
  obeySignals,
  type Program,
  type RunningProgram,
  type RunOptions,
  runProgram,
  type StartFailure,
} from '#platform/service';
import type { LogLevel } from '#platform/telemetry';
import { formatDocumentError } from '#platform/topology';
import { edgeProgram, internalProgram } from '../programs.ts';
import { exitStatus, printable, type Session, type Terminal } from '../terminal.ts';

interface RunSettings {
  readonly singleProcess?: true;
  readonly logLevel: LogLevel;
  readonly stopSeconds: number;
  readonly untilStdinEnds?: true;
}

const STOP_WITH_STDIN_MS = 5000;

/** `sallyport edge FILE` and `sallyport internal FILE` */
export function addRun(root: Command, session: Session): void {
  addProgram(root, session, edgeProgram, 'run the edge server from an edge.yaml');
  addProgram(root, session, internalProgram, 'run the internal counterparts from an internal.yaml');
}

function addProgram<Document>(
  root: Command,
  session: Session,
  program: Program<Document>,
  description: string,
): void {
  root
    .command(program.name)
    .description(description)
    .argument('<file>', 'the document')
    .option('--single-process', 'run every service in this process')
    .addOption(
      new Option('--log-level <level>', 'what to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .option(
      '--stop-seconds <seconds>',
      'SIGTERM drains and stops within this time, 5 to 3600',
      parseSeconds,
      30,
    )
    .option('--until-stdin-ends', 'stop, as by SIGINT, when standard input ends')
    .action((file: string, settings: RunSettings) => run(session, program, file, settings));
}

async function run<Document>(
  session: Session,
  program: Program<Document>,
  file: string,
  settings: RunSettings,
): Promise<void> {
  // What the program writes (databases, sockets) is nobody else's business.
  process.umask(0o077);
  const { singleProcess, logLevel, stopSeconds } = settings;
  const { started, abandoned } = await start({ program, file, singleProcess, logLevel });
  if (abandoned && !started.ok) return;
  if (!started.ok) {
    explain(started.error, session.terminal);
    session.finish(exitStatus.failed);
    return;
  }
  const disobey = obeySignals(started.value, stopSeconds * 1000);
  if (settings.untilStdinEnds === true) stopWithStdin(started.value);
  await started.value.ended;
  disobey();
}

/** Whoever started it holds the other end; when that is gone, however it ended, nobody is left to stop this program. */
function stopWithStdin(running: RunningProgram): void {
  process.stdin.once('close', () => void running.stop(STOP_WITH_STDIN_MS, false));
  process.stdin.resume();
  process.stdin.unref();
}

/** Until it has started, a signal to end gives the start up. */
async function start<Document>(options: RunOptions<Document>) {
  const abort = new AbortController();
  const abandon = () => abort.abort();
  const ignore = () => {};
  process.on('SIGINT', abandon).on('SIGTERM', abandon).on('SIGHUP', ignore);
  const started = await runProgram({ ...options, abort: abort.signal });
  process.off('SIGINT', abandon).off('SIGTERM', abandon).off('SIGHUP', ignore);
  return { started, abandoned: abort.signal.aborted };
}

/** Why it did not start, and what to do about it. */
function explain({ findings, problems }: StartFailure, terminal: Terminal): void {
  for (const finding of findings) terminal.error(printable(formatDocumentError(finding)));
  for (const { code, message } of problems) {
    terminal.error(printable(`${code} ${message}`));
    terminal.error(`  ${catalogue[code].remedy}`);
  }
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 5 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError('Write whole seconds, 5 to 3600.');
}
