import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import type { HostReadings } from '#platform/host-survey';
import { addInitIn } from '../../commands/init.ts';
import { type ExitStatus, exitStatus } from '../../terminal.ts';
import { terminalDialogue } from '../dialogue.ts';

/** What the terminal shows next (a part of it), and what is typed then. */
export type Line = readonly [shown: RegExp, typed: string];

export const ENTER = '\r';
export const CTRL_C = '\u0003';
export const CTRL_D = '\u0004';

export interface Played {
  readonly status: ExitStatus;
  /** What the command printed. */
  readonly out: string;
  readonly error: string;
  /** What the interview showed. */
  readonly screen: string;
  /** Lines of the play that nobody came to. */
  readonly left: readonly Line[];
}

/** `sallyport init` on an imagined host, with somebody at a terminal who follows a script; without one, with nobody. */
export async function play(
  host: HostReadings,
  args: readonly string[],
  script?: readonly Line[],
): Promise<Played> {
  const printed = { out: '', error: '', screen: '' };
  let status: ExitStatus = exitStatus.ok;
  const left = [...(script ?? [])];
  const root = new Command('sallyport').exitOverride();
  const session = {
    terminal: {
      out(text: string) {
        printed.out += `${text}\n`;
      },
      error(text: string) {
        printed.error += `${text}\n`;
      },
    },
    finish(told: ExitStatus) {
      status = told;
    },
  };
  addInitIn(root, session, {
    readHost: () => host,
    openDialogue: () => (script === undefined ? undefined : scripted(left, printed)),
  });
  await root.parseAsync(['init', ...args], { from: 'user' });
  return { ...printed, status, left };
}

function scripted(left: Line[], printed: { screen: string }) {
  const input = new PassThrough();
  const output = new PassThrough();
  let unread = '';
  output.on('data', (chunk: Buffer) => {
    printed.screen += chunk.toString();
    unread += chunk.toString();
    const next = left[0];
    if (next === undefined || !next[0].test(unread)) return;
    unread = '';
    left.shift();
    // The prompt may still be on its way.
    setImmediate(() => (next[1] === CTRL_D ? input.end() : input.write(next[1])));
  });
  return terminalDialogue(input, output);
}
