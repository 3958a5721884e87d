import { err, ok, type Result, type WallTime } from '#kernel';
import type { AdmitRefusal, Departure, Newcomer, RosterEntry } from '../conferences.ts';
import { Participant } from './participant.ts';
import type { MeetingRecord, StandingRecord } from './records.ts';
import type { Surroundings } from './surroundings.ts';
import { displayNameOf } from './text.ts';

/** Who is in, who may come in, and as what. */
export class Roster {
  readonly #conference: MeetingRecord['conference'];
  readonly #around: Surroundings;
  readonly #in = new Map<number, Participant>();
  readonly #standings = new Map<string, StandingRecord>();
  /** Numbers of those who were removed. */
  readonly #removed = new Set<number>();

  constructor(stored: MeetingRecord, around: Surroundings) {
    this.#conference = stored.conference;
    this.#around = around;
    for (const standing of stored.standings) this.#standings.set(standing.address, standing);
    for (const record of stored.participants) {
      if (record.removed) this.#removed.add(record.number);
      else this.#in.set(record.number, this.#participant(record, around.wall()));
    }
  }
  get size(): number {
    return this.#in.size;
  }
  find(number: number): Participant | undefined {
    return this.#in.get(number);
  }
  all(): Iterable<Participant> {
    return this.#in.values();
  }
  /** All devices of a user, not of a guest. */
  *of(address: string): Iterable<Participant> {
    for (const one of this.#in.values())
      if (one.kind !== 'guest' && one.record.address === address) yield one;
  }
  wasRemoved(number: number): boolean {
    return this.#removed.has(number);
  }
  standing(address: string): StandingRecord | undefined {
    return this.#standings.get(address);
  }
  standings(): Iterable<StandingRecord> {
    return this.#standings.values();
  }

  /** Why not, in the order in which it matters to whoever asks. */
  refusal(who: Newcomer, now: WallTime): AdmitRefusal | undefined {
    const { ended, expires, guests, federated, locked } = this.#conference;
    if (ended !== undefined) return 'ended';
    if (now >= expires) return 'expired';
    if (who.kind === 'guest' ? !guests : who.kind === 'federated' && !federated) return 'not-allowed';
    const standing = who.kind === 'guest' ? undefined : this.#standings.get(who.address);
    if (standing?.removed === true && !this.#isOrganizer(who)) return 'removed';
    const expected = this.#isOrganizer(who) || standing?.presenter === true || standing?.admitted === true;
    if (locked && !expected && this.#same(who) === undefined) return 'locked';
    return undefined;
  }
  /** Lets somebody in; `news` when the others do not know them so: they were not in before, or were called otherwise. */
  admit(who: Newcomer): Result<{ participant: Participant; news: boolean }, AdmitRefusal> {
    const now = this.#around.wall();
    const refusal = this.refusal(who, now);
    if (refusal !== undefined) return err(refusal);
    const same = this.#same(who);
    if (same !== undefined) {
      const { displayName, outside } = same.record;
      same.record.displayName = displayNameOf(who.displayName, who.address);
      same.record.outside = who.outside;
      const news = displayName !== same.record.displayName || outside !== who.outside;
      if (same.absentSince !== undefined) same.absentSince = now;
      this.#around.note({ kind: 'participant', record: same.record });
      return ok({ participant: same, news });
    }
    if (this.#in.size >= this.#around.limits().participants) return err('full');
    const record = {
      number: this.#conference.nextParticipant++,
      address: who.address,
      displayName: displayNameOf(who.displayName, who.address),
      kind: who.kind,
      outside: who.outside,
      device: who.device,
      presenter: this.#isOrganizer(who) || this.#isPresenter(who),
      joined: now,
      generation: 0,
      removed: false,
    };
    const participant = this.#participant(record, now);
    this.#in.set(record.number, participant);
    this.#around.note({ kind: 'conference', record: this.#conference });
    this.#around.note({ kind: 'participant', record });
    return ok({ participant, news: true });
  }
  /** False when it was not in. */
  take(participant: Participant, why: Departure): boolean {
    if (!this.#in.delete(participant.number)) return false;
    if (why === 'removed') {
      participant.record.removed = true;
      this.#removed.add(participant.number);
      this.#around.note({ kind: 'participant', record: participant.record });
    } else this.#around.note({ kind: 'left', number: participant.number });
    return true;
  }
  /** Decides something about an address; false when there are too many such decisions. */
  decide(address: string, what: Partial<Omit<StandingRecord, 'address'>>): boolean {
    const known = this.#standings.get(address);
    if (known === undefined && this.#standings.size >= this.#around.limits().standings) return false;
    const record = known ?? { address, presenter: false, admitted: false, removed: false };
    Object.assign(record, what);
    this.#standings.set(address, record);
    this.#around.note({ kind: 'standing', record });
    return true;
  }

  entries(): RosterEntry[] {
    return [...this.#in.values()].map((participant) => {
      const { number, address, displayName, kind, outside, joined } = participant.record;
      const connected = participant.absentSince === undefined;
      return {
        ...{ participant: number, address, displayName, kind, outside, joined, connected },
        role: participant.role,
      };
    });
  }

  #participant(record: Participant['record'], now: WallTime): Participant {
    return new Participant(record, this.#isOrganizer(record), now);
  }
  #isOrganizer({ address, kind }: Pick<Newcomer, 'address' | 'kind'>): boolean {
    return kind !== 'guest' && address === this.#conference.organizer;
  }
  #isPresenter({ address, kind }: Newcomer): boolean {
    return kind !== 'guest' && this.#standings.get(address)?.presenter === true;
  }
  /** The same device again. Not for guests: whoever knew another's address could take their place. */
  #same({ address, kind, device }: Newcomer): Participant | undefined {
    if (kind === 'guest' || device === '') return undefined;
    for (const one of this.#in.values()) {
      const { record } = one;
      if (record.address === address && record.device === device && record.kind === kind) return one;
    }
    return undefined;
  }
}
