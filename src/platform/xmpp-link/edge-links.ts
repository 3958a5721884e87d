import { EdgeDial, type EdgeDialContext, type EdgeDialSettings, type EdgeSeat } from '#platform/edge-dial';
import type { Connection } from '#platform/net';
import type { XmlElement } from '#protocols/xml';
import {
  type DomainPair,
  originOf,
  type PartnerStreamState,
  type StanzaOrigin,
  withoutOrigin,
} from '#protocols/xmpp';
import type { Link, LinkLimits } from './link.ts';
import type { RouterLimits } from './link-router.ts';
import { type LinkNotice, LinkSet, type LinkState } from './link-set.ts';
import type { LinkFailure } from './outgoing.ts';

/** A stanza of a partner. */
export interface EdgeArrival {
  readonly stanza: XmlElement;
  readonly pair: DomainPair;
  readonly origin: StanzaOrigin;
  /** The edge that it came by. */
  readonly edge: string;
  /** Call it once when the stanza is safe, or its sender was answered. */
  readonly done: () => void;
}

export interface EdgeLinksUser {
  handleArrival(arrival: EdgeArrival): void;
  handleReady(edge: string): void;
  /** What became of an edge's streams with a partner; `domain` is one of the partner's. */
  handlePartner(domain: string, state: PartnerStreamState): void;
  /** A link ended, or an attempt to open one failed. */
  handleEnd(notice: LinkNotice): void;
}

export interface EdgeLinksSettings extends EdgeDialSettings {
  /** Host name of this gateway, as its certificate has it. */
  readonly own: string;
  /** Whether a domain is the organisation's. */
  readonly hosts: (domain: string) => boolean;
  readonly link: LinkLimits;
  readonly router: RouterLimits;
}

/** Bytes towards an edge that does not read, beyond which the link ends. */
const OUTBOUND_BYTES = 8 * 1024 * 1024;

/** The gateway's end: one link to each edge of the pool, opened again for ever. */
export class EdgeLinks {
  readonly #user: EdgeLinksUser;
  readonly #set: LinkSet;
  readonly #dial: EdgeDial<Link>;
  readonly #seats = new Map<Link, EdgeSeat>();
  #settings: EdgeLinksSettings;

  constructor(context: EdgeDialContext, settings: EdgeLinksSettings, user: EdgeLinksUser) {
    this.#settings = settings;
    this.#user = user;
    // A proxy does not know a stanza of ours again.
    this.#set = new LinkSet(context.clock, context.metrics, 'never', settings.router, {
      handleStanza: (link, stanza, pair, number) => this.#arrive(link, stanza, pair, number),
      handleReady: (link) => {
        this.#seats.get(link)?.succeeded();
        user.handleReady(link.peer);
      },
      handlePartner: (domain, state) => user.handlePartner(domain, state),
      handleEnd: (link, notice) => {
        user.handleEnd(notice);
        const seat = this.#seats.get(link);
        this.#seats.delete(link);
        seat?.ended();
      },
    });
    this.#dial = new EdgeDial(context, { outboundBytes: OUTBOUND_BYTES }, settings, {
      open: (connection, seat) => this.#open(connection, seat),
      leave: (link) => link.stop('closed'),
      handleFailure: ({ name, address }, { code, message }) =>
        user.handleEnd({ peer: name, address, reason: 'not-connected', detail: `${code} ${message}` }),
    });
    this.#dial.configure(settings);
  }

  get settings(): EdgeLinksSettings {
    return this.#settings;
  }
  /** Stanzas in both directions that are not safe yet. */
  get pending(): number {
    return this.#set.pending;
  }
  states(): LinkState[] {
    return this.#set.states();
  }

  /** Edges that are not listed any more are left; links to the others stay. */
  configure(settings: EdgeLinksSettings): void {
    this.#settings = settings;
    this.#set.router.configure(settings.router);
    this.#dial.configure(settings);
  }

  /**
   * Gives a stanza for a partner to the edge that the partner's domain hashes to, or the next in order.
   * @param settled called once: undefined when the partner has taken it over, or its sender was told by a stanza
   */
  send(stanza: XmlElement, partner: string, settled: (failed: LinkFailure | undefined) => void): void {
    this.#set.send(withoutOrigin(stanza), partner, settled);
  }
  close(): void {
    this.#dial.close();
    this.#set.close();
  }

  #open(connection: Connection, seat: EdgeSeat): Link {
    const { own, link: limits, hosts } = this.#settings;
    const link = this.#set.add({
      connection,
      role: 'gateway',
      own,
      peers: [seat.target.name],
      streamId: '',
      limits,
      accepts: (from, to) => hosts(to) && !hosts(from),
    });
    this.#seats.set(link, seat);
    link.start();
    return link;
  }
  #arrive(link: Link, stanza: XmlElement, pair: DomainPair, number: number): void {
    const origin = originOf(stanza);
    if (origin === undefined) {
      link.stop('unexpected-element');
      return;
    }
    const done = () => link.handled(number);
    this.#user.handleArrival({ stanza: withoutOrigin(stanza), pair, origin, edge: link.peer, done });
  }
}
