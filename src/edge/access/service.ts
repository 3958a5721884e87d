import { ok, type Result } from '#kernel';
import type {
  Health,
  Provision,
  Service,
  ServiceContext,
  ServiceDefinition,
  VerbHandler,
} from '#platform/service';
import type { EdgeDocument } from '#platform/topology';
import { type AccessMetrics, accessMetrics } from './metrics.ts';
import { type Prepared, prepare } from './prepared.ts';
import { Running, type RunningParts } from './running.ts';
import { accessVerbs } from './verbs.ts';

/** Access Edge service: port rows ext-05, int-02 and int-03. */
export const service: ServiceDefinition<EdgeDocument> = {
  name: 'access',
  title: 'Access Edge service',
  create: (context) => new AccessService(context),
};

/** The same, with parts of the caller's. */
export function accessService(context: ServiceContext, parts: RunningParts): Service<EdgeDocument> {
  return new AccessService(context, parts);
}

class AccessService implements Service<EdgeDocument> {
  readonly verbs: Readonly<Record<string, VerbHandler>>;
  readonly #context: ServiceContext;
  readonly #parts: RunningParts;
  readonly #metrics: AccessMetrics;
  #running: Running | undefined;
  #draining = false;

  constructor(context: ServiceContext, parts: RunningParts = {}) {
    this.#context = context;
    this.#parts = parts;
    this.#metrics = accessMetrics(context.metrics);
    this.verbs = accessVerbs(() => this.#running, this.#metrics);
  }

  async provision(document: EdgeDocument): Promise<Result<Provision>> {
    const prepared = await prepare(document, this.#context.clock.wall(), this.#context.random);
    if (!prepared.ok) return prepared;
    return ok({ commit: async () => this.#commit(prepared.value), abandon: async () => {} });
  }

  health(): Health {
    if (this.#running === undefined) return { ok: false, detail: 'no document yet' };
    const { clients, healthy, members, unserved } = this.#running.counts();
    const state = this.#draining ? 'draining, ' : '';
    const beyond = this.#running.indicators
      .exceeded()
      .map(({ name, value, unit }) => `, ${name} ${Math.round(value)} ${unit}`);
    const without = unserved.length === 0 ? '' : `, none for ${unserved.slice(0, 3).join(', ')}`;
    const detail = `${state}${clients} clients, next hop ${healthy} of ${members} reachable${without}${beyond.join('')}`;
    return { ok: true, detail };
  }

  drain(): void {
    this.#draining = true;
    this.#running?.drain();
  }
  undrain(): void {
    this.#draining = false;
    this.#running?.undrain();
  }
  /** Client connections: a draining service ends when the last client has gone elsewhere. */
  remaining(): number {
    return this.#running?.counts().clients ?? 0;
  }
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  #commit(prepared: Prepared): void {
    for (const warning of [...prepared.external.warnings, ...prepared.internal.warnings]) {
      this.#context.log.warn('certificate needs attention', { warning });
    }
    if (this.#running === undefined) {
      this.#running = new Running(this.#context, this.#metrics, prepared, this.#parts);
      if (this.#draining) this.#running.drain();
    } else {
      this.#running.adopt(prepared);
    }
    this.#running.listen(this.#context.sockets);
  }
}
