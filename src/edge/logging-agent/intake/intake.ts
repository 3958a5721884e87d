import type { Clock } from '#kernel';
import { recordOf } from '#platform/message-log';
import type { CollectedItem } from '#platform/service';
import type { Log } from '#platform/telemetry';
import type { EventLevel, LogEvent, LogRecord, Scenario } from '#protocols/log-query';
import { demandOf, wants } from '#protocols/log-query';
import type { LogStore } from '../store/log-store.ts';
import type { Throttle } from './throttle.ts';

type Capture = Extract<CollectedItem, { type: 'capture' }>['capture'];

export interface IntakeOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  readonly throttle: Throttle;
}

/** Since the start of the agent. */
export interface IntakeCounts {
  readonly taken: number;
  /** Lost before they came here, because a ring was full. */
  readonly dropped: number;
  /** Could not be written. */
  readonly unstored: number;
}

/** Events that wait to be written together. */
const BATCH = 4096;

/** What comes from all services: what a scenario asks for is numbered and stored, and what was lost is told among it. */
export class Intake {
  readonly #options: IntakeOptions;
  #store: LogStore;
  #scenarios: readonly Scenario[] = [];
  #demand = demandOf([]);
  #waiting: LogEvent[] = [];
  #taken = 0;
  #dropped = 0;
  #unstored = 0;
  /** Not told yet. */
  #untold = 0;
  #problem: string | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(store: LogStore, options: IntakeOptions) {
    this.#store = store;
    this.#options = options;
  }
  get counts(): IntakeCounts {
    return { taken: this.#taken, dropped: this.#dropped, unstored: this.#unstored };
  }
  /** Why nothing is stored at the moment. */
  get problem(): string | undefined {
    return this.#problem;
  }
  run(scenarios: readonly Scenario[]): void {
    this.#scenarios = scenarios;
    this.#demand = demandOf(scenarios);
  }
  /** Called after each batch that was stored, until the answer is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  take(service: string, item: CollectedItem): void {
    if (item.type === 'lost') {
      this.#dropped += item.count;
      this.#add(
        service,
        this.#drop('warning', 'events-lost', item.count, `were lost because the ring of ${service} was full`),
      );
      return;
    }
    const about = item.type === 'record' ? item.record : itemAbout(item.capture);
    if (!this.#scenarios.some((scenario) => wants(scenario, about))) return;
    if (!this.#options.throttle.admit(service, about.component, this.#options.clock.now())) return;
    this.#add(service, item.type === 'record' ? this.#withoutBody(item.record) : this.#read(item.capture));
  }

  #read(capture: Capture): LogRecord {
    return recordOf(capture, this.#demand.providers[capture.provider]?.bodies === true);
  }
  #withoutBody(record: LogRecord): LogRecord {
    if (record.body === undefined) return record;
    const asked = this.#demand.providers as Partial<Record<string, { readonly bodies: boolean }>>;
    if (asked[record.provider]?.bodies === true) return record;
    const { body: _body, ...rest } = record;
    return rest;
  }

  #add(service: string, record: LogRecord): void {
    this.#taken += 1;
    const sequence = this.#store.next + this.#waiting.length;
    this.#waiting.push({ ...record, sequence, node: this.#options.node, service });
    if (this.#waiting.length >= BATCH) this.flush();
  }

  /** Writes what waits. Call it often. */
  flush(): void {
    const { throttle, clock } = this.#options;
    for (const { service, component, count } of throttle.takeHeldBack(clock.now())) {
      const text = `of ${component} were held back by the throttle`;
      this.#add(service, { ...this.#drop('warning', 'events-held-back', count, text), component });
    }
    if (this.#untold > 0 && !this.#store.overCeiling) {
      const lost = this.#untold;
      this.#untold = 0;
      const text = `could not be stored: ${this.#problem ?? ''}`;
      this.#add('logging-agent', this.#drop('error', 'events-not-stored', lost, text));
    }
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    const outcome = this.#store.append(batch);
    if (!outcome.ok) return this.#fail(batch, outcome.error.code, outcome.error.message);
    this.#problem = undefined;
    for (const listener of this.#listeners) listener();
  }
  #fail(batch: readonly LogEvent[], code: string, message: string): void {
    const told = batch.find((event) => event.name === 'events-not-stored')?.fields?.count;
    const lost = batch.length - (told === undefined ? 0 : 1);
    this.#unstored += lost;
    this.#untold += lost + Number(told ?? 0);
    if (this.#problem !== message)
      this.#options.log.error('events are not stored', { code, problem: message });
    this.#problem = message;
  }

  #drop(level: EventLevel, name: string, count: number, text: string): LogRecord {
    return {
      time: this.#options.clock.wall(),
      component: 'intake',
      provider: 'LoggingAgent',
      level,
      kind: 'drop',
      name,
      flags: ['diagnostics'],
      text: `${count} events ${text}`,
      keys: {},
      fields: { count },
    };
  }
}

/** What decides about a captured message before anybody reads it. */
function itemAbout({ protocol, provider, level }: Capture) {
  return { component: protocol, provider, level, flags: ['protocol'] };
}
