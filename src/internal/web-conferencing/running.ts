import type { Cancel } from '#kernel';
import type { ServiceContext } from '#platform/service';
import type { Place } from '#protocols/conference';
import type { FocusMetrics } from './focus/focus-metrics.ts';
import { FocusSide } from './focus/focus-side.ts';
import type { ConferenceRecord } from './meeting/records.ts';
import { Meetings } from './meetings.ts';
import type { Prepared } from './prepared.ts';
import type { ConferenceStore } from './store/conference-store.ts';
import { Tokens } from './tokens.ts';

const SWEEP_MS = 1000;

/** The service while it has a document with a domain for conferences. */
export class Running {
  readonly store: ConferenceStore;
  readonly meetings: Meetings;
  readonly #context: ServiceContext;
  readonly #focus: FocusSide;
  #prepared: Prepared;
  #cancelSweep: Cancel | undefined;

  constructor(context: ServiceContext, metrics: FocusMetrics, prepared: Prepared) {
    this.#context = context;
    this.#prepared = prepared;
    this.store = prepared.store;
    const { clock, random, log } = context;
    const { settings, document, key } = prepared;
    const tokens = new Tokens(key, document.host.name, random);
    this.meetings = new Meetings({ clock, random, log, store: prepared.store, tokens, settings });
    this.#focus = new FocusSide(context, metrics, prepared, this.meetings, () => this.#places());
    this.#planSweep();
  }
  get file(): string {
    return this.#prepared.document.webConferencing.database;
  }
  describe(): string {
    return `meetings under ${this.meetings.domain}, ${this.#focus.describe()}`;
  }

  /** What an operator is shown of a meeting, the link to it included. */
  view({ id, key, title, organizer, guests, federated, locked, created, expires, ended }: ConferenceRecord) {
    const { meetings } = this;
    const uri = meetings.uriOf(id);
    return {
      ...{ id, uri, title, organizer, guests, federated, locked },
      created: new Date(created).toISOString(),
      expires: new Date(expires).toISOString(),
      ended: ended === undefined ? null : new Date(ended).toISOString(),
      link: `${meetings.settings.meetingUrl}#conference=${encodeURIComponent(uri)}&key=${key}`,
    };
  }
  adopt(prepared: Prepared): void {
    this.#prepared = prepared;
    this.meetings.configure(prepared.settings);
    this.#focus.adopt(prepared);
  }
  async stop(): Promise<void> {
    this.#cancelSweep?.();
    this.#focus.stop();
    this.meetings.flush();
    this.store.close();
  }

  /** Nowhere as long as no edge and no listener is ready: the focus asks callers to come again. */
  #places(): readonly Place[] {
    return [];
  }

  #planSweep(): void {
    this.#cancelSweep = this.#context.clock.after(SWEEP_MS, () => {
      this.meetings.handleTime();
      this.#planSweep();
    });
  }
}
