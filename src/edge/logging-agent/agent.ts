import { type Failure, FailureError } from '#kernel';
import type { ServiceContext } from '#platform/service';
import type { EdgeDocument } from '#platform/topology';
import { type AgentStatus, demandOf, type Scenario } from '#protocols/log-query';
import { Intake } from './intake/intake.ts';
import { Throttle } from './intake/throttle.ts';
import { answerCollection } from './ports/collection-port.ts';
import { answerControl } from './ports/control-port.ts';
import { answerSearch } from './ports/search-port.ts';
import type { PortRequest, Reply } from './ports/session.ts';
import { RunningScenarios } from './running-scenarios.ts';
import { LogStore, type StoreSettings } from './store/log-store.ts';

const FLUSH_MS = 250;

export function storeSettings({ host, policy }: EdgeDocument): StoreSettings {
  return {
    segmentBytes: policy.logging.segmentMegabytes * 1_000_000,
    segmentMs: policy.logging.segmentMinutes * 60_000,
    retentionMs: policy.logging.retentionDays * 86_400_000,
    diskPercent: host.logging.diskPercent,
  };
}

/** Everything behind the ports, for one folder: what comes in, what is stored, what is asked. */
export class Agent {
  readonly folder: string;
  readonly #context: ServiceContext;
  readonly #store: LogStore;
  readonly #throttle: Throttle;
  readonly #intake: Intake;
  readonly #scenarios: RunningScenarios;
  #closed = false;

  /** @throws FailureError when the folder cannot be used */
  constructor(context: ServiceContext, document: EdgeDocument) {
    const { clock, random, log } = context;
    this.#context = context;
    this.folder = document.host.logging.directory;
    const store = LogStore.open({
      folder: this.folder,
      settings: storeSettings(document),
      clock,
      random,
      log,
    });
    if (!store.ok) throw new FailureError(store.error);
    this.#store = store.value;
    this.#throttle = new Throttle(document.policy.logging.eventsPerSecond);
    this.#intake = new Intake(this.#store, {
      clock,
      log,
      node: document.host.name,
      throttle: this.#throttle,
    });
    if (context.collector !== undefined)
      context.collector.onItem = (service, item) => this.#intake.take(service, item);
    this.#scenarios = new RunningScenarios(this.folder, context, (running, what) => this.#run(running, what));
    this.#scenarios.configure(document.policy.logging.alwaysOn);
    this.#tend();
  }

  configure(document: EdgeDocument): void {
    this.#store.configure(storeSettings(document));
    this.#throttle.configure(document.policy.logging.eventsPerSecond);
    this.#scenarios.configure(document.policy.logging.alwaysOn);
  }
  get problem(): string | undefined {
    return this.#intake.problem;
  }
  get counts() {
    return { ...this.#intake.counts, suppressed: this.#throttle.total };
  }
  get scenarios(): RunningScenarios {
    return this.#scenarios;
  }

  control(request: PortRequest, reply: Reply): Promise<Failure | undefined> {
    return answerControl(request, reply, {
      scenarios: this.#scenarios,
      status: () => this.status(),
      sync: () => this.sync(),
      mark: (marker) => this.#mark(marker),
    });
  }
  search(request: PortRequest & { type: 'search' }, reply: Reply): Promise<Failure | undefined> {
    const { clock, log } = this.#context;
    return answerSearch(request, reply, { store: this.#store, intake: this.#intake, clock, log });
  }
  collection(request: PortRequest, reply: Reply): Promise<Failure | undefined> {
    return answerCollection(request, reply, { store: this.#store, intake: this.#intake });
  }

  status(): AgentStatus {
    const segments = this.#store.segments.filter((facts) => facts.events > 0);
    const sum = (of: 'events' | 'bytes') => segments.reduce((total, facts) => total + facts[of], 0);
    return {
      scenarios: this.#scenarios.show(),
      segments: segments.length,
      events: sum('events'),
      bytes: sum('bytes'),
      oldest: segments.length === 0 ? null : Math.min(...segments.map((facts) => facts.from)),
      newest: segments.length === 0 ? null : Math.max(...segments.map((facts) => facts.to)),
      diskPercent: this.#store.diskPercent,
      ...this.counts,
      throttled: this.#throttle.worst,
      problem: this.problem ?? null,
    };
  }

  async sync(): Promise<Failure | undefined> {
    await this.#context.collector?.sync();
    if (this.#closed) return undefined;
    this.#intake.flush();
    const outcome = this.#store.sync();
    return outcome.ok ? undefined : outcome.error;
  }

  /** Everything that waits is written. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#context.collector !== undefined) this.#context.collector.onItem = () => {};
    this.#scenarios.close();
    this.#intake.flush();
    this.#store.close();
  }

  #mark(marker: string): void {
    this.#emit('marker', `marker ${marker}`, [marker]);
  }
  #run(running: readonly Scenario[], what: string): void {
    this.#intake.run(running);
    this.#context.collector?.demand(demandOf(running));
    const names = running.map(({ name }) => name).join(', ');
    this.#emit('scenarios-changed', `${what}: ${names === '' ? 'none' : names} running`);
  }
  #emit(name: string, text: string, trace: readonly string[] = []): void {
    this.#context.events.emit({
      provider: 'LoggingAgent',
      component: 'control',
      level: 'info',
      kind: 'state',
      name,
      text,
      flags: ['component'],
      keys: { trace },
    });
  }
  #tend(): void {
    this.#context.clock.after(FLUSH_MS, () => {
      if (this.#closed) return;
      this.#intake.flush();
      this.#store.tend();
      this.#tend();
    });
  }
}
