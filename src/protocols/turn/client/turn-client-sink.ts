import type { Failure } from '#kernel';
import type { TransportAddress } from '#protocols/stun';

export type TurnClientEvent =
  /** The server has given us a relayed address. */
  | {
      readonly type: 'allocated';
      /** What peers send to. */
      readonly relayed: TransportAddress;
      /** What the server sees as our address. */
      readonly mapped: TransportAddress;
      /** Seconds granted; the client refreshes by itself. */
      readonly lifetime: number;
    }
  /** The peer address may send to us, and we to it. */
  | { readonly type: 'permitted'; readonly address: string }
  | { readonly type: 'channel-bound'; readonly peer: TransportAddress; readonly channel: number }
  /** A permission or channel was refused, or could not be renewed; it is forgotten. */
  | {
      readonly type: 'peer-refused';
      readonly address: string;
      /** Error code of the answer; undefined when there was none. */
      readonly code: number | undefined;
      readonly failure: Failure;
    }
  /** The allocation is over, or never came to be. Nothing follows. Without `failure`: it was deallocated. */
  | {
      readonly type: 'ended';
      readonly failure?: Failure;
      /** Error code of the answer that ended it. */
      readonly code?: number;
      /** Where the server sends us (300 Try Alternate). */
      readonly alternate?: TransportAddress;
    };

/** Where the client's output goes. Called synchronously; do not call the client from inside, except commands. */
export interface TurnClientSink {
  /** Sends one datagram to the server. `bytes` are valid during the call only: copy them to keep them. */
  send(bytes: Uint8Array): void;
  /** Data from a peer, a view of the datagram that was handed in: valid during the call only. */
  data(address: string, port: number, bytes: Uint8Array): void;
  event(event: TurnClientEvent): void;
}

/** Why the client ignored a datagram. */
export const turnClientDrops = [
  'not-stun',
  'unknown-transaction',
  'unauthenticated-answer',
  'unexpected-message',
  'malformed-data',
  'no-permission',
  'no-channel',
] as const;

export type TurnClientDrop = (typeof turnClientDrops)[number];
