import type { Cancel, Clock } from '#kernel';
import type { XmlElement } from '#protocols/xml';
import { poolOrder } from '#protocols/xmpp';
import type { Link } from './link.ts';

/** Why no link took a stanza over. */
export type LinkFailure =
  /** None was there for as long as a stanza waits, or each broke with it. */
  | 'no-link'
  /** Too many wait already. */
  | 'queue-full';

export interface RouterLimits {
  /** How long a stanza waits for a link. */
  readonly waitMs: number;
  /** Stanzas that wait for a link at a time. */
  readonly waiting: number;
}

interface Outgoing {
  readonly stanza: XmlElement;
  readonly key: string;
  readonly settled: (failed: LinkFailure | undefined) => void;
  attempts: number;
  deadline: number;
}

/** A stanza that broke so many links is not given to another. */
const MOST_ATTEMPTS = 3;

/**
 * Stanzas over several links: each goes by the first link in the order of its key; what a link did not take over when it
 * ended goes by the next one, ahead of what is younger.
 */
export class LinkRouter {
  readonly #clock: Clock;
  readonly #sent = new Map<Link, Outgoing[]>();
  readonly #byPeer = new Map<string, Link>();
  readonly #orders = new Map<string, readonly string[]>();
  #limits: RouterLimits;
  #waiting: Outgoing[] = [];
  #cancelSweep: Cancel | undefined;

  constructor(clock: Clock, limits: RouterLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Stanzas that wait, or were sent and not taken over. */
  get pending(): number {
    let count = this.#waiting.length;
    for (const sent of this.#sent.values()) count += sent.length;
    return count;
  }
  /** The links that can be used, by the names of their peers. */
  get links(): ReadonlyMap<string, Link> {
    return this.#byPeer;
  }
  configure(limits: RouterLimits): void {
    this.#limits = limits;
  }

  /** @param settled called once: undefined when the peer has taken it over */
  send(stanza: XmlElement, key: string, settled: (failed: LinkFailure | undefined) => void): void {
    if (this.#waiting.length >= this.#limits.waiting) {
      settled('queue-full');
      return;
    }
    const deadline = this.#clock.now() + this.#limits.waitMs;
    const outgoing = { stanza, key, settled, attempts: 0, deadline };
    // Nobody overtakes those that wait, unless they wait for another link.
    if (this.#waiting.length > 0 || !this.#give(outgoing)) {
      this.#waiting.push(outgoing);
      if (this.#waiting.length > 1) this.#flush();
      this.#planSweep();
    }
  }

  /** A link can be used. One to the same peer that is still there is told to end. */
  add(link: Link): void {
    const older = this.#byPeer.get(link.peer);
    this.#byPeer.set(link.peer, link);
    this.#sent.set(link, []);
    this.#orders.clear();
    if (older !== undefined && older !== link) older.stop('replaced');
    this.#flush();
  }
  /** Nothing more goes by it; what went is still acknowledged. */
  retire(link: Link): void {
    if (this.#byPeer.get(link.peer) === link) this.#byPeer.delete(link.peer);
    this.#orders.clear();
  }
  acknowledged(link: Link, count: number): void {
    for (const { settled } of this.#sent.get(link)?.splice(0, count) ?? []) settled(undefined);
  }
  space(): void {
    this.#flush();
  }
  remove(link: Link): void {
    const lost = this.#sent.get(link);
    this.#sent.delete(link);
    this.retire(link);
    if (lost === undefined || lost.length === 0) return;
    const deadline = this.#clock.now() + this.#limits.waitMs;
    const again: Outgoing[] = [];
    for (const outgoing of lost) {
      outgoing.deadline = deadline;
      if (outgoing.attempts < MOST_ATTEMPTS) again.push(outgoing);
      else outgoing.settled('no-link');
    }
    this.#waiting = [...again, ...this.#waiting];
    this.#flush();
    this.#planSweep();
  }
  /** Gives up everything that is pending. */
  close(): void {
    this.#cancelSweep?.();
    const lost = [...this.#waiting, ...[...this.#sent.values()].flat()];
    this.#waiting = [];
    this.#sent.clear();
    this.#byPeer.clear();
    for (const { settled } of lost) settled('no-link');
  }

  #flush(): void {
    const links = [...this.#byPeer.values()];
    if (this.#waiting.length === 0 || links.every((link) => link.full)) return;
    const left: Outgoing[] = [];
    const blocked = new Set<Link>();
    const waiting = this.#waiting;
    this.#waiting = left;
    for (const [index, outgoing] of waiting.entries()) {
      if (blocked.size >= this.#byPeer.size) {
        for (let rest = index; rest < waiting.length; rest++) left.push(waiting[rest] as Outgoing);
        return;
      }
      const link = this.#choose(outgoing.key);
      if (link === undefined || blocked.has(link) || !this.#give(outgoing)) {
        left.push(outgoing);
        if (link !== undefined) blocked.add(link);
      }
    }
  }
  #give(outgoing: Outgoing): boolean {
    const link = this.#choose(outgoing.key);
    if (link === undefined || link.full) return false;
    outgoing.attempts += 1;
    this.#sent.get(link)?.push(outgoing);
    link.send(outgoing.stanza);
    return true;
  }
  /** The first of the key's order that is there; a full one is waited for, so that order is kept. */
  #choose(key: string): Link | undefined {
    const [only] = this.#byPeer.values();
    if (this.#byPeer.size < 2) return only;
    let order = this.#orders.get(key);
    if (order === undefined) {
      if (this.#orders.size >= MOST_ORDERS) this.#orders.clear();
      order = poolOrder(key, [...this.#byPeer.keys()]);
      this.#orders.set(key, order);
    }
    return this.#byPeer.get(order[0] ?? '');
  }

  #planSweep(): void {
    if (this.#cancelSweep !== undefined || this.#waiting.length === 0) return;
    const first = this.#waiting[0]?.deadline ?? 0;
    this.#cancelSweep = this.#clock.after(Math.max(0, first - this.#clock.now()), () => {
      this.#cancelSweep = undefined;
      const now = this.#clock.now();
      const late = this.#waiting.filter(({ deadline }) => deadline <= now);
      this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
      for (const { settled } of late) settled('no-link');
      this.#planSweep();
    });
  }
}

/** Orders that are remembered; they are made again when forgotten. */
const MOST_ORDERS = 10_000;
