import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { FailureError, failure } from '#kernel';
import { AdministrationClient, type ProgramStatus } from '#platform/service';

/** How one of the two programs is started in the lab. */
export interface ProgramOptions {
  readonly name: 'edge' | 'internal';
  readonly document: string;
  readonly socket: string;
  readonly log: string;
  /** Words before the command line, for a program that starts it in a way of its own. */
  readonly launcher?: readonly string[];
}

const ENTRY = join(import.meta.dirname, '..', 'cli', 'main.ts');
/**
 * Fifteen processes load the same modules: what the engine made of them is kept for the next start, which takes half the
 * work then. A real edge keeps none: whoever may write it says what a program that root starts does.
 */
const COMPILE_CACHE = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'compile');
const HEALTHY_MS = 60_000;
const LOOK_MS = 100;
const STOP_MS = 5_000;
const KEPT_OUTPUT = 3000;

/** `sallyport edge` or `sallyport internal` as a child process, driven over its administration socket. */
export class LabProgram {
  readonly options: ProgramOptions;
  readonly #administration: AdministrationClient;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(options: ProgramOptions) {
    this.options = options;
    this.#administration = new AdministrationClient(options.socket);
  }
  get pid(): number | undefined {
    return this.#child?.pid;
  }
  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Starts it and waits until every service says that it is healthy.
   * @param environment variables that it and its services have besides those of this process
   * @param flags further words of the command line
   */
  async start(
    environment: Readonly<Record<string, string>> = {},
    flags: readonly string[] = [],
  ): Promise<ProgramStatus> {
    const { name, document, log, launcher = [] } = this.options;
    const [program = process.execPath, ...parameters] = [
      ...launcher,
      process.execPath,
      ENTRY,
      name,
      document,
      '--until-stdin-ends',
      ...flags,
    ];
    // A group of its own: Ctrl-C in the terminal is for the lab, which then stops the programs in order. Should the
    // lab be killed, standard input ends and they stop by themselves.
    const child = spawn(program, parameters, {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env, ...environment },
    });
    this.#child = child;
    const file = createWriteStream(log);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        file.write(chunk);
        this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT);
      });
    }
    child.once('close', () => file.end());
    const deadline = performance.now() + HEALTHY_MS;
    for (;;) {
      const status = await this.#administration.call('status', {});
      if (status.ok && status.value.healthy) return status.value;
      if (!this.running) throw this.#failed(`sallyport ${name} ended before it was healthy`);
      if (performance.now() > deadline) throw this.#failed(`sallyport ${name} did not become healthy`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async status(): Promise<ProgramStatus | undefined> {
    const status = await this.#administration.call('status', {});
    return status.ok ? status.value : undefined;
  }

  /** A verb of one of its services; throws a FailureError. */
  async ask(service: string, verb: string, args: unknown = {}): Promise<unknown> {
    const answer = await this.#administration.call('call', { service, verb, arguments: args });
    if (!answer.ok) throw new FailureError(answer.error);
    return answer.value;
  }

  /** Ends it: first politely, after five seconds for good. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const ended = once(child, 'close');
    child.kill('SIGINT');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(force);
  }

  #failed(what: string): FailureError {
    return new FailureError(failure('SLP-APP-0009', `${what}:\n${this.#output}`));
  }
}
