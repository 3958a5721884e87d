import { type Clock, err, type Failure, FailureError, failure, ok, type Result } from '#kernel';
import { type Counter, type Log, Metrics, mergeSnapshots, renderSnapshot } from '#platform/telemetry';
import { type DocumentFinding, formatDocumentError } from '#platform/topology';
import { type Administered, Administration } from './administration.ts';
import type { ProgramStatus, ReloadReport } from './administration-schema.ts';
import { describe } from './bound-socket.ts';
import type { WorkerPlace } from './definition.ts';
import { EventHub } from './event-hub.ts';
import { FileWatch } from './file-watch.ts';
import { Fleet } from './fleet.ts';
import type { Launcher } from './launch.ts';
import { ListenerTable } from './listener-table.ts';
import { Observability } from './observability.ts';
import type { OfferJudge } from './offer.ts';
import { Parallelism } from './parallelism.ts';
import { becomeServer } from './preparation.ts';
import { describeFailure, describeProblems, onlyUnhealthy } from './problems.ts';
import type { Program, ServiceEntry } from './program.ts';
import { type Configuration, type ReconfigurationFailure, reconfigure } from './reconfiguration.ts';
import { SupervisedService } from './supervised-service.ts';
import type { StartFailure, SupervisorParts, Timing } from './supervisor-options.ts';
import { WatchedFiles } from './watched-files.ts';

/** For services to say how they are when the operator asks. Milliseconds. */
const STATUS_WAIT_MS = 1000;
/** Of the time to stop in, the part that services get after draining, at most. Milliseconds. */
const STOP_SHARE_MS = 5000;

export interface SupervisorOptions<Document> extends SupervisorParts {
  readonly program: Program<Document>;
  readonly file: string;
  readonly mode: ProgramStatus['mode'];
  readonly launch: Launcher;
}

type Loaded<Document> = Result<Configuration<Document>, readonly DocumentFinding[]>;

/** Owns the listening sockets, the service processes and the configuration of one program. */
export class Supervisor<Document> {
  readonly #options: SupervisorOptions<Document>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timing: Timing;
  readonly #parallelism: Parallelism<Document>;
  readonly #table: ListenerTable;
  readonly #metrics = new Metrics();
  readonly #restarts: Counter<string>;
  readonly #reloads: Counter<ReloadReport['outcome']>;
  readonly #events: EventHub;
  readonly #fleet = new Fleet<Document>();
  readonly #observability: Observability;
  readonly #watch: FileWatch;
  readonly #files: WatchedFiles<Document>;
  readonly #startedAt: number;
  readonly #ended = Promise.withResolvers<void>();
  #administration: Administration | undefined;
  #current: Configuration<Document> | undefined;
  #acceptedAt = 0;
  #version = 0;
  #reloading: Promise<unknown> = Promise.resolve();
  #nextReload: Promise<ReloadReport> | undefined;
  #stopping: Promise<void> | undefined;
  #drainUntil = Number.POSITIVE_INFINITY;

  constructor(options: SupervisorOptions<Document>) {
    const { program, clock, log, timing } = options;
    this.#options = options;
    this.#parallelism = new Parallelism(program, options.mode);
    this.#table = new ListenerTable((listener) => this.#parallelism.socketsOf(listener));
    this.#clock = clock;
    this.#log = log;
    this.#timing = timing;
    this.#startedAt = clock.wall();
    this.#events = new EventHub({
      clock,
      collector: program.collector,
      tell: (demand) => void this.#fleet.tell({ type: 'demand', demand }),
      mark: (number) => this.#fleet.tell({ type: 'mark', number }),
    });
    this.#observability = new Observability(
      { metrics: () => this.metrics(), health: () => this.health() },
      log,
    );
    this.#files = new WatchedFiles(options.file, (document) => program.files(document));
    this.#watch = new FileWatch({
      clock,
      intervalMs: timing.filesMs,
      files: () => this.#files.of(this.#current?.document),
      onChange: () => void this.reload('a file changed'),
    });
    const names = program.services.map((service) => service.name);
    this.#metrics.collectProcess();
    this.#restarts = this.#metrics.counter('sallyport_service_restarts_total', 'Services started again.', {
      name: 'name',
      values: names,
    });
    this.#reloads = this.#metrics.counter(
      'sallyport_reloads_total',
      'Documents offered to running services.',
      {
        name: 'outcome',
        values: ['applied', 'refused', 'rolled-back'],
      },
    );
    this.#metrics.observe('sallyport_healthy', '1 while every service is.', () =>
      this.#fleet.healthy ? 1 : 0,
    );
  }

  /** Fulfilled when everything has stopped. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async start(): Promise<Result<void, StartFailure>> {
    await this.#watch.note([this.#options.file]);
    const loaded = this.#load();
    if (!loaded.ok) return err({ problems: [failure('SLP-SVC-0014')], findings: loaded.error });
    const configuration = loaded.value;
    this.#form(configuration.document);
    const bound = this.#table.extend(configuration.plan);
    if (!bound.ok) return err({ problems: bound.error, findings: [] });
    const outcome = await this.#begin(configuration);
    if (outcome.ok) return ok(undefined);
    await this.#fleet.stop(STOP_SHARE_MS);
    await this.#close();
    return err({ problems: outcome.error, findings: [] });
  }

  /** Who runs in how many processes is decided once: a privileged port cannot be bound again later. */
  #form(document: Document): void {
    const { program } = this.#options;
    this.#parallelism.fix(document);
    this.#fleet.form(
      program.services.flatMap((entry) => {
        const count = this.#parallelism.workersOf(entry.name);
        return Array.from({ length: count }, (_, index) => this.#supervise(entry, { index, count }));
      }),
    );
  }

  async #begin(configuration: Configuration<Document>): Promise<Result<void, Failure[]>> {
    const { program } = this.#options;
    const host = program.host(configuration.document);
    const became = becomeServer(host, this.#log);
    if (!became.ok) return err([became.error]);
    await this.#watch.note(program.files(configuration.document));
    const administration = new Administration(host.administration.socket, this.#administered(), this.#log);
    const opened = await administration.open();
    if (!opened.ok) return err([opened.error]);
    this.#administration = administration;
    if (this.#stopping !== undefined) return err([failure('SLP-SVC-0001', 'told to stop while starting')]);
    for (const service of this.#fleet.services) service.start();
    const outcome = await reconfigure(this.#fleet.services, configuration, undefined, this.#timingForSwap());
    if (!outcome.ok && !onlyUnhealthy(outcome.error)) return err(this.#failures(outcome.error));
    if (!outcome.ok)
      this.#log.warn('started, but not healthy', { problems: describeProblems(outcome.error) });
    await this.#accept(configuration);
    for (const listener of configuration.plan)
      this.#log.info('listening', { on: describe(listener), id: listener.id });
    this.#log.info('running', {
      program: program.name,
      document: this.#options.file,
      mode: this.#options.mode,
    });
    this.#watch.start();
    this.#watchServices();
    return ok(undefined);
  }

  /**
   * One after another; a document that cannot run leaves the one that does. Whoever asks while one waits for its turn
   * gets that one's report, since it reads the files later than the asking.
   */
  reload(reason: string): Promise<ReloadReport> {
    if (this.#nextReload === undefined) {
      this.#nextReload = this.#inTurn(() => {
        this.#nextReload = undefined;
        return this.#reloadOnce(reason);
      });
    }
    return this.#nextReload;
  }

  #inTurn(task: () => Promise<ReloadReport>): Promise<ReloadReport> {
    const turn = this.#reloading.then(async () => {
      try {
        return await task();
      } catch (error) {
        this.#log.error('reload failed', { error });
        return this.#report('refused', [error instanceof Error ? error.message : String(error)]);
      }
    });
    this.#reloading = turn;
    return turn;
  }

  async #reloadOnce(reason: string): Promise<ReloadReport> {
    this.#log.info('reloading', { reason, document: this.#options.file });
    await this.#watch.note(this.#files.of(undefined));
    return this.#try(this.#load());
  }

  /** A document that a service received, in its turn among reloads. */
  #offer(service: string, file: string): Promise<ReloadReport> {
    const { offers } = this.#options.program;
    if (offers?.service !== service)
      return Promise.resolve(this.#report('refused', [`${service} may not offer`]));
    return this.#inTurn(() => this.#offerOnce(offers, file));
  }
  async #offerOnce(offers: OfferJudge<Document>, file: string): Promise<ReloadReport> {
    const judgement = offers.judge(this.#options.file, file);
    if (judgement.kind === 'unchanged') return this.#report('applied', []);
    if (judgement.kind === 'refused') return this.#report('refused', [...judgement.problems]);
    const report = await this.#try(this.#load(judgement.load()), judgement.keep);
    judgement.settle(report.outcome, report.problems);
    await this.#watch.note(this.#files.of(this.#current?.document));
    return report;
  }

  /** @param keep throws when what all services run with now cannot be kept; then they return to what they had */
  async #try(loaded: Loaded<Document>, keep = () => {}): Promise<ReloadReport> {
    const previous = this.#current;
    if (previous === undefined || this.#stopping !== undefined)
      return this.#report('refused', ['not running']);
    if (!loaded.ok) return this.#report('refused', loaded.error.map(formatDocumentError));
    const target = loaded.value;
    this.#warnAboutFixedSettings(previous.document, target.document);
    await this.#watch.note(this.#options.program.files(target.document));
    const bound = this.#table.extend(target.plan);
    if (!bound.ok) return this.#report('refused', bound.error.map(describeFailure));
    const outcome = await reconfigure(this.#fleet.services, target, previous, this.#timingForSwap(), keep);
    if (!outcome.ok) {
      this.#table.reduceTo(previous.plan);
      return this.#report(outcome.error.stage, describeProblems(outcome.error));
    }
    await this.#accept(target);
    return this.#report('applied', []);
  }

  async #accept(configuration: Configuration<Document>): Promise<void> {
    this.#current = configuration;
    this.#acceptedAt = this.#clock.wall();
    const own = configuration.plan.find((listener) => listener.service === 'supervisor');
    if (own === undefined) await this.#observability.close();
    else await this.#observability.serve(own.id, () => this.#ownSocket(own.id));
    this.#table.reduceTo(configuration.plan);
  }
  #ownSocket(id: string) {
    const socket = this.#table.socket(id);
    if (!socket.ok) this.#log.error('metrics are not served', { problem: describeFailure(socket.error) });
    return socket.ok ? socket.value : undefined;
  }

  #report(outcome: ReloadReport['outcome'], problems: string[]): ReloadReport {
    this.#reloads.inc(outcome);
    const version = this.#current?.version ?? 0;
    const applied = outcome === 'applied';
    this.#events.emit({
      provider: 'Supervisor',
      component: 'supervisor',
      level: applied ? 'info' : 'error',
      kind: 'state',
      name: applied ? 'document-applied' : 'document-not-applied',
      flags: ['component'],
      fields: { outcome, version, ...(applied ? {} : { problem: (problems[0] ?? '').slice(0, 400) }) },
    });
    if (applied) this.#log.info('document applied', { version });
    else this.#log.error('document not applied', { outcome, version, problems });
    return { outcome, version, problems };
  }

  #load(loaded = this.#options.program.load(this.#options.file)): Loaded<Document> {
    if (!loaded.ok) return loaded;
    this.#version += 1;
    const document = loaded.value;
    return ok({ version: this.#version, document, plan: this.#options.program.listeners(document) });
  }
  #warnAboutFixedSettings(before: Document, after: Document): void {
    const [was, is] = [this.#options.program.host(before), this.#options.program.host(after)];
    const changed = [
      ...(was.administration.socket === is.administration.socket ? [] : ['host.administration.socket']),
      ...(was.runAs === is.runAs ? [] : ['host.runAs']),
      ...this.#parallelism.changedBy(after).map((name) => `host.workers.${name}`),
    ];
    if (changed.length > 0) this.#log.warn('needs a restart', { settings: changed });
  }
  #timingForSwap() {
    return { clock: this.#clock, healthyMs: this.#timing.healthyMs, pollMs: this.#timing.pollMs };
  }
  #failures(problem: ReconfigurationFailure): Failure[] {
    return problem.problems.map(({ service, failure: cause }) => ({
      ...cause,
      message: `${service}: ${cause.message}`,
    }));
  }

  #supervise(entry: ServiceEntry, worker: WorkerPlace): SupervisedService<Document> {
    const { launch, clock, random, log, timing } = this.#options;
    return new SupervisedService<Document>({
      entry,
      worker,
      launch,
      clock,
      random,
      log,
      deadlines: timing,
      current: () => this.#current,
      draining: () => this.#fleet.isDraining(entry.name),
      sockets: (id, index) => this.#table.socketsOf(id, index),
      events: this.#events,
      onRestart: (service) => this.#restarts.inc(service),
      onChange: () => this.#fleet.standIn(),
      onOffer: (service, file) => this.#offer(service, file),
    });
  }

  #watchServices(): void {
    this.#clock.after(this.#timing.watchMs, () => {
      if (this.#stopping !== undefined) return;
      void this.#fleet.watch().then(() => this.#watchServices());
    });
  }

  /** @param asked that everybody has been asked and had time to answer */
  status(asked = false): ProgramStatus {
    const { program, mode, file } = this.#options;
    const services = this.#fleet.status(asked);
    return {
      program: program.name,
      mode,
      pid: process.pid,
      node: process.version,
      startedAt: this.#startedAt,
      document: { file, version: this.#current?.version ?? 0, acceptedAt: this.#acceptedAt },
      healthy: services.every(({ health }) => health.ok),
      services,
      listeners: this.#table.plans(),
      events: { latest: this.#events.journal.latest, dropped: this.#events.journal.dropped },
    };
  }
  health() {
    const services = this.#fleet
      .status()
      .map(({ name, health, draining }) => ({ name, ...health, draining }));
    return { ok: services.every((service) => service.ok && !service.draining), services };
  }
  async metrics(): Promise<string> {
    const own = { labels: { service: 'supervisor' }, snapshot: await this.#metrics.json() };
    return renderSnapshot(mergeSnapshots([own, ...(await this.#fleet.metrics())]));
  }

  #administered(): Administered {
    return {
      status: async () => {
        // As it is now, not as it was at the last look; one that does not answer does not hold the others up.
        await Promise.race([this.#fleet.watch(), this.#pause(STATUS_WAIT_MS)]);
        return this.status(true);
      },
      reload: () => this.reload('asked by the operator'),
      drain: (args) => this.#fleet.drain(true, args.service),
      undrain: (args) => this.#fleet.drain(false, args.service),
      call: async (args) => unwrap(await this.#fleet.verb(args.service, args.verb, args.arguments ?? {})),
      metrics: async () => ({ text: await this.metrics() }),
      events: async (asked) => this.#events.journal.page(asked),
    };
  }

  /**
   * Drains, then stops, all within so many milliseconds; without `drain` at once. A second call can only make it
   * sooner.
   */
  stop(withinMs: number, drain: boolean): Promise<void> {
    const share = Math.min(STOP_SHARE_MS, withinMs * 0.7);
    const drainMs = drain ? Math.max(0, withinMs - share - 1000) : 0;
    this.#drainUntil = Math.min(this.#drainUntil, this.#clock.now() + drainMs);
    this.#stopping ??= this.#stopOnce(drain, share);
    return this.#stopping;
  }

  async #stopOnce(drain: boolean, shareMs: number): Promise<void> {
    this.#log.info('stopping', { drain });
    this.#watch.stop();
    if (drain) await this.#awaitDrained();
    await this.#fleet.stop(shareMs);
    await this.#close();
    this.#log.info('stopped');
    this.#ended.resolve();
  }
  async #awaitDrained(): Promise<void> {
    void this.#fleet.drain(true, undefined);
    while (this.#clock.now() < this.#drainUntil) {
      const remaining = await Promise.race([this.#fleet.remaining(), this.#pause()]);
      if (remaining === 0) return;
      await this.#pause();
    }
  }
  #pause(ms = this.#timing.pollMs): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve));
  }
  async #close(): Promise<void> {
    await this.#observability.close();
    await this.#administration?.close();
    this.#table.reduceTo([]);
  }
}

function unwrap(outcome: Result<unknown>): unknown {
  if (outcome.ok) return outcome.value;
  throw new FailureError(outcome.error);
}
