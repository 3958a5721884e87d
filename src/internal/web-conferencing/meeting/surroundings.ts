import type { WallTime } from '#kernel';
import type { Departure } from '../conferences.ts';
import type { FileDesk } from './files.ts';
import type { MeetingLimits } from './limits.ts';
import type { Change } from './records.ts';

/** What a meeting stands in: it has no clock, no disk and no network of its own. */
export interface Surroundings {
  wall(): WallTime;
  readonly files: FileDesk;
  limits(): MeetingLimits;
  /** Has to be written down before what was said is sent. */
  note(change: Change): void;
  /** A token that gives access to the files of the meeting for as long as this participant is in. */
  contentToken(participant: number): string;
  handleDeparture(participant: number, why: Departure): void;
  handleRoster(): void;
}
