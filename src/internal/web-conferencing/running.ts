import type { Cancel } from '#kernel';
import type { ServiceContext } from '#platform/service';
import type { Place } from '#protocols/conference/join';
import { Downloads } from './downloads.ts';
import type { FocusMetrics } from './focus/focus-metrics.ts';
import { FocusSide } from './focus/focus-side.ts';
import { KeyRoll } from './key-roll.ts';
import type { ConferenceRecord } from './meeting/records.ts';
import { Meetings } from './meetings.ts';
import { Participants } from './participants.ts';
import type { Prepared } from './prepared.ts';
import { Reception } from './reception.ts';
import { ServiceEvents } from './service-events.ts';
import type { ServiceMetrics } from './service-metrics.ts';
import type { ConferenceStore } from './store/conference-store.ts';
import type { FileStore } from './store/file-store.ts';
import { Tokens } from './tokens.ts';

const SWEEP_MS = 1000;

/** The service while it has a document with a domain for conferences. */
export class Running {
  readonly store: ConferenceStore;
  readonly files: FileStore;
  readonly meetings: Meetings;
  readonly participants: Participants;
  readonly keyRoll: KeyRoll;
  readonly #context: ServiceContext;
  readonly #focus: FocusSide;
  #prepared: Prepared;
  #cancelSweep: Cancel | undefined;

  constructor(
    context: ServiceContext,
    metrics: ServiceMetrics & { readonly focus: FocusMetrics },
    prepared: Prepared,
  ) {
    this.#context = context;
    this.#prepared = prepared;
    const { store, files, settings, document, keys } = prepared;
    this.store = store;
    this.files = files;
    const { clock, random, log } = context;
    const tokens = new Tokens(keys, document.host.name, random);
    this.meetings = new Meetings({ clock, random, log, store, files, metrics, tokens, settings });
    const { meetings } = this;
    const limits = () => meetings.settings.session;
    const events = new ServiceEvents(context.events, clock);
    this.participants = new Participants(context, prepared, {
      reception: new Reception({ clock, meetings, tokens, metrics, events, limits }),
      downloads: new Downloads({ clock, meetings, tokens, files, metrics }),
      events,
      keys,
      handleEdge: () => this.keyRoll.advance(),
    });
    this.keyRoll = new KeyRoll({
      ...{ keys, clock, log, meetings },
      links: () => this.participants.links(),
      announce: () => this.participants.announce(),
    });
    this.#focus = new FocusSide(context, metrics.focus, prepared, meetings, (outside) =>
      this.places(outside),
    );
    this.#planSweep();
  }
  get document(): Prepared['document'] {
    return this.#prepared.document;
  }
  /** Where participants can come in now; the focus tells them. */
  places(outside: boolean): readonly Place[] {
    return this.participants.places(outside);
  }
  describe(): string {
    const { domain, connections } = this.meetings;
    const ways = `${this.participants.describe()}, ${this.#focus.describe()}`;
    return `meetings under ${domain}: ${ways}, ${connections} participants connected`;
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
    this.participants.adopt(prepared);
  }
  listen(): void {
    this.participants.listen(this.#context.sockets);
  }
  async stop(): Promise<void> {
    this.#cancelSweep?.();
    this.#focus.stop();
    this.meetings.flush();
    this.meetings.dismiss();
    await this.participants.close();
    this.meetings.flush();
    this.store.close();
  }

  #planSweep(): void {
    this.#cancelSweep = this.#context.clock.after(SWEEP_MS, () => {
      this.meetings.handleTime();
      this.keyRoll.advance();
      this.#planSweep();
    });
  }
}
