import type { Cancel, Clock } from '#kernel';
import type { XmlElement } from '#protocols/xml';
import { isReadOnce, poolOrder } from '#protocols/xmpp';
import type { Link } from './link.ts';
import type { LinkFailure, Outgoing } from './outgoing.ts';
import { SentStanzas } from './sent-stanzas.ts';

export interface RouterLimits {
  /** How long a stanza waits for a link. */
  readonly waitMs: number;
  /** Stanzas that wait for a link at a time. */
  readonly waiting: number;
}

/**
 * What becomes of a message that a link had when it ended: `never` sent again; or to the `same-peer` alone, which knows by
 * its origin that it comes again. Other stanzas go by any link.
 */
export type RepeatRule = 'never' | 'same-peer';

/** A stanza that broke so many links is not given to another. */
const MOST_ATTEMPTS = 3;

/**
 * Stanzas over several links: each goes by the first link in the order of its key; what a link did not take over when it
 * ended goes by the next one, ahead of what is younger. No message is taken over by two peers.
 */
export class LinkRouter {
  readonly #clock: Clock;
  readonly #rule: RepeatRule;
  readonly #sent = new Map<Link, SentStanzas>();
  readonly #byPeer = new Map<string, Link>();
  readonly #orders = new Map<string, readonly string[]>();
  #limits: RouterLimits;
  #waiting: Outgoing[] = [];
  #cancelSweep: Cancel | undefined;

  constructor(clock: Clock, rule: RepeatRule, limits: RouterLimits) {
    this.#clock = clock;
    this.#rule = rule;
    this.#limits = limits;
  }

  /** Stanzas that wait, or were sent and not taken over. */
  get pending(): number {
    let count = this.#waiting.length;
    for (const sent of this.#sent.values()) count += sent.size;
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
    const outgoing = { stanza, key, settled, attempts: 0, deadline, peer: undefined };
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
    this.#sent.set(link, new SentStanzas(this.#limits.waiting));
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
    this.#sent.get(link)?.acknowledged(count);
  }
  /** Its acknowledgement will not say that it is taken over: `passed` does. */
  held(link: Link, number: number): void {
    this.#sent.get(link)?.hold(number);
  }
  passed(link: Link, number: number): void {
    this.#sent.get(link)?.passed(number);
  }
  space(): void {
    this.#flush();
  }
  remove(link: Link): void {
    const lost = this.#sent.get(link);
    this.#sent.delete(link);
    this.retire(link);
    if (lost === undefined || lost.size === 0) return;
    const deadline = this.#clock.now() + this.#limits.waitMs;
    const again: Outgoing[] = [];
    for (const outgoing of lost.takeAll()) {
      const once = isReadOnce(outgoing.stanza);
      if (outgoing.attempts >= MOST_ATTEMPTS || (once && this.#rule === 'never')) {
        outgoing.settled(once ? 'unknown' : 'no-link');
        continue;
      }
      if (once) outgoing.peer = link.peer;
      outgoing.deadline = deadline;
      again.push(outgoing);
    }
    this.#waiting = [...again, ...this.#waiting];
    this.#flush();
    this.#planSweep();
  }
  /** Gives up everything that is pending. */
  close(): void {
    this.#cancelSweep?.();
    const sent = [...this.#sent.values()].flatMap((one) => one.takeAll());
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#sent.clear();
    this.#byPeer.clear();
    for (const { settled, stanza } of sent) settled(isReadOnce(stanza) ? 'unknown' : 'no-link');
    for (const outgoing of waiting) giveUp(outgoing);
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
      const link = this.#choose(outgoing);
      if (link === undefined || blocked.has(link) || !this.#give(outgoing)) {
        left.push(outgoing);
        if (link !== undefined) blocked.add(link);
      }
    }
  }
  #give(outgoing: Outgoing): boolean {
    const link = this.#choose(outgoing);
    if (link === undefined || link.full) return false;
    outgoing.attempts += 1;
    this.#sent.get(link)?.push(outgoing);
    link.send(outgoing.stanza);
    return true;
  }
  /** The first of the key's order that is there; a full one is waited for, so that order is kept. */
  #choose({ key, peer }: Outgoing): Link | undefined {
    if (peer !== undefined) return this.#byPeer.get(peer);
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
      for (const outgoing of late) giveUp(outgoing);
      this.#planSweep();
    });
  }
}

/** One that waits for a certain peer has been with it. */
function giveUp({ settled, peer }: Outgoing): void {
  settled(peer === undefined ? 'no-link' : 'unknown');
}

/** Orders that are remembered; they are made again when forgotten. */
const MOST_ORDERS = 10_000;
