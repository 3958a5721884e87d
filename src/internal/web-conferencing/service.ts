import { ok, type Result } from '#kernel';
import type { Health, Provision, Service, ServiceContext, ServiceDefinition } from '#platform/service';
import type { InternalDocument } from '#platform/topology';
import { type FocusMetrics, focusMetrics } from './focus/focus-metrics.ts';
import { type Prepared, prepare } from './prepared.ts';
import { Running } from './running.ts';
import { meetingVerbs } from './verbs.ts';

/** The web conferencing service: holds the meetings, and opens the connections to the edges that participants outside use. */
export const service: ServiceDefinition<InternalDocument> = {
  name: 'web-conferencing-service',
  title: 'web conferencing service',
  create: (context) => new WebConferencingService(context),
};

class WebConferencingService implements Service<InternalDocument> {
  readonly verbs: Service<InternalDocument>['verbs'];
  readonly #context: ServiceContext;
  readonly #focusMetrics: FocusMetrics;
  #running: Running | undefined;
  #provisioned = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#focusMetrics = focusMetrics(context.metrics);
    this.verbs = meetingVerbs(() => this.#running);
  }

  async provision(document: InternalDocument): Promise<Result<Provision>> {
    const running = this.#running;
    const inUse = running === undefined ? undefined : { file: running.file, store: running.store };
    const prepared = prepare(document, this.#context.clock.wall(), inUse);
    if (!prepared.ok) return prepared;
    return ok({
      commit: async () => this.#commit(prepared.value),
      abandon: async () => {
        if (prepared.value?.store !== inUse?.store) prepared.value?.store.close();
      },
    });
  }
  health(): Health {
    if (!this.#provisioned) return { ok: false, detail: 'no document yet' };
    return { ok: true, detail: this.#running?.describe() ?? 'no domain for conferences: nothing to do' };
  }
  drain(): void {}
  undrain(): void {}
  remaining(): number {
    return 0;
  }
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  async #commit(prepared: Prepared | undefined): Promise<void> {
    this.#provisioned = true;
    const running = this.#running;
    if (running !== undefined && running.store === prepared?.store) return running.adopt(prepared);
    this.#running = undefined;
    await running?.stop();
    if (prepared !== undefined) this.#running = new Running(this.#context, this.#focusMetrics, prepared);
  }
}
