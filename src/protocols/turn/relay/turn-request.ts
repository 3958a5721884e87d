import type { Monotonic } from '#kernel';
import type { StunMessage } from '#protocols/stun';
import type { EarlierProof } from './authentication.ts';
import type { TurnListener } from './turn-listener.ts';

/** What a request has proved with its message integrity. */
export interface Proof {
  /** For the integrity of the answer. */
  readonly key: Uint8Array;
  /** The answer's integrity is of the SHA-256 form (RFC 8489 §9.2.4). */
  readonly sha256?: boolean;
  /** USERNAME, a view of the request. */
  readonly username: Uint8Array;
  readonly user: string;
  /** End of the credential on the monotonic clock; may be Infinity. */
  readonly ends: Monotonic;
}

/** One request from a client. Views in it are valid while the `handle…` call runs. */
export interface TurnRequest {
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
  readonly message: StunMessage;
  readonly now: Monotonic;
}

/** A request that passed RFC 8489 §9.2.4. */
export interface ProvenRequest extends TurnRequest {
  readonly proof: Proof;
  /** For the allocation to remember, when it does not know it yet. */
  readonly earlier: EarlierProof | undefined;
}
