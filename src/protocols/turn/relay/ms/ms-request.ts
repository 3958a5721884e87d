import type { Monotonic } from '#kernel';
import type { MsMessage } from '#protocols/stun';
import type { TurnListener } from '../turn-listener.ts';
import type { Proof } from '../turn-request.ts';

/** One message of the Microsoft dialect from a client. Views in it are valid while the `handle…` call runs. */
export interface MsRequest {
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
  readonly message: MsMessage;
  readonly now: Monotonic;
}

/** What an Allocate has proved. */
export interface MsProof extends Proof {
  /** The realm that went into the key. */
  readonly realm: string;
}

export interface ProvenMsRequest extends MsRequest {
  readonly proof: MsProof;
}
