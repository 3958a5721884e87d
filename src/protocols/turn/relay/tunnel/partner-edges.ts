import { BoundedMap, type Monotonic, TokenBucket } from '#kernel';
import type { PeerConnection } from '../peer-connections.ts';
import type { Relay } from '../relay.ts';
import type { TurnListener } from '../turn-listener.ts';

/** Addresses that are known to be edges, known to be none, or being asked. */
const MOST_PARTNERS = 2_048;
/** Questions a second to addresses that were not asked lately, and how many may be saved up. */
const QUESTIONS_PER_SECOND = 50;
const QUESTION_BURST = 200;
const HELD_DATAGRAMS = 8;
const HELD_BYTES = 16_384;
const HELD_CONNECTIONS = 32;

/** An edge answers for ten minutes; it is asked again a minute before. */
export const ANSWER_MS = 600_000;
export const ASK_AGAIN_MS = 540_000;
/** Who did not answer is left alone for a minute. */
export const SILENCE_MS = 60_000;
export const RETRY_MS = 500;
/** From the first question on. */
export const PATIENCE_MS = 1_500;

/** A datagram that waits until it is known how to send it. */
export interface HeldDatagram {
  readonly relay: Relay;
  readonly port: number;
  readonly bytes: Uint8Array;
}

export interface Question {
  readonly listener: TurnListener;
  readonly transactionId: Uint8Array;
  readonly cookie: Uint8Array;
  readonly begun: Monotonic;
  sent: Monotonic;
}

/** One address outside, as far as its being an edge is concerned. */
export class PartnerEdge {
  readonly address: string;
  question: Question | undefined;
  /** What it wants to see with every datagram. */
  cookie: Uint8Array | undefined;
  cookieUntil: Monotonic = 0;
  askAgainAt: Monotonic = 0;
  plainUntil: Monotonic = 0;
  #held: HeldDatagram[] = [];
  #heldBytes = 0;
  #connections: PeerConnection[] = [];

  constructor(address: string) {
    this.address = address;
  }
  isEdge(now: Monotonic): boolean {
    return this.cookie !== undefined && now < this.cookieUntil;
  }
  isIdle(now: Monotonic): boolean {
    return this.question === undefined && this.cookieUntil <= now && this.plainUntil <= now;
  }
  /** False when there is no room, which loses the datagram. */
  hold(datagram: HeldDatagram): boolean {
    const { length } = datagram.bytes;
    if (this.#held.length >= HELD_DATAGRAMS || this.#heldBytes + length > HELD_BYTES) return false;
    this.#held.push(datagram);
    this.#heldBytes += length;
    return true;
  }
  /** False when there is no room: too many wait already. */
  holdConnection(connection: PeerConnection): boolean {
    if (this.#connections.length >= HELD_CONNECTIONS) return false;
    this.#connections.push(connection);
    return true;
  }
  /** The connections that waited, those that still want to be made. */
  releaseConnections(): readonly PeerConnection[] {
    const waiting = this.#connections.filter(({ state }) => state === 'connecting');
    this.#connections = [];
    return waiting;
  }
  /** All that was held, which is not held any longer. */
  release(): readonly HeldDatagram[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }
}

/** The table of them, and how many may be asked. */
export class PartnerEdges {
  readonly #partners = new BoundedMap<string, PartnerEdge>(MOST_PARTNERS);
  #questions: TokenBucket | undefined;

  get size(): number {
    return this.#partners.size;
  }
  find(address: string): PartnerEdge | undefined {
    return this.#partners.get(address);
  }
  /** The entry of an address, a new one if need be; undefined when there is no room for another. */
  of(address: string): PartnerEdge | undefined {
    const known = this.#partners.get(address);
    if (known !== undefined) return known;
    const made = new PartnerEdge(address);
    return this.#partners.set(address, made) ? made : undefined;
  }
  /** Whether one more question may be asked now. */
  mayAsk(now: Monotonic): boolean {
    this.#questions ??= new TokenBucket(QUESTIONS_PER_SECOND, QUESTION_BURST, now);
    return this.#questions.take(now);
  }
  all(): IterableIterator<PartnerEdge> {
    return this.#partners.values();
  }
  forget(partner: PartnerEdge): void {
    this.#partners.delete(partner.address);
  }
  clear(): void {
    this.#partners.clear();
  }
}
