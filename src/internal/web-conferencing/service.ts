import { ok, type Result } from '#kernel';
import type { Health, Provision, Service, ServiceContext, ServiceDefinition } from '#platform/service';
import type { InternalDocument } from '#platform/topology';
import { type FocusMetrics, focusMetrics } from './focus/focus-metrics.ts';
import { type Prepared, prepare } from './prepared.ts';
import { Running } from './running.ts';
import { type ServiceMetrics, serviceMetrics } from './service-metrics.ts';
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
  readonly #metrics: ServiceMetrics & { readonly focus: FocusMetrics };
  #running: Running | undefined;
  #provisioned = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#metrics = { ...serviceMetrics(context.metrics), focus: focusMetrics(context.metrics) };
    this.verbs = meetingVerbs(() => this.#running);
  }

  async provision(document: InternalDocument): Promise<Result<Provision>> {
    const running = this.#running;
    const prepared = prepare(document, this.#context.clock.wall(), running);
    if (!prepared.ok) return prepared;
    return ok({
      commit: async () => this.#commit(prepared.value),
      abandon: async () => {
        if (prepared.value?.store !== running?.store) prepared.value?.store.close();
      },
    });
  }
  health(): Health {
    if (!this.#provisioned) return { ok: false, detail: 'no document yet' };
    return { ok: true, detail: this.#running?.describe() ?? 'no domain for conferences: nothing to do' };
  }
  drain(): void {
    this.#running?.participants.drain();
  }
  undrain(): void {
    this.#running?.participants.undrain();
  }
  /** Participants that are connected: none of them is lost, they come back. */
  remaining(): number {
    return this.#running?.meetings.connections ?? 0;
  }
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  async #commit(prepared: Prepared | undefined): Promise<void> {
    this.#provisioned = true;
    const running = this.#running;
    if (running !== undefined && running.store === prepared?.store) {
      running.adopt(prepared);
      return running.listen();
    }
    this.#running = undefined;
    await running?.stop();
    if (prepared === undefined) return;
    this.#running = new Running(this.#context, this.#metrics, prepared);
    this.#running.listen();
  }
}
