import type { Clock, Random } from '#kernel';
import type { SipSide } from '#platform/sip-agent';
import type { Log } from '#platform/telemetry';
import type { StanzaCondition } from '#protocols/sip-xmpp';
import type { XmlElement } from '#protocols/xml';
import type { GatewayMetrics, Refusal } from './gateway-metrics.ts';
import type { GatewayStore } from './gateway-store.ts';

/** What the document says about the gateway, in the units that code uses. */
export interface GatewaySettings {
  /** Domains whose users are ours. */
  readonly domains: ReadonlySet<string>;
  /** Conversations from the XMPP side begin with an INVITE (RFC 7573), not by MESSAGE alone (RFC 7572). */
  readonly sessions: boolean;
  /** Bytes of a text beyond which it needs a session. */
  readonly pageModeBytes: number;
  readonly sessionIdleMs: number;
  /** How long the partner has for an error or a receipt before a message counts as accepted. */
  readonly answerMs: number;
  /** RFC 6665 Expires of subscriptions that the gateway makes, and the longest that it grants. */
  readonly subscriptionSeconds: number;
  /** Messages under way, sessions, subscriptions of all, contacts of one user. */
  readonly messages: number;
  readonly sessionsAtOnce: number;
  readonly subscriptions: number;
  readonly subscriptionsPerUser: number;
  readonly contactsPerUser: number;
  /** What people of one domain may hold of each of these tables, 1 to 100. */
  readonly partnerPercent: number;
}

/** The way to the partners. */
export interface XmppSide {
  /** @param settled called once: when the partner has it, or its sender was told by a stanza; else why not */
  send(stanza: XmlElement, settled?: (failed: SendFailure | undefined) => void): void;
}

/** What a SIP user is told of a message that may have arrived: who sends it again may be read twice. */
export const DELIVERY_UNKNOWN = 'Delivery Unknown';

/** Why a stanza went nowhere or may have done so: the condition for an XMPP user, and the words for a SIP user. */
export interface SendFailure {
  readonly condition: StanzaCondition;
  readonly reason: string;
}

/** What is told of something that was not passed on; addresses are of SIP or of XMPP, as it came. */
export interface RefusalNote {
  readonly reason: Refusal;
  readonly from: string;
  readonly to: string;
}

/** What all parts of the gateway stand on. */
export interface GatewayContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: GatewayMetrics;
  readonly store: GatewayStore;
  readonly sip: SipSide;
  readonly xmpp: XmppSide;
  readonly settings: () => GatewaySettings;
  /** Counts it, and tells operators. */
  readonly refuse: (note: RefusalNote) => void;
}
