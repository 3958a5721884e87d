import { type Clock, err, failure, ok, type Random, type Result } from '#kernel';
import type { Log, MetricsSnapshot } from '#platform/telemetry';
import type { EventField, EventLevel } from '#protocols/log-query';
import type { ReloadReport } from './administration-schema.ts';
import type { BoundSocket } from './bound-socket.ts';
import { Calls, withoutValue } from './calls.ts';
import type { WorkerPlace } from './definition.ts';
import type { EventHub } from './event-hub.ts';
import type { Launched, Launcher } from './launch.ts';
import {
  type CallAction,
  fromService,
  type HealthReply,
  healthReply,
  metricsReply,
  receiveFailure,
  type ToService,
} from './messages.ts';
import type { ServiceEntry } from './program.ts';
import type { Configuration, Participant } from './reconfiguration.ts';
import { RestartPolicy } from './restart-policy.ts';

export interface Deadlines {
  /** From its start until a service says that it is ready. */
  readonly readyMs: number;
  readonly provisionMs: number;
  readonly commitMs: number;
  readonly verbMs: number;
  readonly healthMs: number;
}
/** Milliseconds. */
export const DEFAULT_DEADLINES: Deadlines = {
  readyMs: 30_000,
  provisionMs: 30_000,
  commitMs: 10_000,
  verbMs: 30_000,
  healthMs: 10_000,
};
/** For a process to answer and to end once its service has stopped. Milliseconds. */
const GRACE_MS = 500;
/** Silent for so many questions after health, a service is replaced. */
const SILENCES = 3;

export interface SupervisedServiceOptions<Document> {
  readonly entry: ServiceEntry;
  /** Which of the processes of the service it is; the only one when left out. */
  readonly worker?: WorkerPlace;
  readonly launch: Launcher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly deadlines: Deadlines;
  /** What a restarted service has to run with; undefined until the first document was accepted. */
  readonly current: () => Configuration<Document> | undefined;
  readonly draining: () => boolean;
  /** The sockets of a listener for the process with this index: one for each of its threads that serve it. */
  readonly sockets: (id: string, worker: number) => Result<BoundSocket[]>;
  readonly events: Pick<EventHub, 'attach' | 'detach' | 'emit' | 'demand' | 'handleDemand' | 'handleSync'>;
  readonly onRestart: (service: string) => void;
  /** It has ended, or is back: whoever stands in for others may have to change. */
  readonly onChange?: () => void;
  readonly onOffer: (service: string, file: string) => Promise<ReloadReport>;
}

export type ServiceState = 'starting' | 'ready' | 'running' | 'waiting' | 'stopped';

interface Life {
  readonly launched: Launched;
  readonly calls: Calls;
  /** Ids of the sockets that it holds. */
  readonly sockets: Set<string>;
  readonly ready: PromiseWithResolvers<void>;
  /** It has said something that nobody understands. */
  confused: boolean;
}

/** The supervisor's side of one service: starts it, talks to it, starts it again when it ends. */
export class SupervisedService<Document> implements Participant<Document> {
  /** Of the process: that of the service, and a number where there are several. */
  readonly name: string;
  readonly service: string;
  readonly title: string;
  readonly #worker: WorkerPlace;
  readonly #options: SupervisedServiceOptions<Document>;
  readonly #log: Log;
  readonly #policy: RestartPolicy;
  #life: Life | undefined;
  #state: ServiceState = 'stopped';
  #stopping = false;
  #bringingUp: Promise<void> = Promise.resolve();
  #prepared: Configuration<Document> | undefined;
  #silences = 0;
  #restarts = 0;
  #version: number | undefined;
  #lastEnd: string | undefined;
  #health: HealthReply = { ok: false, detail: 'not asked yet', remaining: 0 };
  #verbs: readonly string[] = [];

  constructor(options: SupervisedServiceOptions<Document>) {
    const { entry, worker = { index: 0, count: 1 } } = options;
    const several = worker.count > 1;
    this.#options = options;
    this.#worker = worker;
    this.service = entry.name;
    this.name = several ? `${entry.name}/${worker.index + 1}` : entry.name;
    this.title = entry.title;
    this.#log = options.log.child({
      service: entry.name,
      ...(several ? { worker: worker.index + 1 } : {}),
    });
    this.#policy = new RestartPolicy(options.random);
  }

  status() {
    return {
      name: this.service,
      title: this.title,
      state: this.#state,
      pid: this.#life?.launched.pid,
      restarts: this.#restarts,
      lastEnd: this.#lastEnd,
      documentVersion: this.#version,
      health: { ok: this.#health.ok, detail: this.#health.detail },
      remaining: this.#health.remaining,
      verbs: [...this.#verbs],
    };
  }

  start(): void {
    const launched = this.#options.launch(this.#options.entry, this.#worker);
    const calls = new Calls(launched.channel, this.#options.clock);
    const life: Life = {
      launched,
      calls,
      sockets: new Set(),
      ready: Promise.withResolvers(),
      confused: false,
    };
    this.#life = life;
    this.#state = 'starting';
    launched.channel.onMessage = (message) => this.#receive(life, message);
    this.#options.events.attach(this.name, launched.events, this.service);
    const late = this.#options.clock.after(this.#options.deadlines.readyMs, () =>
      this.replace('not ready in time'),
    );
    void life.ready.promise.then(late);
    void launched.ended.then((how) => {
      late();
      this.#ended(life, how);
    });
  }

  /** Until the service that is starting is ready; false when it is not by then. */
  async #awaitReady(): Promise<boolean> {
    const life = this.#life;
    if (life === undefined) return false;
    const gone = life.launched.ended.then(() => false);
    return Promise.race([life.ready.promise.then(() => true), gone]);
  }

  get pid(): number | undefined {
    return this.#life?.launched.pid;
  }
  /** What its metrics are told apart by. */
  get labels(): Readonly<Record<string, string>> {
    const { index, count } = this.#worker;
    return { service: this.service, ...(count > 1 ? { worker: String(index + 1) } : {}) };
  }

  /** The number of the document that it runs with. */
  get version(): number | undefined {
    return this.#version;
  }

  async prepare(configuration: Configuration<Document>): Promise<Result<void>> {
    // A new document may be just what a service needs that keeps ending: no waiting for the back-off.
    if (this.#state === 'waiting') this.start();
    await this.#bringingUp;
    return this.#prepare(configuration);
  }

  async #prepare(configuration: Configuration<Document>): Promise<Result<void>> {
    if (!(await this.#awaitReady())) return err(failure('SLP-SVC-0001', `${this.name} is not running`));
    const listeners = configuration.plan.filter((listener) => listener.service === this.service);
    for (const { id } of listeners) {
      const sent = this.#sendSocket(id);
      if (!sent.ok) return sent;
    }
    const { version, document } = configuration;
    const request: CallAction = { action: 'provision', version, document, listeners };
    const outcome = await this.#call(request, this.#options.deadlines.provisionMs);
    if (outcome.ok) this.#prepared = configuration;
    else this.#keepSockets(this.#options.current());
    return withoutValue(outcome);
  }

  async commit(version: number): Promise<Result<void>> {
    const outcome = await this.#call({ action: 'commit', version }, this.#options.deadlines.commitMs);
    if (!outcome.ok) return outcome;
    this.#version = version;
    this.#state = 'running';
    this.#keepSockets(this.#prepared);
    this.#options.onChange?.();
    return ok(undefined);
  }

  async abandon(version: number): Promise<Result<void>> {
    if (this.#state !== 'ready' && this.#state !== 'running') return ok(undefined);
    const outcome = await this.#call({ action: 'abandon', version }, this.#options.deadlines.commitMs);
    this.#keepSockets(this.#options.current());
    if (this.#state === 'ready') this.#beginBringUp();
    return withoutValue(outcome);
  }

  async health(): Promise<Result<HealthReply>> {
    const outcome = await this.#call({ action: 'health' }, this.#options.deadlines.healthMs);
    const parsed = outcome.ok ? healthReply.safeParse(outcome.value) : undefined;
    if (parsed?.success === true) {
      this.#logChange(parsed.data);
      this.#health = parsed.data;
      return ok(parsed.data);
    }
    const problem = outcome.ok ? failure('SLP-SVC-0012', 'reply about health') : outcome.error;
    this.#health = { ok: false, detail: problem.message, remaining: this.#health.remaining };
    return err(problem);
  }

  #logChange(now: HealthReply): void {
    if (now.ok === this.#health.ok || this.#state !== 'running') return;
    if (now.ok) this.#log.info('service is healthy', { detail: now.detail });
    else this.#log.warn('service is not healthy', { detail: now.detail });
  }

  /** Asks after health; a service that stays silent again and again is replaced. */
  async watch(): Promise<void> {
    const life = this.#life;
    if (this.#state !== 'running') return;
    const answer = await this.health();
    if (life !== this.#life) return;
    this.#silences = !answer.ok && answer.error.code === 'SLP-SVC-0009' ? this.#silences + 1 : 0;
    if (this.#silences >= SILENCES) this.replace('it does not answer');
  }

  verb(name: string, args: unknown): Promise<Result<unknown>> {
    return this.#call({ action: 'verb', verb: name, arguments: args }, this.#options.deadlines.verbMs);
  }
  async drain(): Promise<Result<void>> {
    return withoutValue(await this.#call({ action: 'drain' }, this.#options.deadlines.verbMs));
  }
  async undrain(): Promise<Result<void>> {
    return withoutValue(await this.#call({ action: 'undrain' }, this.#options.deadlines.verbMs));
  }
  async metrics(): Promise<MetricsSnapshot> {
    if (this.#state !== 'running') return [];
    const outcome = await this.#call({ action: 'metrics' }, this.#options.deadlines.healthMs);
    const parsed = outcome.ok ? metricsReply.safeParse(outcome.value) : undefined;
    return parsed?.success === true ? parsed.data : [];
  }

  /** About events; false when it is not there to hear it. */
  tell(message: Extract<ToService, { type: 'demand' | 'mark' }>): boolean {
    const life = this.#life;
    if (life === undefined || this.#state === 'starting') return false;
    life.launched.channel.send(message);
    return true;
  }

  /** Serves what comes for another process of the service, which is away, until `giveBack`. */
  standIn(of: number): void {
    for (const { id, service, transport } of this.#options.current()?.plan ?? []) {
      if (service !== this.service || transport !== 'tcp') continue;
      const sockets = this.#options.sockets(id, of);
      if (sockets.ok) this.#life?.launched.channel.send({ type: 'socket', id, of }, sockets.value[0]);
    }
  }
  giveBack(of: number): void {
    this.#life?.launched.channel.send({ type: 'return', of });
  }

  replace(reason: string): void {
    if (this.#life === undefined) return;
    this.#log.error('service is replaced', { code: 'SLP-SVC-0009', reason, pid: this.#life.launched.pid });
    this.#life.launched.kill();
  }

  /** For good: asks it to stop within so many milliseconds, then ends it without asking. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true;
    const life = this.#life;
    const unready = this.#state === 'starting';
    if (life !== undefined && !unready) await this.#call({ action: 'stop', withinMs }, withinMs + GRACE_MS);
    this.#state = 'stopped';
    if (life === undefined) return;
    life.launched.channel.close();
    const cancel = this.#options.clock.after(GRACE_MS, () => life.launched.kill());
    await life.launched.ended;
    cancel();
  }

  #call(request: CallAction, timeoutMs: number): Promise<Result<unknown>> {
    const life = this.#life;
    if (life === undefined || this.#state === 'starting')
      return Promise.resolve(err(failure('SLP-SVC-0001', `${this.name} is not running`)));
    return life.calls.call(request, timeoutMs);
  }

  #sendSocket(id: string): Result<void> {
    const life = this.#life;
    if (life === undefined || life.sockets.has(id)) return ok(undefined);
    const sockets = this.#options.sockets(id, this.#worker.index);
    if (!sockets.ok) return sockets;
    for (const [share, socket] of sockets.value.entries())
      life.launched.channel.send({ type: 'socket', id, share }, socket);
    life.sockets.add(id);
    return ok(undefined);
  }
  /** As the other side did: it closes every socket that the plan it returns to, or swaps to, does not list. */
  #keepSockets(configuration: Configuration<Document> | undefined): void {
    const listed = new Set(configuration?.plan.map((listener) => listener.id));
    for (const id of [...(this.#life?.sockets ?? [])]) {
      if (!listed.has(id)) this.#life?.sockets.delete(id);
    }
  }

  #receive(life: Life, raw: unknown): void {
    const parsed = fromService.safeParse(raw);
    if (!parsed.success) {
      // Once a life is enough: a service gone wrong may say it without end.
      if (!life.confused) this.#log.error('message from a service not understood', { code: 'SLP-SVC-0012' });
      life.confused = true;
      return;
    }
    const message = parsed.data;
    switch (message.type) {
      case 'ready':
        if (life !== this.#life || this.#state !== 'starting') return;
        this.#verbs = message.verbs;
        this.#state = 'ready';
        this.tell({ type: 'demand', demand: this.#options.events.demand });
        life.ready.resolve();
        return;
      case 'reply':
        life.calls.settle(message.call, ok(message.value));
        return;
      case 'refusal':
        life.calls.settle(message.call, err(receiveFailure(message.failure)));
        return;
      case 'offer':
        void this.#options.onOffer(this.service, message.file).then((report) => {
          if (life === this.#life)
            life.launched.channel.send({ type: 'verdict', offer: message.offer, report });
        });
        return;
      case 'demand':
        this.#options.events.handleDemand(this.name, message.demand);
        return;
      case 'sync':
        this.#options.events.handleSync(this.name, message.number);
    }
  }

  #ended(life: Life, how: string): void {
    life.calls.close();
    life.launched.channel.close();
    if (life !== this.#life) return;
    this.#options.events.detach(this.name);
    this.#life = undefined;
    this.#silences = 0;
    this.#version = undefined;
    this.#lastEnd = how;
    this.#health = { ok: false, detail: `not running (${how})`, remaining: 0 };
    if (this.#stopping) return;
    const delay = this.#policy.delay(this.#options.clock.now());
    this.#state = 'waiting';
    this.#restarts += 1;
    this.#log.error('service ended', { code: 'SLP-SVC-0001', how, restartInMs: Math.round(delay) });
    this.#options.onRestart(this.service);
    this.#options.onChange?.();
    this.#tell('service-ended', 'error', { service: this.name, how, restartInMs: Math.round(delay) });
    if (delay === 0) this.#restart();
    else this.#options.clock.after(delay, () => this.#restart());
  }

  #tell(name: string, level: EventLevel, fields: Readonly<Record<string, EventField>>): void {
    this.#options.events.emit({
      provider: 'Supervisor',
      component: 'supervisor',
      level,
      kind: 'state',
      name,
      flags: ['component'],
      fields,
    });
  }

  #restart(): void {
    if (this.#stopping || this.#life !== undefined) return;
    this.start();
    this.#beginBringUp();
  }

  #beginBringUp(): void {
    this.#bringingUp = this.#bringUp(this.#life);
  }
  /** Gives a restarted service what the others already run with. */
  async #bringUp(life: Life | undefined): Promise<void> {
    if (!(await this.#awaitReady())) return;
    const configuration = this.#options.current();
    if (configuration === undefined) return;
    const prepared = await this.#prepare(configuration);
    const outcome = prepared.ok ? await this.commit(configuration.version) : prepared;
    if (life !== this.#life) return;
    if (!outcome.ok) return this.replace(outcome.error.message);
    if (this.#options.draining()) await this.drain();
    this.#tell('service-back', 'info', { service: this.name, version: configuration.version });
    this.#log.info('service is back', { pid: life?.launched.pid, documentVersion: configuration.version });
    await this.health();
  }
}
