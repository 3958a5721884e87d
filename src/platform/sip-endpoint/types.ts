import type { Connection } from '#platform/net';
import type { FlowId, ServerTransaction, SipMessage, SipRequest, SipResponse } from '#protocols/sip';
import type { Backlog } from './backlog.ts';

/** One connection that speaks SIP. Responses go back on the flow that brought the request. */
export interface SipFlow {
  /** The id of its connection. */
  readonly id: FlowId;
  readonly connection: Connection;
  /** Requests and responses match only flows of the same scope; the flow's own by default. */
  readonly scope: string;
  /** True lifts the limits of {@link PreAuthorisationLimits}; the service sets it after the first sign-in. */
  authorised: boolean;
  /**
   * Whom its requests count for: a party has no more in the table of server transactions than it leaves to all others, by
   * however many flows it comes, answered ones that still stand there included (an INVITE does for 32 s); more are refused
   * with 503. Undefined: whoever may fill the table. The service may change it.
   */
  party: string | undefined;
  /** What it has still to write. */
  readonly backlog: Backlog;
  /** The owner's. */
  data: unknown;
  readonly open: boolean;
  /** Whole messages received. */
  readonly messages: number;
  /** Bytes received. */
  readonly bytes: number;
  /** Requests received that have no final answer yet. */
  readonly unanswered: number;
}

/** What a flow may do before it is authorised. Over any of them it is closed. */
export interface PreAuthorisationLimits {
  readonly messages: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** RFC 5626 §4.4.1, for flows whose client side we are. */
export interface KeepAliveOptions {
  /** A ping is sent after 80 to 100 % of this without traffic towards the peer. */
  readonly intervalMs: number;
  /** How long to wait for the pong, default 10000. */
  readonly pongMs?: number;
}

export interface FlowOptions {
  readonly data?: unknown;
  /** Default: true when the endpoint has no pre-authorisation limits, else false. */
  readonly authorised?: boolean;
  /** Flows of one peer that may answer or cancel for one another share a scope. Default: its own. */
  readonly scope?: string;
  /**
   * Requests of the flow that may be unanswered at once; more are refused with 503. Default: as many as the table holds.
   */
  readonly openRequests?: number;
  /** See {@link SipFlow.party}. */
  readonly party?: string;
  /** True when we opened the connection: then the peer answers keep-alives and we may ask. Default false. */
  readonly dialled?: boolean;
  /** Pings of ours; only on a dialled flow. */
  readonly keepAlive?: KeepAliveOptions;
  /**
   * Asked about every whole message before anything else; true when another process handles it. What that one has to
   * say is written to the connection by whoever diverted the message.
   */
  readonly divert?: (message: SipMessage, flow: SipFlow) => boolean;
  /**
   * Told of each response to a request of the flow just before it leaves; not of one that is repeated with its request, nor
   * of a 100 that the transaction layer says.
   */
  readonly onResponse?: (request: SipRequest, status: number, bytes: Buffer) => void;
  /** For who opened the flow; called before the service's onFlowClosed. */
  readonly onClosed?: (flow: SipFlow, reason: FlowCloseReason) => void;
}

export interface SipEndpointLimits {
  readonly flows: number;
  readonly serverTransactions: number;
  readonly clientTransactions: number;
  /** Of a message received, and of one sent: what headers added on the way make longer does not leave. */
  readonly messageBytes: number;
  readonly headerLineBytes: number;
  readonly headers: number;
  /** From the first byte of a message to its last. */
  readonly messageMs: number;
  /**
   * Without a single byte from the peer for this long a flow is closed; undefined: as the connection says.
   */
  readonly idleMs?: number;
  readonly preAuthorisation?: PreAuthorisationLimits;
}

/** Why a flow ended. */
export const flowCloseReasons = [
  'peer-closed',
  /** The transport failed. */
  'failed',
  'slow-reader',
  'idle',
  'pong-timeout',
  /** What came is not SIP, or the stream lost its framing. */
  'malformed',
  'too-large',
  'message-timeout',
  /** More before sign-in than {@link PreAuthorisationLimits} allow. */
  'unauthorised-messages',
  'unauthorised-bytes',
  'unauthorised-seconds',
  /** The endpoint has as many flows as it may. */
  'limit',
  /** The service's decision. */
  'policy',
  'shutdown',
] as const;
export type FlowCloseReason = (typeof flowCloseReasons)[number];

/** Why a message went no further. */
export const messageDropReasons = [
  'bad-request',
  'bad-response',
  'transactions-full',
  /** More unanswered requests than {@link FlowOptions} allow. */
  'flow-requests-full',
  /** More of the transaction table than its party may have ({@link SipFlow.party}). */
  'share-full',
  'merged-request',
  'cancel-without-invite',
  'stray-response',
  /** It was to leave on a flow that had closed. */
  'flow-closed',
  /** A response that its transaction no longer takes. */
  'late-response',
  /** It was to leave, but had become longer than a message may be. */
  'outgrown',
] as const;
export type MessageDropReason = (typeof messageDropReasons)[number];

/** The service above the endpoint (RFC 3261 §5: the transaction user's core). */
export interface SipUser {
  /** A new request; answer through the transaction. Never ACK or CANCEL. */
  onRequest(request: SipRequest, flow: SipFlow, transaction: ServerTransaction): void;
  /** An ACK for a 2xx. */
  onAck(request: SipRequest, flow: SipFlow): void;
  /** A CANCEL, already answered, of an INVITE whose transaction has no user of its own. */
  onCancel(cancel: SipRequest, flow: SipFlow, invite: ServerTransaction): void;
  onFlowClosed(flow: SipFlow, reason: FlowCloseReason): void;
  /** Must not be forwarded (RFC 6026 §7.2). */
  onStrayResponse?(response: SipResponse, flow: SipFlow): void;
}
