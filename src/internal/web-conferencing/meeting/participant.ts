import type { WallTime } from '#kernel';
import type { ParticipantKind } from '../conferences.ts';
import type { ParticipantRecord } from './records.ts';

export type Role = 'presenter' | 'attendee';

/** Somebody who is in. */
export class Participant {
  readonly record: ParticipantRecord;
  /** Changes the meeting for everyone, and sees what only the organizer may see. */
  readonly organizer: boolean;
  /** Wall time since when there is no connection; undefined while there is one. */
  absentSince: WallTime | undefined;
  /** Has shown that it knows its latest resume token; until then the one before it is good too. */
  confirmed = false;
  /** The key by which all tokens are that it can hold; undefined while that is not known. */
  tokensBy: object | undefined;

  constructor(record: ParticipantRecord, organizer: boolean, absentSince: WallTime) {
    this.record = record;
    this.organizer = organizer;
    this.absentSince = absentSince;
  }
  get number(): number {
    return this.record.number;
  }
  get presenter(): boolean {
    return this.record.presenter;
  }
  get role(): Role {
    return this.record.presenter ? 'presenter' : 'attendee';
  }
  get kind(): ParticipantKind {
    return this.record.kind;
  }
  /**
   * Who stands behind it, over all of their devices. A guest's address is nobody's proof, so that each guest is one of
   * their own.
   */
  get identity(): string {
    return this.record.kind === 'guest' ? `guest ${this.record.number}` : this.record.address;
  }
}
