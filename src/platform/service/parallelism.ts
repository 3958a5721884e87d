import type { ListenerPlan, ServiceName } from '#platform/topology';
import type { ProgramStatus } from './administration-schema.ts';
import type { Program } from './program.ts';

interface Share {
  readonly workers: number;
  readonly threads: number;
}

/** In how many processes each service runs, and in how many threads of them: the same from the start to the end. */
export class Parallelism<Document> {
  readonly #program: Program<Document>;
  readonly #mode: ProgramStatus['mode'];
  readonly #shares = new Map<string, Share>();

  constructor(program: Program<Document>, mode: ProgramStatus['mode']) {
    this.#program = program;
    this.#mode = mode;
  }

  /** Called once, with the first document. */
  fix(document: Document): void {
    for (const { name } of this.#program.services) this.#shares.set(name, this.#shareBy(name, document));
  }
  workersOf(service: string): number {
    return this.#shares.get(service)?.workers ?? 1;
  }
  /** How many sockets a listener has: connections are shared by processes, datagrams by threads of one. */
  socketsOf({ service, transport }: ListenerPlan): number {
    return transport === 'tcp' ? this.workersOf(service) : (this.#shares.get(service)?.threads ?? 1);
  }
  /** Services that would run in another number of them. */
  changedBy(document: Document): ServiceName[] {
    const names = this.#program.services.map(({ name }) => name);
    return names.filter((name) => {
      const { workers, threads } = this.#shareBy(name, document);
      const now = this.#shares.get(name);
      return workers !== now?.workers || threads !== now.threads;
    });
  }
  #shareBy(service: ServiceName, document: Document): Share {
    const { workers, threads } = this.#program;
    return {
      workers: this.#mode === 'single-process' ? 1 : (workers?.(service, document) ?? 1),
      threads: threads?.(service, document) ?? 1,
    };
  }
}
