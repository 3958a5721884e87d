import { err, FailureError, failure, type Result } from '#kernel';
import type { MetricsSnapshot } from '#platform/telemetry';
import type { SupervisedService } from './supervised-service.ts';

/** All services of a program, asked together. */
export class Fleet<Document> {
  readonly services: readonly SupervisedService<Document>[];
  readonly #draining = new Set<string>();

  constructor(services: readonly SupervisedService<Document>[]) {
    this.services = services;
  }
  isDraining(name: string): boolean {
    return this.#draining.has(name);
  }
  status() {
    return this.services.map((service) => ({ ...service.status(), draining: this.isDraining(service.name) }));
  }
  get healthy(): boolean {
    return this.services.every((service) => service.status().health.ok);
  }
  watch(): Promise<unknown> {
    return Promise.all(this.services.map((service) => service.watch()));
  }
  /** What still runs, over all services. */
  async remaining(): Promise<number> {
    const answers = await Promise.all(this.services.map((service) => service.health()));
    return answers.reduce((sum, answer) => sum + (answer.ok ? answer.value.remaining : 0), 0);
  }
  /** One service, or all when no name is given; its failure does not keep the others from it. */
  async drain(on: boolean, name: string | undefined) {
    const chosen = name === undefined ? this.services : [this.find(name)];
    const services = await Promise.all(
      chosen.map(async (service) => {
        if (on) this.#draining.add(service.name);
        else this.#draining.delete(service.name);
        const outcome = await (on ? service.drain() : service.undrain());
        await service.health();
        const { remaining } = service.status();
        const report = { name: service.name, remaining };
        return outcome.ok ? report : { ...report, problem: outcome.error.message };
      }),
    );
    return { services };
  }
  /** Each service's metrics by its name. */
  async metrics(): Promise<Map<string, MetricsSnapshot>> {
    const parts = this.services.map(async (service) => [service.name, await service.metrics()] as const);
    return new Map(await Promise.all(parts));
  }
  async verb(name: string, verb: string, args: unknown): Promise<Result<unknown>> {
    const service = this.services.find((candidate) => candidate.name === name);
    if (service === undefined) return err(failure('SLP-SVC-0011', `no service ${name}`));
    return service.verb(verb, args);
  }
  async stop(withinMs: number): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop(withinMs)));
  }
  /** About events, to all that are there; their names. */
  tell(message: Parameters<SupervisedService<Document>['tell']>[0]): string[] {
    return this.services.filter((service) => service.tell(message)).map(({ name }) => name);
  }
  find(name: string): SupervisedService<Document> {
    const service = this.services.find((candidate) => candidate.name === name);
    if (service === undefined) throw new FailureError(failure('SLP-SVC-0011', `no service ${name}`));
    return service;
  }
}
