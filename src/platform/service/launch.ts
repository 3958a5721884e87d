import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Clock, type Random, SystemClock, SystemRandom } from '#kernel';
import type { Log, LogLevel } from '#platform/telemetry';
import { memoryChannel, ProcessChannel, type SupervisorEnd } from './channel.ts';
import type { ServiceDefinition, WorkerPlace } from './definition.ts';
import { type EventPipe, memoryPipe, StreamPipe } from './event-pipe.ts';
import { forwardLines } from './lines.ts';
import type { ToService } from './messages.ts';
import type { ServiceEntry } from './program.ts';
import { ServiceHost } from './service-host.ts';

/** A service that was started; how it ends is told once. */
export interface Launched {
  /** The process that it runs in. Undefined when it could not be started. */
  readonly pid: number | undefined;
  readonly channel: SupervisorEnd;
  /** Its events come by it, and those of all go to the collector. */
  readonly events: EventPipe;
  /** Fulfilled with the way it ended: `exit 1`, `signal SIGKILL`, … */
  readonly ended: Promise<string>;
  /** At once, without asking. */
  kill(): void;
}

export type Launcher = (entry: ServiceEntry, worker: WorkerPlace) => Launched;

export interface LaunchOptions {
  readonly log: Log;
  readonly logLevel: LogLevel;
  /** Gets the log lines that service processes print, whole, with their newline. */
  readonly write: (line: string) => void;
}

const PROCESS_MODULE = fileURLToPath(new URL('./service-process.ts', import.meta.url));
/** In the service's process, and in `stdio` above it. */
export const EVENTS_DESCRIPTOR = 4;
const LINE_BYTES = 65_536;
/**
 * How the collector works in a service.
 * - Most of what a message leaves behind is garbage when its answer has gone. With the usual 16 MiB for young objects
 *   the collector comes so often that it still finds a part of that alive, and copies it: 9 to 17 % of the processor time of
 *   the SIP path, by its profile. The space grows to this only while there is much to do.
 * - A connection outlives its youth, so a thousand that come make the old objects grow, and each collection of those walks
 *   through all connections that there are. Left to itself it begins whenever 64 MiB more than after the last one lie outside of
 *   the heap, which the buffers of some 1,500 connections do, and at 90 MiB of heap: three times in a storm of 3,000
 *   sign-ins, a seventh of what they take. Counted together with the heap, and with room for both, it has next to nothing to
 *   do. An idle service does not take the room, and 12,000 silent clients did not take more than before.
 * - Room that nobody has used yet is dear, since the system gives a page when it is touched first: a sign-in takes 740 µs while what
 *   stays of it moves there, and 600 to 650 where others have been. So the room is no larger than what a first storm of 12,000
 *   needs (with 256 MiB the next five were still in new room), and it is kept when it is quiet: given back, it is new again for the
 *   next storm, which began to collect besides (1,000 µs). A service that has had much to do keeps what that took.
 */
const COLLECTOR = [
  '--max-semi-space-size=32',
  '--initial-old-space-size=160',
  '--no-memory-reducer',
  '--external-memory-accounted-in-global-limit',
];
/**
 * A message goes through many small functions, more than V8 by itself puts into one: it stops at 920 octets of bytecode in all.
 * With this a SIP MESSAGE and its response cost 4 % less of what is our own code; still more brought nothing more.
 */
const INLINING = ['--max-inlined-bytecode-size-cumulative=2000'];
const RUNTIME_OPTIONS = [...COLLECTOR, ...INLINING];

/** Each service in a process of its own. */
export function processLauncher(options: LaunchOptions): Launcher {
  return (entry, { index, count }) => {
    const place = [String(index), String(count)];
    const args = [...RUNTIME_OPTIONS, PROCESS_MODULE, entry.module, options.logLevel, ...place];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      serialization: 'json',
    });
    const log = options.log.child({ service: entry.name, ...(count > 1 ? { worker: index + 1 } : {}) });
    // Neither is there when no descriptors were left to start it with.
    if (child.stdout) forwardLines(child.stdout, LINE_BYTES, (line) => options.write(`${line}\n`));
    if (child.stderr) forwardLines(child.stderr, LINE_BYTES, (line) => log.warn('service said', { line }));
    return {
      pid: child.pid,
      channel: new ProcessChannel<ToService>(child as never),
      events: eventsOf(child),
      ended: endOf(child),
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

/** It is not there when no descriptors were left to start the process with. */
function eventsOf(child: ChildProcess): EventPipe {
  const stream = child.stdio[EVENTS_DESCRIPTOR];
  return stream instanceof Duplex ? new StreamPipe(stream) : memoryPipe().supervisor;
}

/** When it has ended and its last lines are read. (`close` does not come after `disconnect` was called here.) */
async function endOf(child: ChildProcess): Promise<string> {
  const streams = [child.stdout, child.stderr].map(
    (stream) => new Promise((resolve) => stream?.once('close', resolve)),
  );
  const how = await new Promise<string>((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(`not started: ${error.message}`);
    });
    child.once('exit', (code, signal) => resolve(signal === null ? `exit ${code}` : `signal ${signal}`));
  });
  if (child.pid !== undefined) await Promise.all(streams);
  return how;
}

/** Every service in this process. Killing one means to stop it; a bug that throws ends all. */
export function memoryLauncher(
  log: Log,
  clock: Clock = new SystemClock(),
  random: Random = new SystemRandom(),
): Launcher {
  return (entry) => {
    const { supervisor, service } = memoryChannel();
    const events = memoryPipe();
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    loadDefinition(entry.module).then(
      (definition) => {
        const ownLog = log.child({ service: entry.name });
        const parts = { definition, channel: service, events: events.service, clock, random, log: ownLog };
        new ServiceHost({ ...parts, ownProcess: false, ended: () => resolve('stopped') });
      },
      (error: Error) => resolve(`not started: ${error.message}`),
    );
    const kill = () => supervisor.close();
    return { pid: process.pid, channel: supervisor, events: events.supervisor, ended, kill };
  };
}

export async function loadDefinition(module: string): Promise<ServiceDefinition<unknown>> {
  const loaded: unknown = await import(module);
  const definition = (loaded as { service?: ServiceDefinition<unknown> }).service;
  if (typeof definition?.create !== 'function') throw new Error(`${module} exports no service`);
  return definition;
}
