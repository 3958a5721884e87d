import type { SipRequest, SipResponse } from '../messages/message.ts';
import type { ClientTransaction } from './client-transaction.ts';
import type { ServerTransaction } from './server-transaction.ts';

/** Names one connection (or one UDP peer) for as long as it is open; never reused in a process. */
export type FlowId = number;

/** Why the layer above gets no final response, or can no longer deliver one. */
export type TransactionFailure = 'timeout' | 'transport';

/** What is above a client transaction (RFC 3261 §17: the TU). */
export interface ClientTransactionUser {
  /** Every provisional response, the final one, and for INVITE each further 2xx (RFC 6026 §8.4). */
  onResponse(response: SipResponse, transaction: ClientTransaction): void;
  /** At most once, and never after a final response. */
  onFailure(cause: TransactionFailure, transaction: ClientTransaction): void;
}

/** What is above a server transaction. */
export interface ServerTransactionUser {
  /** The client gave up an INVITE; its CANCEL was already answered with 200. */
  onCancel?(cancel: SipRequest, transaction: ServerTransaction): void;
  /**
   * The transaction is gone: its flow closed, or ('timeout') we sent no final response in time, or the ACK
   * for a refused INVITE never came.
   */
  onFailure?(cause: TransactionFailure, transaction: ServerTransaction): void;
  /**
   * Whether a final response of an INVITE is still to come, asked when there was none for `silentInvite`; else it counts as
   * forgotten. False when left out.
   */
  isAtWork?(): boolean;
}

/** What the adapter has to do next, in order. */
export type TransactionAction =
  | { readonly type: 'send'; readonly flow: FlowId; readonly bytes: Buffer }
  | { readonly type: 'timeout'; readonly transaction: Transaction }
  | { readonly type: 'transport-failed'; readonly transaction: Transaction }
  | { readonly type: 'ended'; readonly transaction: Transaction };

export type Transaction = ClientTransaction | ServerTransaction;

/** Why the layer does not take a request. */
export type RequestRefusal =
  /** The table of server transactions is full. */
  | 'full'
  /** Its Via names another transaction that is still alive (RFC 3261 §8.2.2.2 answers 482). */
  | 'merged';

/** Why a response belongs to nothing here; RFC 6026 §7.2 forbids to forward it. */
export type StrayReason =
  /** The topmost Via has no branch of ours. */
  | 'no-branch'
  /** No client transaction has this branch and method, or it ended. */
  | 'no-transaction';

export type RequestOutcome =
  | { readonly type: 'new'; readonly transaction: ServerTransaction }
  /** A retransmission, or the ACK for a final response other than 2xx: perform the actions, nothing else. */
  | { readonly type: 'absorbed'; readonly actions: readonly TransactionAction[] }
  /** An ACK that belongs to a 2xx (or to nothing here): the layer above routes it. */
  | { readonly type: 'ack' }
  /**
   * A new CANCEL (a server transaction of its own, to be answered) and the INVITE it names, if that lives.
   */
  | { readonly type: 'cancel'; readonly transaction: ServerTransaction; readonly invite?: ServerTransaction }
  | { readonly type: 'refused'; readonly reason: RequestRefusal };

export type ResponseOutcome =
  /** To be shown to the transaction's user after the actions are performed. */
  | {
      readonly type: 'response';
      readonly transaction: ClientTransaction;
      readonly actions: readonly TransactionAction[];
    }
  /** A retransmission, or the answer to a CANCEL of the layer's own. */
  | { readonly type: 'absorbed'; readonly actions: readonly TransactionAction[] }
  | { readonly type: 'stray'; readonly reason: StrayReason; readonly actions: readonly TransactionAction[] };

/** A request to be sent; `bytes` already carry our Via with `branch` on top. */
export interface ClientRequest {
  /** As in the start line, e.g. `INVITE`. Never ACK. */
  readonly method: string;
  /** The branch parameter of the topmost Via in `bytes`, begins with `z9hG4bK`. */
  readonly branch: string;
  readonly bytes: Buffer;
  readonly flow: FlowId;
}

export type ClientOutcome =
  | {
      readonly type: 'started';
      readonly transaction: ClientTransaction;
      readonly actions: readonly TransactionAction[];
    }
  | { readonly type: 'refused'; readonly reason: 'full' | 'duplicate-branch' };

export interface TransactionLimits {
  /** Server transactions alive at once, CANCELs included; at least 1. */
  readonly server: number;
  /** Client transactions alive at once, at least 1; the CANCELs of pending INVITEs come on top. */
  readonly client: number;
}

export interface TransactionCounts {
  readonly server: number;
  readonly client: number;
}
