import { createInterface } from 'node:readline';

/** Somebody at a terminal. */
export interface Dialogue {
  say(text: string): void;
  /** One line; undefined when the terminal has ended or the interview was broken off, and ever after. */
  ask(prompt: string): Promise<string | undefined>;
  /** Gives the terminal back. */
  end(): void;
}

/** Lines typed ahead, as when answers are pasted. */
const MOST_LINES = 1000;

/** Asks at a terminal. Ctrl-C and Ctrl-D break off. */
export function terminalDialogue(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Dialogue {
  const terminal = createInterface({ input, output, terminal: true, historySize: 0 });
  const lines: string[] = [];
  let ended = false;
  let waiting: ((line: string | undefined) => void) | undefined;
  const give = (line: string | undefined): void => {
    const answer = waiting;
    waiting = undefined;
    answer?.(line);
  };
  terminal.on('line', (line) => {
    if (waiting !== undefined) give(line);
    else if (lines.length < MOST_LINES) lines.push(line);
  });
  terminal.on('SIGINT', () => {
    lines.length = 0;
    terminal.close();
  });
  terminal.on('close', () => {
    ended = true;
    give(undefined);
  });
  return {
    say: (text) => void output.write(`${text}\n`),
    ask(prompt) {
      const ahead = lines.shift();
      if (ahead !== undefined) output.write(`${prompt}${ahead}\n`);
      if (ahead !== undefined || ended) return Promise.resolve(ahead);
      return new Promise((resolve) => {
        waiting = resolve;
        terminal.setPrompt(prompt);
        terminal.prompt();
      });
    },
    end: () => terminal.close(),
  };
}
