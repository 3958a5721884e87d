import { createHash } from 'node:crypto';
import { type Clock, err, failure, ok, type Random, type Result, randomToken } from '#kernel';
import type { Log } from '#platform/telemetry';
import type { ConferenceClaims } from '#protocols/tokens';
import type {
  Admission,
  AdmitRefusal,
  ConferenceFacts,
  Conferences,
  Departure,
  Newcomer,
  RosterView,
} from './conferences.ts';
import { Meeting } from './meeting/meeting.ts';
import type { Participant } from './meeting/participant.ts';
import type { Change, ConferenceRecord } from './meeting/records.ts';
import { oneLine } from './meeting/text.ts';
import type { ServiceMetrics } from './service-metrics.ts';
import type { Session } from './session.ts';
import type { MeetingSettings } from './settings.ts';
import type { ConferenceStore, Noted } from './store/conference-store.ts';
import type { FileStore } from './store/file-store.ts';
import { JOIN_SECONDS, type Tokens } from './tokens.ts';

export interface MeetingsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: ConferenceStore;
  readonly tokens: Tokens;
  readonly settings: MeetingSettings;
  readonly files: Pick<FileStore, 'begin' | 'sweepNext'>;
  readonly metrics: ServiceMetrics;
  /** Runs a task once what has arrived by now has been dealt with; the event loop's next turn when left out. */
  readonly schedule?: (task: () => void) => void;
}

/** What a new meeting is to be. */
export interface NewMeeting {
  readonly title: string;
  /** `user@domain` */
  readonly organizer: string;
  readonly presenters: readonly string[];
  readonly guests: boolean;
  readonly federated: boolean;
  /** Milliseconds from now; the document's default when left out. */
  readonly lifeMs?: number | undefined;
}

/** 80 and 96 bits. */
const ID_LENGTH = 16;
const KEY_BYTES = 12;
const LONGEST_TITLE = 120;
/** After the disk took nothing, it is tried again so much later. */
const UNWRITABLE_MS = 5000;

/** All meetings of this node. Those in which somebody is are in memory; the others are read when they are asked for. */
export class Meetings implements Conferences {
  readonly #options: MeetingsOptions;
  #settings: MeetingSettings;
  readonly #open = new Map<string, Meeting>();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #departures = new Set<(id: string, participant: number, why: Departure) => void>();
  #noted: Noted[] = [];
  /** Who has left, and nobody outside the meeting knows of it yet. */
  #departed: { readonly id: string; readonly number: number; readonly why: Departure }[] = [];
  readonly #sessions = new Set<Session>();
  /** Those that have something to send. */
  readonly #speaking = new Set<Session>();
  /** Join tokens that were shown, by serial, until they have expired anyway. */
  readonly #used = new Map<string, number>();
  #scheduled = false;
  #unwritableUntil = 0;
  #untidyUntil = 0;

  constructor(options: MeetingsOptions) {
    this.#options = options;
    this.#settings = options.settings;
    for (const id of options.store.inhabited()) this.open(id);
  }
  get domain(): string {
    return this.#settings.domain;
  }
  get settings(): MeetingSettings {
    return this.#settings;
  }
  configure(settings: MeetingSettings): void {
    this.#settings = settings;
  }

  create(wanted: NewMeeting): Result<ConferenceRecord> {
    const { store, random, clock } = this.#options;
    if (store.count() >= this.#settings.meetings) return err(failure('SLP-WEB-0053'));
    const title = oneLine(wanted.title, LONGEST_TITLE);
    if (title === '') return err(failure('SLP-WEB-0054', wanted.title));
    const created = clock.wall();
    const record: ConferenceRecord = {
      id: randomToken(random, ID_LENGTH),
      key: Buffer.from(random.bytes(KEY_BYTES)).toString('base64url'),
      ...{ title, organizer: wanted.organizer, guests: wanted.guests, federated: wanted.federated },
      ...{ locked: false, created, ended: undefined, activeContent: 0, activePresenter: 0 },
      ...{ nextParticipant: 1, nextContent: 1, nextOrder: 1 },
      expires: created + (wanted.lifeMs ?? this.#settings.expiryMs),
    };
    try {
      store.create(record, wanted.presenters);
      return ok(record);
    } catch (problem) {
      return err(failure('SLP-WEB-0056', (problem as Error).message, problem));
    }
  }
  list(): ConferenceRecord[] {
    return this.#options.store.list();
  }
  recordOf(id: string): Readonly<ConferenceRecord> | undefined {
    return this.#open.get(id)?.record ?? this.#options.store.find(id);
  }
  /** A meeting in which somebody is. */
  inMemory(id: string): Meeting | undefined {
    return this.#open.get(id);
  }
  /** The meeting itself; undefined when there is none. */
  open(id: string): Meeting | undefined {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const stored = this.#options.store.load(id);
    if (stored === undefined) return undefined;
    const { clock, tokens, files } = this.#options;
    const made: Meeting = new Meeting(stored, {
      wall: () => clock.wall(),
      limits: () => this.#settings.limits,
      files,
      note: (change) => this.note(id, change),
      contentToken: (number) => {
        const participant = made.roster.find(number);
        return participant === undefined ? '' : tokens.content(id, participant, clock.wall());
      },
      handleDeparture: (number, why) => this.#handleDeparture(id, number, why),
      handleRoster: () => this.#handleRoster(id),
    });
    this.#open.set(id, made);
    return made;
  }

  find(id: string): ConferenceFacts | undefined {
    const record = this.recordOf(id);
    if (record === undefined) return undefined;
    const { title, locked, ended, expires, guests, federated, organizer } = record;
    const standings = this.#open.get(id)?.roster.standings() ?? this.#options.store.standings(id);
    const presenters = [...standings].filter(({ presenter }) => presenter).map(({ address }) => address);
    return {
      ...{ id, uri: this.uriOf(id), title, locked, expires, guests, federated, organizer, presenters },
      ended: ended !== undefined,
    };
  }
  uriOf(id: string): string {
    return `sip:${id}@${this.domain}`;
  }
  keyHash(id: string, algorithm: 'SHA-256' | 'MD5'): string | undefined {
    const record = this.recordOf(id);
    if (record === undefined) return undefined;
    const name = algorithm === 'MD5' ? 'md5' : 'sha256';
    return createHash(name).update(`${id}:${this.domain}:${record.key}`).digest('hex');
  }

  admit(id: string, who: Newcomer): Result<Admission, AdmitRefusal> {
    if (!this.writable) return err('unavailable');
    const meeting = this.open(id);
    if (meeting === undefined) return err('unknown');
    const admitted = meeting.admit(who);
    if (!admitted.ok) {
      this.#forgetIdle(id, meeting);
      return admitted;
    }
    // Whoever holds a token is in, after a kill of this process too.
    return this.flush() ? ok(this.#admission(id, meeting, admitted.value)) : err('unavailable');
  }
  refresh(id: string, number: number): Admission | undefined {
    const meeting = this.#open.get(id);
    const participant = meeting?.roster.find(number);
    if (meeting === undefined || participant === undefined) return undefined;
    return this.#admission(id, meeting, participant);
  }
  leave(id: string, number: number): void {
    this.#open.get(id)?.leave(number, 'left');
    this.flush();
  }
  roster(id: string): RosterView {
    const meeting = this.#open.get(id);
    const { title, locked } = meeting?.record ?? this.recordOf(id) ?? { title: '', locked: false };
    return { title, locked, entries: meeting?.roster.entries() ?? [] };
  }
  watch(id: string, onChange: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers);
    watchers.add(onChange);
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0) this.#watchers.delete(id);
    };
  }
  onDeparture(listener: (id: string, participant: number, why: Departure) => void): () => void {
    this.#departures.add(listener);
    return () => this.#departures.delete(listener);
  }

  /** A participant takes its seat with this connection. */
  sit(session: Session, resumeToken: string): void {
    this.#sessions.add(session);
    session.meeting.sit(session);
    session.open(resumeToken);
  }
  stand(session: Session): void {
    this.#sessions.delete(session);
    this.#speaking.delete(session);
    session.meeting.stand(session);
  }
  /** The session has something to send. */
  touch(session: Session): void {
    this.#speaking.add(session);
    this.#plan();
  }
  note(id: string, change: Change): void {
    this.#noted.push({ conference: id, change });
    this.#plan();
  }
  /** False when a join token was shown before. */
  use({ conference, serial, expires }: ConferenceClaims): boolean {
    if (this.#used.has(serial) || this.#options.store.wasUsed(serial)) return false;
    this.#used.set(serial, expires);
    this.note(conference, { kind: 'token', serial, expires });
    return true;
  }
  /** False for a while after the disk did not take something. */
  get writable(): boolean {
    return this.#options.clock.now() >= this.#unwritableUntil;
  }
  get connections(): number {
    return this.#sessions.size;
  }
  /** All connections of participants end; they come back by themselves. */
  dismiss(): void {
    for (const session of [...this.#sessions]) session.destroy('shutdown');
  }

  /** Writes down what happened since the last time, in one transaction, and then tells it. False when the disk did not take it. */
  flush(): boolean {
    const noted = this.#noted;
    this.#noted = [];
    const written = noted.length === 0 || this.#write(noted);
    const speaking = [...this.#speaking];
    this.#speaking.clear();
    for (const session of speaking) session.flush();
    const departed = this.#departed;
    this.#departed = [];
    for (const { id, number, why } of departed)
      for (const listener of [...this.#departures]) listener(id, number, why);
    return written;
  }
  #write(noted: readonly Noted[]): boolean {
    const { store, log, metrics, clock } = this.#options;
    try {
      store.commit(noted);
      return true;
    } catch (problem) {
      metrics.unwritten.inc();
      log.error('what happened in meetings could not be written down', {
        reason: (problem as Error).message,
      });
      this.#unwritableUntil = clock.now() + UNWRITABLE_MS;
      this.#forget(new Set(noted.map(({ conference }) => conference)));
      return false;
    }
  }
  /** Nobody is told what is not on the disk: these meetings are read from there anew, and their participants come back. */
  #forget(ids: ReadonlySet<string>): void {
    for (const session of [...this.#sessions])
      if (ids.has(session.meeting.record.id)) session.destroy('limit');
    for (const id of ids) this.#open.delete(id);
    this.#noted = this.#noted.filter(({ conference }) => !ids.has(conference));
    this.#departed = this.#departed.filter(({ id }) => !ids.has(id));
    const { store } = this.#options;
    for (const id of store.inhabited()) if (ids.has(id)) this.open(id);
  }
  #plan(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { schedule = setImmediate } = this.#options;
    schedule(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Everybody who is connected gets tokens by the key that signs now, and is asked whether they have come. */
  renewTokens(): void {
    const { tokens, clock } = this.#options;
    const { signing } = tokens;
    for (const session of this.#sessions) {
      const { participant, meeting } = session;
      if (participant.tokensBy === signing) continue;
      const { id } = meeting.record;
      session.renewTokens(signing, () =>
        tokens.resume(id, participant, participant.record.generation, clock.wall()),
      );
    }
  }
  /** Participants of whom it is not known that all their tokens are by the key that signs now. */
  tokensToRenew(): number {
    const { signing } = this.#options.tokens;
    let holders = 0;
    // Who never came in holds none but those that end soon.
    for (const { roster } of this.#open.values())
      for (const { tokensBy, record } of roster.all())
        if (record.generation > 0 && tokensBy !== signing) holders += 1;
    return holders;
  }

  /** About once a second: who is away for too long has left, what is over ends, what was kept long enough goes. */
  handleTime(): void {
    const now = this.#options.clock.wall();
    for (const session of [...this.#sessions]) session.handleTime();
    for (const [id, meeting] of [...this.#open]) {
      meeting.handleTime(now, this.#settings.graceMs);
      this.#forgetIdle(id, meeting);
    }
    this.flush();
    this.#tidy(now);
  }
  /** What the disk does not let go now is tried again. */
  #tidy(now: number): void {
    const { store, files, metrics, log } = this.#options;
    for (const [serial, expires] of this.#used) if (expires < now) this.#used.delete(serial);
    if (!this.writable || this.#options.clock.now() < this.#untidyUntil) return;
    try {
      for (const id of store.overSince(now - this.#settings.keptMs))
        if (!this.#open.has(id)) store.delete(id);
      store.forgetUsed(now);
      metrics.swept.inc(files.sweepNext((hash) => store.namesFile(hash), now));
    } catch (problem) {
      log.error('what is over could not be deleted', { reason: (problem as Error).message });
      this.#untidyUntil = this.#options.clock.now() + UNWRITABLE_MS;
    }
  }

  #admission(id: string, meeting: Meeting, participant: Participant): Admission {
    return {
      participant: participant.number,
      role: participant.role,
      token: this.#options.tokens.join(id, participant, this.#options.clock.wall()),
      tokenSeconds: JOIN_SECONDS,
      title: meeting.record.title,
    };
  }
  #forgetIdle(id: string, meeting: Meeting): void {
    if (meeting.roster.size === 0 && this.flush()) this.#open.delete(id);
  }
  #handleDeparture(id: string, number: number, why: Departure): void {
    this.#departed.push({ id, number, why });
    this.#plan();
  }
  #handleRoster(id: string): void {
    for (const watcher of [...(this.#watchers.get(id) ?? [])]) watcher();
  }
}
