import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { endedWithUs, endWithUs } from './end-with-us.ts';

export interface ChildProgramOptions {
  /** Name on the PATH. */
  readonly program: string;
  /** The Debian package that has it, for those who lack it. */
  readonly debianPackage: string;
  readonly parameters: readonly string[];
  /** Its working folder. */
  readonly folder: string;
}

const PATIENCE_MS = 30_000;
const STOP_MS = 5_000;
const KEPT_OUTPUT = 1 << 20;
const SHOWN_OUTPUT = 6_000;

/** A program that we did not write, as a child process that tells by its output how it is. */
export class ChildProgram {
  readonly #options: ChildProgramOptions;
  readonly #child: ChildProcess;
  readonly #changed = new Set<() => void>();
  #output = '';

  constructor(options: ChildProgramOptions) {
    const { program, debianPackage, parameters, folder } = options;
    const found = spawnSync('which', [program], { stdio: 'ignore' });
    if (found.status !== 0) {
      throw new Error(`${program} is not installed: install the Debian package ${debianPackage}`);
    }
    this.#options = options;
    const [first = program, ...rest] = [...endedWithUs('TERM'), program, ...parameters];
    this.#child = spawn(first, rest, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
    // Politely, so that a program of several processes takes its own along.
    endWithUs(() => {
      if (this.running) this.#child.kill('SIGTERM');
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT);
        for (const look of this.#changed) look();
      });
    }
    this.#child.once('close', () => {
      for (const look of this.#changed) look();
    });
  }

  get output(): string {
    return this.#output;
  }
  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with its exit status when it ends by itself. */
  ended(): Promise<number> {
    return this.until('ended', () => this.#child.exitCode ?? undefined);
  }

  /** Resolves with the first match in everything that it printed so far or prints from now on. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.until(`printed ${pattern}`, () => pattern.exec(this.#output) ?? undefined);
  }

  /** Resolves with what `look` gives; it is asked again whenever the program printed something or `poke` was called. */
  until<Value>(what: string, look: () => Value | undefined): Promise<Value> {
    const at = look();
    if (at !== undefined) return Promise.resolve(at);
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#changed.delete(again);
        settle();
      };
      const fail = (why: string) => finish(() => reject(this.failure(`${why} before it ${what}`)));
      const again = () => {
        const value = look();
        if (value !== undefined) finish(() => resolve(value));
        else if (!this.running) fail('ended');
      };
      const timer = setTimeout(() => fail('timed out'), PATIENCE_MS);
      this.#changed.add(again);
    });
  }
  /** Something besides its output has changed. */
  poke(): void {
    for (const look of this.#changed) look();
  }

  /** An error that shows the end of its output. */
  failure(what: string): Error {
    return new Error(`${this.#options.program} ${what}; it printed:\n${this.#output.slice(-SHOWN_OUTPUT)}`);
  }

  /** Ends it politely, or at once when it does not listen or `signal` says so. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (!this.running) return;
    const ended = once(this.#child, 'close');
    this.#child.kill(signal);
    const force = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(force);
  }
}
