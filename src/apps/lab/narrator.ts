import { styleText } from 'node:util';

/** Tells the demonstration as it happens, one line a step with the port row that carried it. */
export interface Narrator {
  /** A heading between parts. */
  part(title: string): void;
  /** One step that happened; `rows` are port row ids. */
  step(text: string, ...rows: string[]): void;
  /** Something to know that is no step. */
  note(text: string): void;
}

const ROW_COLUMN = 34;

/** Prints to a terminal; colours only where they are wanted. */
export class TerminalNarrator implements Narrator {
  readonly #write: (line: string) => void;
  readonly #started = performance.now();

  constructor(write: (line: string) => void = console.log) {
    this.#write = write;
  }
  part(title: string): void {
    this.#write('');
    this.#write(styleText('bold', title));
  }
  step(text: string, ...rows: string[]): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(2).padStart(6);
    const label = rows.length === 0 ? '' : `[${rows.join(' ')}]`;
    this.#write(`${seconds}  ${styleText('cyan', label.padEnd(ROW_COLUMN))} ${text}`);
  }
  note(text: string): void {
    this.#write(text);
  }
}
