import { err, FailureError, failure, type Result } from '#kernel';
import type { MetricsPart } from '#platform/telemetry';
import type { ProgramStatus } from './administration-schema.ts';
import type { SupervisedService } from './supervised-service.ts';

type ServiceStatus = ProgramStatus['services'][number];

/** All services of a program, asked together; one that runs in several processes is one service for who asks. */
export class Fleet<Document> {
  readonly #draining = new Set<string>();
  readonly #groups = new Map<string, SupervisedService<Document>[]>();
  /** Who stands in for a process that is away: the process that does, and its number then. */
  readonly #standIns = new Map<
    SupervisedService<Document>,
    { readonly by: SupervisedService<Document>; readonly pid: number | undefined }
  >();
  /** Who is asked how it is, and has not answered. */
  readonly #asked = new Map<SupervisedService<Document>, Promise<void>>();
  #services: readonly SupervisedService<Document>[] = [];

  /** @param services the processes of each one after the other */
  form(services: readonly SupervisedService<Document>[]): void {
    this.#services = services;
    this.#groups.clear();
    for (const member of services) {
      const group = this.#groups.get(member.service);
      if (group === undefined) this.#groups.set(member.service, [member]);
      else group.push(member);
    }
  }
  /** Every process. */
  get services(): readonly SupervisedService<Document>[] {
    return this.#services;
  }
  isDraining(name: string): boolean {
    return this.#draining.has(name);
  }
  /** @param asked that {@link watch} was called and had time: who has not answered is not well, whatever it said before */
  status(asked = false): ServiceStatus[] {
    return Array.from(this.#groups, ([name, group]) => ({
      ...joined(
        group.map((member) => (asked && this.#asked.has(member) ? silent(member.status()) : member.status())),
      ),
      draining: this.isDraining(name),
    }));
  }
  get healthy(): boolean {
    return this.#services.every((service) => service.status().health.ok);
  }
  /**
   * Of a service in several processes each has sockets of its own: what comes to those of one that has ended is served by
   * another one until it is back, however long that takes.
   */
  standIn(): void {
    for (const group of this.#groups.values()) {
      for (const [index, member] of group.length > 1 ? group.entries() : []) {
        if (member.version !== undefined) this.#giveBack(member, index);
        else this.#standInFor(member, index, group);
      }
    }
  }
  #giveBack(member: SupervisedService<Document>, index: number): void {
    this.#standIns.get(member)?.by.giveBack(index);
    this.#standIns.delete(member);
  }
  #standInFor(
    member: SupervisedService<Document>,
    index: number,
    group: readonly SupervisedService<Document>[],
  ): void {
    const by = group.find((one) => one.version !== undefined);
    const now = this.#standIns.get(member);
    if (by === undefined || (now?.by === by && now.pid === by.pid)) return;
    by.standIn(index);
    this.#standIns.set(member, { by, pid: by.pid });
  }
  /** Asks all how they are, each once at a time: whoever looks often does not make a slow one silent more often. */
  watch(): Promise<unknown> {
    return Promise.all(this.#services.map((service) => this.#ask(service)));
  }
  #ask(service: SupervisedService<Document>): Promise<void> {
    const asked = this.#asked.get(service) ?? service.watch().finally(() => void this.#asked.delete(service));
    this.#asked.set(service, asked);
    return asked;
  }
  /** What still runs, over all services. */
  async remaining(): Promise<number> {
    const answers = await Promise.all(this.#services.map((service) => service.health()));
    return answers.reduce((sum, answer) => sum + (answer.ok ? answer.value.remaining : 0), 0);
  }
  /** One service, or all when no name is given; its failure does not keep the others from it. */
  async drain(on: boolean, name: string | undefined) {
    const chosen = name === undefined ? [...this.#groups] : [[name, this.#find(name)] as const];
    return { services: await Promise.all(chosen.map(([service, group]) => this.#drain(on, service, group))) };
  }
  async #drain(on: boolean, name: string, group: readonly SupervisedService<Document>[]) {
    if (on) this.#draining.add(name);
    else this.#draining.delete(name);
    const outcomes = await Promise.all(
      group.map(async (member) => {
        const outcome = await (on ? member.drain() : member.undrain());
        await member.health();
        return outcome;
      }),
    );
    const report = { name, remaining: sum(group.map((member) => member.status().remaining)) };
    const problem = outcomes.find((outcome) => !outcome.ok);
    return problem?.ok === false ? { ...report, problem: problem.error.message } : report;
  }
  /** The metrics of each process. */
  metrics(): Promise<MetricsPart[]> {
    return Promise.all(
      this.#services.map(async (member) => ({ labels: member.labels, snapshot: await member.metrics() })),
    );
  }
  /** Of a service in several processes, the first that runs answers, for all of them where the verb asks for that. */
  async verb(name: string, verb: string, args: unknown): Promise<Result<unknown>> {
    const group = this.#groups.get(name);
    if (group === undefined) return err(failure('SLP-SVC-0011', `no service ${name}`));
    const running = group.find((member) => member.status().state === 'running') ?? group[0];
    return running?.verb(verb, args) ?? err(failure('SLP-SVC-0001', `${name} is not running`));
  }
  async stop(withinMs: number): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop(withinMs)));
  }
  /** About events, to all that are there; their names. */
  tell(message: Parameters<SupervisedService<Document>['tell']>[0]): string[] {
    return this.#services.filter((service) => service.tell(message)).map(({ name }) => name);
  }
  #find(name: string): readonly SupervisedService<Document>[] {
    const group = this.#groups.get(name);
    if (group === undefined) throw new FailureError(failure('SLP-SVC-0011', `no service ${name}`));
    return group;
  }
}

type MemberStatus = ReturnType<SupervisedService<unknown>['status']>;

/** Of one that was asked and does not answer. */
function silent(status: MemberStatus): MemberStatus {
  return { ...status, health: { ok: false, detail: 'it has not answered yet' } };
}

/** One status for all processes of a service: it is as well as the worst of them. */
function joined(members: readonly MemberStatus[]): Omit<ServiceStatus, 'draining'> {
  const [first] = members;
  if (first === undefined) throw new Error('a service without a process');
  if (members.length === 1) return first;
  const worst = members.find(({ state }) => state !== 'running') ?? first;
  const ill = members.find(({ health }) => !health.ok);
  const versions = members.map(({ documentVersion }) => documentVersion);
  const details = members.map(({ health }, index) => `worker ${index + 1}: ${health.detail}`);
  return {
    ...first,
    state: worst.state,
    restarts: sum(members.map(({ restarts }) => restarts)),
    lastEnd: members.find(({ lastEnd }) => lastEnd !== undefined)?.lastEnd,
    documentVersion: versions.includes(undefined) ? undefined : first.documentVersion,
    health: { ok: ill === undefined, detail: details.join('; ') },
    remaining: sum(members.map(({ remaining }) => remaining)),
    workers: members.map(({ pid, state, restarts, lastEnd, health, remaining }) => ({
      pid,
      state,
      restarts,
      lastEnd,
      health,
      remaining,
    })),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
