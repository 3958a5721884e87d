import type { Clock, Random } from '#kernel';
import type { Resolver, Target } from '#platform/dns';
import type { EventStream, Log, Metrics } from '#platform/telemetry';
import type { XmlElement } from '#protocols/xml';
import type { DomainPair, Method, StreamReason, StreamSettings } from '#protocols/xmpp';
import type { PartnerTls } from './upgradable-socket.ts';

/** One partner as the endpoint needs it. */
export interface Partner {
  /** The domain by which limits are counted. */
  readonly name: string;
  readonly methods: readonly Method[];
  /** Whether blanks keep its streams open. */
  readonly keepAlive: boolean;
  /** Most streams with it, in each direction. */
  readonly connections: number;
  /** Its servers, when they are not to be looked for by SRV records. */
  readonly servers?: readonly Target[];
}

/** Why a stanza did not reach its partner, as its sender is told (RFC 6120 §8.3.3). */
export type Undelivered =
  | 'remote-server-not-found'
  | 'remote-server-timeout'
  | 'resource-constraint'
  /** A stream ended with a message before the peer had acknowledged it: it may have arrived. */
  | 'delivery-unknown';

/** A stanza that came from a partner. */
export interface Arrival {
  readonly stanza: XmlElement;
  readonly pair: DomainPair;
  /** Unique to the stream that brought it. */
  readonly streamId: string;
  readonly number: number;
  /** Call it once when the stanza is safe with the next one, or was refused for good. */
  readonly done: () => void;
}

/** Something that an operator may want to know. */
export interface StreamNotice {
  readonly direction: 'in' | 'out';
  readonly peer: string | undefined;
  readonly address: string;
  readonly reason: StreamReason;
  readonly detail: string | undefined;
}

export interface EndpointUser {
  handleArrival(arrival: Arrival): void;
  /** A stream was refused, or ended for a reason other than an orderly end. */
  handleNotice(notice: StreamNotice): void;
  /**
   * `open`: stanzas can be sent to this domain from now on. `broken`: a stream with it ended in a way that may have taken
   * stanzas with it, in either direction, of which nobody is told.
   */
  handleStream(domain: string, state: 'open' | 'broken'): void;
}

export interface EndpointSettings {
  readonly tls: PartnerTls;
  readonly stream: StreamSettings;
  readonly hosts: (domain: string) => boolean;
  readonly partner: (domain: string) => Partner | undefined;
  readonly mayDial: (address: string) => boolean;
  readonly localAddresses: readonly string[];
  /** The port of partners; servers at another one are passed over (port row xmpp-02). */
  readonly port: number;
  /** Streams with all partners together. */
  readonly connections: number;
  /** Of these, streams whose peer has proven nothing yet. */
  readonly strangers: number;
  /** Stanzas that wait for a stream to one partner. */
  readonly waiting: number;
  /** Stanzas of one stream that are under way to the next one. */
  readonly window: number;
  readonly outboundBytes: number;
  readonly connectMs: number;
}

export interface EndpointContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Stanzas that cross, and streams; nothing is told when left out. */
  readonly events?: EventStream | undefined;
  readonly resolver: Resolver;
  readonly user: EndpointUser;
}
