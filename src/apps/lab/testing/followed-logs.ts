import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endedWithUs } from './end-with-us.ts';

const COMMAND_LINE = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

/** `sallyport logs follow --json`, as somebody has it open in a terminal. */
export class FollowedLogs {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #over: Promise<unknown>;
  #rest = '';
  #said = '';

  /** @param launcher words that make a command line run elsewhere when they stand before it */
  constructor(socket: string, options: readonly string[] = [], launcher: readonly string[] = []) {
    const words = ['logs', 'follow', '--json', '--socket', socket, ...options];
    const [program = '', ...parameters] = [
      ...endedWithUs('INT'),
      ...launcher,
      process.execPath,
      COMMAND_LINE,
      ...words,
    ];
    const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = `${this.#rest}${chunk.toString()}`.split('\n');
      this.#rest = lines.pop() ?? '';
      this.lines.push(...lines);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#said = `${this.#said}${chunk.toString()}`.slice(-4000);
    });
    this.#child = child;
    this.#over = once(child, 'close');
  }
  /** What it said besides: which edge is lost, and why. */
  get said(): string {
    return this.#said;
  }
  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
  async stop(): Promise<void> {
    if (this.running) this.#child.kill('SIGINT');
    await this.#over;
  }
}
