import { ok, type Result, type WallTime } from '#kernel';
import { meeting } from '#protocols/psom';
import type { AdmitRefusal, Departure, Newcomer } from '../conferences.ts';
import { Contents } from './contents.ts';
import type { Participant } from './participant.ts';
import type { ConferenceRecord, MeetingRecord } from './records.ts';
import { Roster } from './roster.ts';
import { type AnyObject, type Calls, type Seat, SharedObject } from './shared-object.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * One meeting: who is in, and the root object of all their connections. Sans-IO: what has to be kept and what happens
 * goes to its surroundings, what is said to the seats.
 */
export class Meeting extends SharedObject<typeof meeting.server, typeof meeting.client> {
  readonly roster: Roster;
  readonly contents: Contents;
  readonly #record: ConferenceRecord;
  readonly #around: Surroundings;
  readonly #seats: Map<number, Seat>;

  constructor(stored: MeetingRecord, around: Surroundings) {
    const seats = new Map<number, Seat>();
    super(meeting, { seats: () => seats.values() });
    this.#seats = seats;
    this.#record = stored.conference;
    this.#around = around;
    this.roster = new Roster(stored, around);
    this.contents = new Contents(stored, around, this.room);
  }
  get record(): Readonly<ConferenceRecord> {
    return this.#record;
  }
  get connected(): number {
    return this.#seats.size;
  }

  admit(who: Newcomer): Result<Participant, AdmitRefusal> {
    const admitted = this.roster.admit(who);
    if (!admitted.ok) return admitted;
    const { participant, news } = admitted.value;
    if (news) this.everyone.cUserJoined(...userOf(participant));
    this.#around.handleRoster();
    return ok(participant);
  }
  leave(number: number, why: Departure): void {
    const participant = this.roster.find(number);
    if (participant === undefined || !this.roster.take(participant, why)) return;
    const seat = this.#seats.get(number);
    if (seat !== undefined) this.#take(seat);
    seat?.end();
    this.contents.handleNoPresenter(number);
    this.everyone.cUserLeft(number);
    this.#around.handleDeparture(number, why);
    this.#around.handleRoster();
  }

  /** A connection of a participant: it takes the place of the one before. */
  sit(seat: Seat): void {
    const { participant } = seat;
    const before = this.#seats.get(participant.number);
    if (before !== undefined) this.#take(before);
    before?.end();
    this.#seats.set(participant.number, seat);
    participant.absentSince = undefined;
    this.#around.handleRoster();
  }
  /** The connection is gone; the participant is in for a while yet. */
  stand(seat: Seat): void {
    if (this.#seats.get(seat.participant.number) !== seat) return;
    this.#take(seat);
    seat.participant.absentSince = this.#around.wall();
    this.#around.handleRoster();
  }
  /** To be called from time to time. */
  handleTime(now: WallTime, graceMs: number): void {
    if (this.#record.ended === undefined && now >= this.#record.expires) return this.end();
    this.contents.uploads.handleTime();
    for (const { number, absentSince } of [...this.roster.all()])
      if (absentSince !== undefined && now - absentSince >= graceMs) this.leave(number, 'absent');
  }

  setLocked(locked: boolean): void {
    if (this.#record.locked === locked) return;
    this.#record.locked = locked;
    this.#around.note({ kind: 'conference', record: this.#record });
    this.everyone.cSetLocked(locked);
    this.#around.handleRoster();
  }
  setPresenter(participant: Participant, presenter: boolean): void {
    if (participant.presenter === presenter || participant.organizer) return;
    this.contents.whileChanging(() => {
      participant.record.presenter = presenter;
    });
    this.#around.note({ kind: 'participant', record: participant.record });
    this.everyone.cUserChanged(participant.number, presenter);
    if (!presenter) this.contents.handleNoPresenter(participant.number);
    const seat = this.#seats.get(participant.number);
    if (seat !== undefined) for (const { poll } of this.contents.all()) poll?.handleRole(seat);
    this.#around.handleRoster();
  }
  /** For everyone, and for good. */
  end(): void {
    if (this.#record.ended !== undefined) return;
    this.#record.ended = this.#around.wall();
    this.#around.note({ kind: 'conference', record: this.#record });
    this.everyone.cEnded();
    for (const { number } of [...this.roster.all()]) this.leave(number, 'ended');
  }

  protected readonly calls: Calls<typeof meeting.server> = {
    sSetLocked: (seat, locked) => {
      if (seat.participant.presenter) this.setLocked(locked);
    },
    sSetPresenter: (seat, userId, presenter) => {
      const other = this.roster.find(userId);
      if (seat.participant.presenter && other !== undefined) this.setPresenter(other, presenter);
    },
    sRemoveUser: (seat, userId) => {
      const other = this.roster.find(userId);
      if (seat.participant.presenter && other !== undefined) this.remove(other);
    },
    sEnd: (seat) => {
      if (seat.participant.presenter) this.end();
    },
  };
  /** Shows somebody the door; the organizer stays. */
  remove(participant: Participant): void {
    if (participant.organizer) return;
    if (participant.kind !== 'guest') this.roster.decide(participant.record.address, { removed: true });
    this.leave(participant.number, 'removed');
  }

  /** The address may come in though the meeting is locked, or though it was removed before. False, here and below: cannot be remembered. */
  allow(address: string): boolean {
    return this.roster.decide(address, { admitted: true, removed: false });
  }
  ban(address: string): boolean {
    const decided = this.roster.decide(address, { admitted: false, presenter: false, removed: true });
    for (const one of [...this.roster.of(address)]) this.remove(one);
    return decided;
  }
  /** A presenter whenever it comes in. */
  appoint(address: string): boolean {
    const decided = this.roster.decide(address, { presenter: true, removed: false });
    for (const one of this.roster.of(address)) this.setPresenter(one, true);
    return decided;
  }

  /** The same tokens again, by another key. */
  renewTokens(seat: Seat, resumeToken: string): void {
    const say = this.to(seat);
    say.cSetResumeToken(resumeToken);
    say.cSetContentToken(this.#around.contentToken(seat.participant.number));
  }

  override isFor(): boolean {
    return true;
  }
  override child(name: string): AnyObject | undefined {
    return name === 'ContentManager' ? this.contents : undefined;
  }
  override replay(seat: Seat): void {
    const { participant } = seat;
    const say = this.to(seat);
    say.cSetSelf(participant.number, participant.presenter);
    say.cSetTitle(this.#record.title);
    say.cSetLocked(this.#record.locked);
    for (const one of this.roster.all()) say.cUserJoined(...userOf(one));
    say.cSetContentToken(this.#around.contentToken(participant.number));
    say.cConnectCompleted();
  }

  #take(seat: Seat): void {
    this.#seats.delete(seat.participant.number);
    this.contents.handleSeatGone(seat);
  }
}

function userOf({ record, presenter }: Participant): [number, string, boolean, boolean] {
  return [record.number, record.displayName, presenter, record.outside];
}
