import type { Flow } from './flow.ts';

/**
 * Holds back what is to be written until the turn of the event loop is over: however many messages were
 * proxied to one connection meanwhile, they leave as one write, since TLS records and system calls are what
 * costs.
 */
export class Outbox {
  readonly #schedule: (task: () => void) => void;
  readonly #flush = () => this.flush();
  #dirty: Flow[] = [];

  constructor(schedule: (task: () => void) => void) {
    this.#schedule = schedule;
  }
  write(flow: Flow, bytes: Uint8Array): void {
    if (!flow.enqueue(bytes)) return;
    if (this.#dirty.length === 0) this.#schedule(this.#flush);
    this.#dirty.push(flow);
  }
  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const flow of dirty) flow.flush();
  }
}
