import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The core of the server under test, and the core of everything that loads it. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

const READY_MS = 120_000;
const STOP_MS = 8_000;
const KEPT_OUTPUT = 4_000;

const running = new Set<PinnedProcess>();

export interface PinnedOptions {
  /** What to call it in messages. */
  readonly title: string;
  readonly core: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly folder?: string;
  /** A channel for `send` and 'message'. */
  readonly ipc?: boolean;
}

/** A program of the benchmark on one core; whatever happens, it ends with the benchmark. */
export class PinnedProcess {
  readonly title: string;
  readonly child: ChildProcess;
  /** The end of what it has written. */
  output = '';
  #failure: Error | undefined;

  constructor(options: PinnedOptions) {
    this.title = options.title;
    const { core, command, args, folder } = options;
    // Both become the program itself, so the pid is the program's; it hears when the benchmark is killed.
    this.child = spawn('setpriv', ['--pdeathsig', 'TERM', 'taskset', '-c', String(core), command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc === true ? ['ipc' as const] : [])],
      ...(folder === undefined ? {} : { cwd: folder }),
    });
    running.add(this);
    this.child.on('error', (error) => {
      this.#failure = error;
      running.delete(this);
    });
    this.child.once('exit', () => running.delete(this));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-KEPT_OUTPUT);
      });
    }
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw this.#trouble('did not start');
    return pid;
  }
  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.#failure !== undefined;
  }

  /** Waits until `isReady` says so; throws with the program's own words when it ends or takes too long. */
  async ready(isReady: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + READY_MS;
    while (!(await isReady())) {
      if (this.ended) throw this.#trouble('ended before it was ready');
      if (performance.now() > deadline) throw this.#trouble('is not ready in time');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** SIGTERM, and SIGKILL when that does not help. */
  async stop(): Promise<void> {
    if (this.ended) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await exit;
    clearTimeout(timer);
  }

  /** Throws when the program has ended by itself. */
  check(): void {
    if (this.ended) throw this.#trouble('ended during the benchmark');
  }

  #trouble(what: string): Error {
    const cause = this.#failure === undefined ? '' : `: ${this.#failure.message}`;
    return new Error(`${this.title} ${what}${cause}\n${this.output.trim()}`);
  }
}

/** Ends everything that is still running, the load first. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.stop()));
}

/** Throws, saying what to install, when a program is not on the path. */
export function demandProgram(name: string, debianPackage: string): void {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  if (folders.some((folder) => folder !== '' && existsSync(join(folder, name)))) return;
  throw new Error(`${name} is not installed; on Debian: apt-get install ${debianPackage}`);
}
