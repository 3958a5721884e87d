import type { Socket } from 'node:dgram';
import type { Monotonic } from '#kernel';
import type { DatagramNetwork, DatagramReceiver, DatagramSocket } from '../datagrams.ts';

/**
 * Whole flows given to whoever moves the datagrams: what is asked for once here is not asked again for each datagram.
 * Everything that a service may rely on is in `flows.conformance.ts`. A flow goes one way; a channel of TURN is two.
 */

/** One end of a flow: by which socket, and with whom. */
export interface FlowEnd {
  readonly socket: DatagramSocket;
  /** Canonical IP text and port of the other side. */
  readonly address: string;
  readonly port: number;
  /** Data come, or go, as ChannelData of this number (RFC 8656 §12.4); undefined: as they are. */
  readonly channel: number | undefined;
}

export interface FlowPlan {
  readonly from: FlowEnd;
  readonly to: FlowEnd;
  /** It runs where this socket's datagrams come: one of the two ends', or that of the relayed address that it belongs to. */
  readonly beside: DatagramSocket;
  /** Every octet of application data is taken from all of them; what one has not is dropped. */
  readonly budgets: readonly FlowBudget[];
  /** By the clock of the table: from then on nothing passes, whether or not anybody comes to close it. */
  readonly ends: Monotonic;
}

export interface FlowCounts {
  /** Datagrams and octets of application data that passed. */
  readonly packets: number;
  readonly octets: number;
  /** Datagrams that were dropped for want of budget. */
  readonly overBudget: number;
}

/** An open flow. Its counts are totals, and are right until some time after `close`, when `closed` is told. */
export interface Flow extends FlowCounts {
  /** Takes effect at once, in whichever thread the flow runs; 0 stops it. */
  renew(ends: Monotonic): void;
  /** Nothing passes from now on. Closing twice does nothing. */
  close(): void;
}

/** Octets that may pass; shared by all flows that name it, in whichever threads they run. */
export interface FlowBudget {
  /**
   * @param rate octets a millisecond; kept for the flows that take from it
   * @param burst octets at most saved up, likewise
   * @returns octets that may pass now; below 0 when it was overdrawn
   */
  refill(now: Monotonic, rate: number, burst: number): number;
  take(octets: number): void;
  /** To be called once, after all flows that name it were closed. */
  release(): void;
}

export interface FlowTable {
  /**
   * From now on what comes to `from` goes to `to`, and to no receiver. Everything else, and what comes when the flow
   * has ended, goes to the receiver of its socket as ever.
   * @param closed told the last counts, when nothing can change them any more
   * @returns undefined when there is no room, or the sockets cannot have flows: then the receiver has all to do
   */
  open(plan: FlowPlan, closed?: (counts: FlowCounts) => void): Flow | undefined;
  /** @returns undefined when there is no room */
  budget(rate: number, burst: number): FlowBudget | undefined;
  /** Open right now. */
  readonly size: number;
}

/** Threads that move datagrams. */
export interface RelayThreads {
  /** As many as there should be, and as many as there are; 0 where whoever uses the datagrams moves them, too. */
  readonly count: number;
  readonly running: number;
  /** Ends since the start, other than by `close`. */
  readonly ends: number;
}

/** The datagrams of a relay: sockets that its clients reach, sockets towards peers, and flows between them. */
export interface RelayDatagrams {
  readonly clients: DatagramNetwork;
  readonly peers: DatagramNetwork;
  readonly flows: FlowTable;
  readonly threads: RelayThreads;
  /**
   * Takes over the sockets of one listener, one for each thread, which share address and port (`reusePort`): in all
   * `threads.count`, or one where there are no threads. Sends leave by any of them.
   */
  listen(sockets: readonly Socket[], receiver: DatagramReceiver): DatagramSocket;
  /** There will be so many relayed addresses at once: what that takes is done now, not when somebody waits for one. */
  expect(relayed: number): void;
  /** Closes everything, and resolves when the descriptors and threads are gone. */
  close(): Promise<void>;
}
