import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

/** Where something is told that has to be done at the end. */
export type Ending = Pick<TestContext, 'after'>;

/** Of every account of a test. */
export const PASSWORD = 'secret-of-a-test';
const PATIENCE_MS = 20_000;

export type PersonEvent = Readonly<Record<string, string>>;

/**
 * Signs a person in at a server's port for clients, with Debian's slixmpp.
 * @param launcher words before the command line, where it runs elsewhere
 */
export async function personAt(
  t: Ending,
  jid: string,
  address: string,
  launcher: readonly string[] = [],
): Promise<Person> {
  const script = join(import.meta.dirname, 'person.py');
  const args = [script, jid, PASSWORD, address, '5222'];
  const [program = '', ...words] = [...launcher, '/usr/bin/python3', ...args];
  const person = new Person(spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] }));
  t.after(() => person.leave());
  await person.event((event) => event.event === 'ready');
  return person;
}

/** Somebody with an ordinary client. */
export class Person {
  readonly #child: ChildProcess;
  readonly #events: PersonEvent[] = [];
  #waiting: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => {
      this.#events.push(JSON.parse(line) as PersonEvent);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    });
  }
  say(xml: string): void {
    this.#child.stdin?.write(`${JSON.stringify({ xml })}\n`);
  }
  /** The first event of the kind, from those not taken yet. */
  async event(is: (event: PersonEvent) => boolean, patienceMs = PATIENCE_MS): Promise<PersonEvent> {
    const late = AbortSignal.timeout(patienceMs);
    for (;;) {
      const at = this.#events.findIndex(is);
      if (at >= 0) return this.#events.splice(at, 1)[0]!;
      if (late.aborted) throw new Error(`not seen; there was ${JSON.stringify(this.#events)}`);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        late.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
  /** How many came of the kind that were not taken. */
  left(is: (event: PersonEvent) => boolean): number {
    return this.#events.filter(is).length;
  }
  async leave(): Promise<void> {
    // Who was ended by a signal has no exit code, and tells of its end only once.
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
