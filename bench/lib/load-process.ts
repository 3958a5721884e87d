import { once } from 'node:events';
import { LOAD_CORE, PinnedProcess } from './pinned-process.ts';

interface Answer<Figures> {
  readonly ready?: true;
  readonly figures?: Figures;
  readonly problem?: string;
}

/** A process that makes load, on the load's core: one round at a time, asked and answered by message. */
export class LoadProcess<Round extends object, Figures> {
  readonly #process: PinnedProcess;

  /** @param script a module that answers rounds; @param args its arguments */
  static async start<Round extends object, Figures>(
    script: string,
    args: readonly string[],
  ): Promise<LoadProcess<Round, Figures>> {
    const made = new PinnedProcess({
      title: 'the load',
      core: LOAD_CORE,
      command: process.execPath,
      args: [script, ...args],
      ipc: true,
    });
    let heard = false;
    made.child.once('message', () => {
      heard = true;
    });
    await made.ready(() => heard);
    return new LoadProcess<Round, Figures>(made);
  }
  private constructor(made: PinnedProcess) {
    this.#process = made;
  }

  async play(round: Round): Promise<Figures> {
    const { child } = this.#process;
    this.#process.check();
    const answered = once(child, 'message');
    const gone = new AbortController();
    const ended = once(child, 'exit', { signal: gone.signal }).catch(() => undefined);
    child.send(round);
    const first = await Promise.race([answered, ended]);
    if (this.#process.ended) this.#process.check();
    gone.abort();
    const { figures, problem } = (first?.[0] ?? {}) as Answer<Figures>;
    if (figures === undefined) throw new Error(`the load failed: ${problem ?? 'no answer'}`);
    return figures;
  }
}
