import type { Cancel, Clock } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import type { Metrics } from '#platform/telemetry';
import type { XmlElement } from '#protocols/xml';
import type { DomainPair, PartnerStreamState, StreamReason } from '#protocols/xmpp';
import { Link, type LinkLimits, type LinkOptions, type LinkOwner } from './link.ts';
import { LinkRouter, type RepeatRule, type RouterLimits } from './link-router.ts';
import { declareMeters } from './meters.ts';
import type { LinkFailure } from './outgoing.ts';

/** A link that ended, or that nobody opened. */
export interface LinkNotice {
  readonly peer: string;
  readonly address: string;
  readonly reason: StreamReason | CloseReason | 'not-connected';
  readonly detail: string | undefined;
}

/** What there is to say about a link. */
export interface LinkState {
  readonly peer: string;
  readonly address: string;
  readonly ready: boolean;
  /** Stanzas that came and are not safe yet. */
  readonly open: number;
}

/** Of one end: what it does with stanzas and with ends. */
export interface SetUser {
  handleStanza(link: Link, stanza: XmlElement, pair: DomainPair, number: number): void;
  handleReady(link: Link): void;
  handlePartner(domain: string, state: PartnerStreamState): void;
  handleEnd(link: Link, notice: LinkNotice): void;
}

const TICK_MS = 1000;

/** The links of one end, whichever it is: stanzas to the other end go by the router, what comes goes to the user. */
export class LinkSet implements LinkOwner {
  readonly router: LinkRouter;
  readonly meters: ReturnType<typeof declareMeters>;
  readonly #clock: Clock;
  readonly #user: SetUser;
  readonly #links = new Set<Link>();
  #cancelTick: Cancel;

  constructor(clock: Clock, metrics: Metrics, rule: RepeatRule, limits: RouterLimits, user: SetUser) {
    this.#clock = clock;
    this.#user = user;
    this.router = new LinkRouter(clock, rule, limits);
    this.meters = declareMeters(metrics);
    this.#cancelTick = clock.after(TICK_MS, () => this.#tick());
  }

  get size(): number {
    return this.#links.size;
  }
  /** Stanzas in both directions that are not safe yet. */
  get pending(): number {
    let open = 0;
    for (const link of this.#links) open += link.open;
    return this.router.pending + open;
  }
  states(): LinkState[] {
    return [...this.#links].map(({ peer, connection, ready, open }) => ({
      peer,
      address: connection.remote.address,
      ready,
      open,
    }));
  }
  links(): readonly Link[] {
    return [...this.#links];
  }

  /** Begins only when it is started. */
  add(
    options: Omit<LinkOptions, 'owner' | 'clock'> & { readonly connection: Connection; limits: LinkLimits },
  ): Link {
    const link = new Link({ ...options, clock: this.#clock, owner: this });
    this.#links.add(link);
    return link;
  }
  send(stanza: XmlElement, key: string, settled: (failed: LinkFailure | undefined) => void): void {
    this.router.send(stanza, key, (failed) => {
      if (failed === undefined) this.meters.stanzas.inc('out');
      else this.meters.undeliverable.inc();
      settled(failed);
    });
  }
  stopAll(reason: StreamReason): void {
    for (const link of [...this.#links]) link.stop(reason);
  }
  close(): void {
    this.#cancelTick();
    this.stopAll('shutdown');
    this.router.close();
  }

  // The owner of each link.

  handleReady(link: Link): void {
    this.meters.opened.inc();
    this.router.add(link);
    this.#user.handleReady(link);
  }
  handleStanza(link: Link, stanza: XmlElement, pair: DomainPair, number: number): void {
    this.meters.stanzas.inc('in');
    this.#user.handleStanza(link, stanza, pair, number);
  }
  handleAcknowledged(link: Link, count: number): void {
    this.router.acknowledged(link, count);
  }
  handleDraining(link: Link): void {
    this.router.retire(link);
  }
  handlePartner(domain: string, state: PartnerStreamState): void {
    this.#user.handlePartner(domain, state);
  }
  handleHeld(link: Link, number: number): void {
    this.router.held(link, number);
  }
  handlePassed(link: Link, number: number): void {
    this.router.passed(link, number);
  }
  handleSpace(): void {
    this.router.space();
  }
  handleEnd(link: Link, reason: StreamReason | CloseReason, detail: string | undefined): void {
    if (!this.#links.delete(link)) return;
    this.meters.ended.inc();
    this.router.remove(link);
    const { address } = link.connection.remote;
    this.#user.handleEnd(link, { peer: link.peer, address, reason, detail });
  }

  #tick(): void {
    for (const link of [...this.#links]) link.handleTime();
    this.#cancelTick = this.#clock.after(TICK_MS, () => this.#tick());
  }
}
