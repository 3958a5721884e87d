import type { Person } from './person.ts';
import { until } from './until.ts';

interface Pair {
  readonly from: Person;
  readonly to: Person;
  readonly sent: string[];
}

/** People who write to one another without a pause, one message after the other's answer, until told to stop. */
export class Traffic {
  readonly #pairs: readonly Pair[];
  readonly #writing: Promise<unknown>;
  #stopped = false;

  /** The first writes to the second, the third to the fourth, … */
  constructor(people: readonly Person[]) {
    this.#pairs = people.flatMap((from, index) => {
      const to = people[index + 1];
      return index % 2 === 0 && to !== undefined ? [{ from, to, sent: [] }] : [];
    });
    for (const { to } of this.#pairs) to.inbox.length = 0;
    this.#writing = Promise.all(this.#pairs.map((pair) => this.#write(pair)));
    // Told by `stop`, however long before it was that somebody failed.
    this.#writing.catch(() => {});
  }

  /** Messages that everybody has sent at least. */
  get rounds(): number {
    return Math.min(...this.#pairs.map(({ sent }) => sent.length));
  }
  /** Everybody has sent and got some more. */
  async goesOn(): Promise<void> {
    const goal = this.rounds + 3;
    await until('everybody has written more', () => this.rounds >= goal);
  }
  /** Throws when a message was refused; else resolves with how many were sent, and how many of them never came. */
  async stop(): Promise<{ readonly sent: number; readonly lost: number }> {
    this.#stopped = true;
    await this.#writing;
    let sent = 0;
    let lost = 0;
    for (const pair of this.#pairs) {
      const came = new Set(pair.to.inbox.map(({ text }) => text));
      sent += pair.sent.length;
      lost += pair.sent.filter((text) => !came.has(text)).length;
    }
    return { sent, lost };
  }

  async #write({ from, to, sent }: Pair): Promise<void> {
    while (!this.#stopped) {
      const text = `${from.user} ${sent.length}`;
      await from.phone.message(to.address, text);
      sent.push(text);
    }
  }
}
