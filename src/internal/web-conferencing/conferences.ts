import type { Result, WallTime } from '#kernel';
import type { Role } from './meeting/participant.ts';

/** As whom somebody comes: a user of ours, one of a partner, or somebody who knows the conference key. */
export type ParticipantKind = 'user' | 'federated' | 'guest';

/** What is known of a conference without being in it. */
export interface ConferenceFacts {
  readonly id: string;
  /** `sip:<id>@<domain>` */
  readonly uri: string;
  readonly title: string;
  readonly locked: boolean;
  readonly ended: boolean;
  /** Wall time. */
  readonly expires: WallTime;
  readonly guests: boolean;
  readonly federated: boolean;
  /** `user@domain` */
  readonly organizer: string;
  /** Addresses that are presenters from the start, the organizer's not among them. */
  readonly presenters: readonly string[];
}

/** Who asks to come in. */
export interface Newcomer {
  /** `user@domain`, proven but for a guest's. */
  readonly address: string;
  readonly displayName: string;
  readonly kind: ParticipantKind;
  readonly outside: boolean;
  /** Tells devices of one address apart; who comes again with the same one is the same participant. */
  readonly device: string;
}

export type AdmitRefusal =
  | 'unknown'
  | 'locked'
  | 'removed'
  | 'ended'
  | 'expired'
  | 'full'
  | 'not-allowed'
  /** What it takes could not be written down. */
  | 'unavailable';

export interface Admission {
  readonly participant: number;
  readonly role: Role;
  /** Joins once. */
  readonly token: string;
  readonly tokenSeconds: number;
  readonly title: string;
}

export interface RosterEntry {
  readonly participant: number;
  readonly address: string;
  readonly displayName: string;
  readonly kind: ParticipantKind;
  readonly role: Role;
  readonly outside: boolean;
  /** Has a PSOM connection at the moment. */
  readonly connected: boolean;
  readonly joined: WallTime;
}
export interface RosterView {
  readonly title: string;
  readonly locked: boolean;
  /** In the order of their coming. */
  readonly entries: readonly RosterEntry[];
}

/** Why a participant is no longer in. */
export type Departure = 'left' | 'absent' | 'removed' | 'ended';

/** The meetings of this node, as their signalling sees them. */
export interface Conferences {
  readonly domain: string;
  find(id: string): ConferenceFacts | undefined;
  /** HA1 of `id:domain:key` in hexadecimal (RFC 7616 §3.4.2). */
  keyHash(id: string, algorithm: 'SHA-256' | 'MD5'): string | undefined;
  /** The participant is in from now on; it is written down before this returns. */
  admit(id: string, who: Newcomer): Result<Admission, AdmitRefusal>;
  /** Another token for a participant; undefined when it is not in any more. */
  refresh(id: string, participant: number): Admission | undefined;
  leave(id: string, participant: number): void;
  /** Empty for a conference that does not exist. */
  roster(id: string): RosterView;
  /** Called after each change of the roster until the returned function is. */
  watch(id: string, onChange: () => void): () => void;
  /** Called for each participant that is no longer in, by whatever way. */
  onDeparture(listener: (id: string, participant: number, why: Departure) => void): () => void;
}
