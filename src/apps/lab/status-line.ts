import type { LabProgram } from './program.ts';

const EVERY_MS = 1000;

/** One line at the bottom of the terminal that says how the services are; a new line a change elsewhere. */
export class StatusLine {
  readonly #programs: readonly LabProgram[];
  #timer: NodeJS.Timeout | undefined;
  #last = '';

  constructor(programs: readonly LabProgram[]) {
    this.#programs = programs;
  }
  start(): void {
    this.#timer = setInterval(() => void this.#show(), EVERY_MS);
  }
  stop(): void {
    clearInterval(this.#timer);
    if (process.stdout.isTTY) process.stdout.write('\n');
  }

  async #show(): Promise<void> {
    const parts: string[] = [];
    for (const program of this.#programs) {
      const status = await program.status();
      if (status === undefined) parts.push(`${program.options.name}: not running`);
      else
        for (const { name, health } of status.services)
          parts.push(`${name}: ${health.ok ? '' : 'ILL, '}${health.detail}`);
    }
    const text = parts.join(' | ');
    if (process.stdout.isTTY) {
      const width = Math.max(20, (process.stdout.columns ?? 80) - 1);
      process.stdout.write(`\r\x1b[2K${text.slice(0, width)}`);
    } else if (text !== this.#last) console.log(text);
    this.#last = text;
  }
}
