import { ok, type Result } from '#kernel';
import type {
  Health,
  Provision,
  Service,
  ServiceContext,
  ServiceDefinition,
  VerbHandler,
  WorkerPlace,
} from '#platform/service';
import type { EdgeDocument } from '#platform/topology';
import { type AccessMetrics, accessMetrics } from './metrics.ts';
import { type Prepared, prepare } from './prepared.ts';
import { Running, type RunningParts } from './running.ts';
import { ALONE } from './settings.ts';
import { accessVerbs } from './verbs.ts';
import { gatheredVerbs } from './workers/gathered-verbs.ts';
import { Team } from './workers/team.ts';

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
  /** Those for this worker alone. */
  readonly #own: Readonly<Record<string, VerbHandler>>;
  readonly #place: WorkerPlace;
  #running: Running | undefined;
  #draining = false;

  constructor(context: ServiceContext, parts: RunningParts = {}) {
    this.#context = context;
    this.#parts = parts;
    this.#metrics = accessMetrics(context.metrics);
    this.#place = context.worker ?? ALONE;
    const own = accessVerbs(() => this.#running, this.#metrics);
    this.#own = own;
    this.verbs = this.#place.count === 1 ? own : gatheredVerbs(own, () => this.#running?.team);
  }

  async provision(document: EdgeDocument): Promise<Result<Provision>> {
    const { clock, random } = this.#context;
    const prepared = await prepare(document, clock.wall(), random, this.#place);
    if (!prepared.ok) return prepared;
    return ok({ commit: () => this.#commit(prepared.value), abandon: async () => {} });
  }

  health(): Health {
    if (this.#running === undefined) return { ok: false, detail: 'no document yet' };
    const { clients, healthy, members, unserved } = this.#running.counts();
    const state = this.#draining ? 'draining, ' : '';
    const beyond = this.#running.indicators
      .exceeded()
      .map(({ name, value, unit }) => `, ${name} ${Math.round(value)} ${unit}`);
    const without = unserved.length === 0 ? '' : `, none for ${unserved.slice(0, 3).join(', ')}`;
    const missing = this.#running.team?.missing() ?? [];
    const away = missing.length === 0 ? '' : `, worker ${missing.join(', ')} away`;
    const detail = `${state}${clients} clients, next hop ${healthy} of ${members} reachable${without}${away}${beyond.join('')}`;
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

  async #commit(prepared: Prepared): Promise<void> {
    for (const warning of prepared.warnings) {
      this.#context.log.warn('certificate needs attention', { warning });
    }
    if (this.#running === undefined) {
      const team = this.#place.count === 1 ? undefined : this.#team(prepared);
      this.#running = new Running(this.#context, this.#metrics, prepared, { ...this.#parts, team });
      if (this.#draining) this.#running.drain();
      await this.#running.join();
    } else {
      this.#running.adopt(prepared);
    }
    this.#running.listen(this.#context.sockets);
  }

  #team({ folder }: Prepared): Team {
    const { clock, log, metrics } = this.#context;
    const verb = async (name: string, args: unknown) => this.#own[name]?.(args);
    return new Team({ clock, log, metrics, place: this.#place, folder, verb });
  }
}
