import { ok, type Result } from '#kernel';
import type { Health, Provision, Service, ServiceContext, ServiceDefinition } from '#platform/service';
import type { InternalDocument } from '#platform/topology';
import { type FrontEndMetrics, frontEndMetrics } from './front-end-metrics.ts';
import { type Prepared, prepare } from './prepared.ts';
import { Running } from './running.ts';
import { frontEndVerbs } from './verbs.ts';

/** The front end: registrar and proxy of the internal network, next hop of the Access Edge service. */
export const service: ServiceDefinition<InternalDocument> = {
  name: 'front-end',
  title: 'front end',
  create: (context) => new FrontEndService(context),
};

class FrontEndService implements Service<InternalDocument> {
  readonly verbs: Service<InternalDocument>['verbs'];
  readonly #context: ServiceContext;
  readonly #metrics: FrontEndMetrics;
  #running: Running | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#metrics = frontEndMetrics(context.metrics);
    this.verbs = frontEndVerbs(
      () => this.#running,
      () => context.clock.wall(),
    );
  }

  async provision(document: InternalDocument): Promise<Result<Provision>> {
    const running = this.#running;
    const inUse =
      running === undefined ? undefined : { file: running.databaseFile, directory: running.directory };
    const prepared = prepare(document, this.#context.clock.wall(), inUse);
    if (!prepared.ok) return prepared;
    return ok({
      commit: async () => this.#commit(prepared.value),
      abandon: async () => {
        if (prepared.value.directory !== inUse?.directory) prepared.value.directory.close();
      },
    });
  }
  health(): Health {
    if (this.#running === undefined) return { ok: false, detail: 'no document yet' };
    const troubles = this.#running.troubles();
    const registered = this.#running.directory.registered(this.#context.clock.wall());
    const detail = [`${this.#running.connections} connections, ${registered} devices signed in`, ...troubles];
    return { ok: true, detail: detail.join('; ') };
  }
  drain(): void {
    this.#running?.drain();
  }
  undrain(): void {
    this.#running?.undrain();
  }
  remaining(): number {
    return this.#running?.connections ?? 0;
  }
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  async #commit(prepared: Prepared): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.directory !== prepared.directory) {
      this.#running = new Running(this.#context, this.#metrics, prepared);
      this.#running.listen(this.#context.sockets);
      await running?.stop();
      return;
    }
    running.adopt(prepared);
    running.listen(this.#context.sockets);
  }
}
