import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endedWithUs } from '../../src/apps/lab/testing/end-with-us.ts';
import type { Host } from '../network/host.ts';
import type { Verbs } from './main.ts';

type VerbName = keyof Verbs;
type Argument<Name extends VerbName> = Parameters<Verbs[Name]>[0];
type Answer<Name extends VerbName> = Awaited<ReturnType<Verbs[Name]>>;

const MAIN = join(import.meta.dirname, 'main.ts');
const PATIENCE_MS = 20_000;

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A process of ours on one host of the perimeter that does what it is told: `main.ts` has the verbs. */
export class Actor {
  readonly #host: Host;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #last = 0;

  private constructor(host: Host, child: ChildProcess) {
    this.#host = host;
    this.#child = child;
    child.on('message', (reply: Reply) => {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
    child.once('close', () => {
      for (const [id, settle] of this.#waiting) settle({ id, error: 'it has ended' });
      this.#waiting.clear();
    });
  }

  static start(host: Host): Actor {
    const [program = '', ...words] = [...endedWithUs('TERM'), ...host.launcher, process.execPath, MAIN];
    return new Actor(host, spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  }

  /** Has it run a verb; throws what the verb throws. */
  call<Name extends VerbName>(verb: Name, argument: Argument<Name>): Promise<Answer<Name>> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${this.#host.name}, ${verb}: ${why}`));
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        fail('no answer in time');
      }, PATIENCE_MS);
      this.#waiting.set(id, ({ value, error }) => {
        clearTimeout(timer);
        if (error === undefined) resolve(value as Answer<Name>);
        else fail(error);
      });
      this.#child.send({ id, verb, argument }, (problem) => {
        if (problem !== null) this.#waiting.get(id)?.({ id, error: problem.message });
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
