import type { Relay } from '../relay.ts';
import { PeerStreams } from './ms-streams.ts';

/** The peer to and from which data go without a message around them ([MS-TURN] §3.3.5.3). */
export interface MsDestination {
  /** Canonical; own relayed addresses in their advertised form. */
  readonly address: string;
  readonly port: number;
  /** An address of this relay: data are switched inside. */
  readonly own: boolean;
  readonly relay: Relay;
}

/** Sequence numbers of the last so many messages are told apart. */
const WINDOW_BITS = 32;

/** What an allocation has besides when its client speaks the Microsoft dialect. */
export class MsSession {
  /** 20 octets, ours: the client repeats them in every later message. */
  readonly connectionId: Uint8Array;
  /** Of the realm that the client proved itself in; later messages may leave it out. A copy. */
  readonly realm: string;
  /** Key of MESSAGE-INTEGRITY, 16 octets, as proved at the Allocate. */
  readonly key: Uint8Array;
  active: MsDestination | undefined;
  readonly streams = new PeerStreams();
  /** The last answer to a request after the first Allocate, for its retransmissions. */
  lastAnswer: { readonly transactionId: Uint8Array; readonly octets: string } | undefined;
  #highest = 0;
  /** Bit n: highest - n was seen. */
  #seen = 1;

  constructor(connectionId: Uint8Array, realm: string, key: Uint8Array) {
    this.connectionId = connectionId;
    this.realm = realm;
    this.key = key;
  }

  /**
   * Takes note of a proven message's number. Gaps and another order are no fault, since datagrams get lost; a number
   * that was seen already, or one older than the window tells apart, is a copy.
   */
  isNew(number: number): boolean {
    const ahead = number - this.#highest;
    if (ahead > 0) {
      this.#seen = ahead >= WINDOW_BITS ? 1 : ((this.#seen << ahead) | 1) >>> 0;
      this.#highest = number;
      return true;
    }
    if (-ahead >= WINDOW_BITS) return false;
    const bit = (1 << -ahead) >>> 0;
    if ((this.#seen & bit) !== 0) return false;
    this.#seen = (this.#seen | bit) >>> 0;
    return true;
  }
}
