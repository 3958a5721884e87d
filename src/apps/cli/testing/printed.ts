import { runCommandLine } from '../command-line.ts';
import type { ExitStatus } from '../terminal.ts';

export interface Printed {
  readonly status: ExitStatus;
  readonly out: string;
  readonly error: string;
}

/** Runs one command line in this process and gives what it printed. */
export async function sallyport(...args: string[]): Promise<Printed> {
  const printed = { out: '', error: '' };
  const status = await runCommandLine(args, {
    out(text) {
      printed.out += `${text}\n`;
    },
    error(text) {
      printed.error += `${text}\n`;
    },
  });
  return { status, ...printed };
}
