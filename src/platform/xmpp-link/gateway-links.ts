import { type Clock, type Random, randomToken } from '#kernel';
import type { Connection } from '#platform/net';
import { matchName } from '#platform/pki';
import type { Metrics } from '#platform/telemetry';
import type { XmlElement } from '#protocols/xml';
import {
  type DomainPair,
  type PartnerStreamState,
  type StanzaOrigin,
  withOrigin,
  withoutOrigin,
} from '#protocols/xmpp';
import type { Link, LinkLimits } from './link.ts';
import type { RouterLimits } from './link-router.ts';
import { type LinkNotice, LinkSet, type LinkState } from './link-set.ts';
import type { LinkFailure } from './outgoing.ts';

/** A stanza of a gateway, for a partner. */
export interface GatewayArrival {
  readonly stanza: XmlElement;
  readonly pair: DomainPair;
  /** Call it once when the partner has taken it over, or its sender was told that it did not. */
  readonly done: () => void;
  /** The link may go on without it: it is acknowledged, with the word that it is not done. */
  readonly hold: () => void;
}

export interface GatewayLinksUser {
  handleArrival(arrival: GatewayArrival): void;
  handleReady(gateway: string, address: string): void;
  handleEnd(notice: LinkNotice): void;
}

export interface GatewayLinksSettings {
  /** Host name of this edge, as its internal certificate has it. */
  readonly own: string;
  /** Certificate names that may be the gateway. */
  readonly gateways: readonly string[];
  /** Whether a domain is the organisation's. */
  readonly hosts: (domain: string) => boolean;
  readonly link: LinkLimits;
  readonly router: RouterLimits;
}

const STREAM_ID_LENGTH = 26;

/** The proxy's end: links that gateways have opened (port row int-01). */
export class GatewayLinks {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #set: LinkSet;
  #settings: GatewayLinksSettings;

  constructor(
    context: { readonly clock: Clock; readonly random: Random; readonly metrics: Metrics },
    settings: GatewayLinksSettings,
    user: GatewayLinksUser,
  ) {
    this.#clock = context.clock;
    this.#random = context.random;
    this.#settings = settings;
    this.#set = new LinkSet(this.#clock, context.metrics, 'same-peer', settings.router, {
      handleStanza: (link, stanza, pair, number) => {
        let held = false;
        user.handleArrival({
          stanza: withoutOrigin(stanza),
          pair,
          hold: () => {
            held = true;
            link.hold(number);
          },
          done: () => (held ? link.passed(number) : link.handled(number)),
        });
      },
      handleReady: (link) => user.handleReady(link.peer, link.connection.remote.address),
      // Only proxies know of streams with partners.
      handlePartner: () => {},
      handleEnd: (_, notice) => user.handleEnd(notice),
    });
  }

  /** Stanzas in both directions that are not safe yet. */
  get pending(): number {
    return this.#set.pending;
  }
  get size(): number {
    return this.#set.size;
  }
  states(): LinkState[] {
    return this.#set.states();
  }

  /** A link whose peer is no gateway any more ends. */
  configure(settings: GatewayLinksSettings): void {
    this.#settings = settings;
    this.#set.router.configure(settings.router);
    for (const link of this.#set.links()) if (!this.#mayStay(link)) link.stop('not-authorized');
  }
  /** Takes over a connection whose certificate is verified; false: it is none of a gateway, and it is closed. */
  accept(connection: Connection): boolean {
    const { own, gateways, hosts, link: limits } = this.#settings;
    const names = connection.tls?.peer?.names;
    const peers = names === undefined ? [] : gateways.filter((name) => matchName(names, [name]) === name);
    if (peers.length === 0) {
      this.#set.meters.refused.inc();
      connection.destroy('policy');
      return false;
    }
    const streamId = randomToken(this.#random, STREAM_ID_LENGTH);
    const link = this.#set.add({
      connection,
      role: 'proxy',
      own,
      peers,
      streamId,
      limits,
      // To whom is decided stanza by stanza, with an answer to its sender.
      accepts: (from, to) => hosts(from) && !hosts(to),
    });
    link.start();
    return true;
  }
  /** Gives a stanza to the gateway that serves its addressee. */
  send(stanza: XmlElement, origin: StanzaOrigin, settled: (failed: LinkFailure | undefined) => void): void {
    const to = stanza.attributes.get('to') ?? '';
    const slash = to.indexOf('/');
    this.#set.send(withOrigin(stanza, origin), slash < 0 ? to : to.slice(0, slash), settled);
  }
  /** Tells every gateway what became of our streams with a partner. */
  tellPartner(domain: string, state: PartnerStreamState): void {
    for (const link of this.#set.links()) link.tellPartner(domain, state);
  }
  /** Asks gateways to send by other edges. */
  drain(): void {
    for (const link of this.#set.links()) link.drain();
  }
  /** Ends the links in order; gateways go to other edges. */
  leave(): void {
    this.#set.stopAll('closed');
  }
  close(): void {
    this.#set.close();
  }

  #mayStay(link: Link): boolean {
    const names = link.connection.tls?.peer?.names;
    return names !== undefined && matchName(names, this.#settings.gateways) !== undefined;
  }
}
