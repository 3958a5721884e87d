import type { Clock } from '#kernel';
import type { Connection } from '#platform/net';
import type { SipEndpoint, SipFlow, StatefulProxy } from '#platform/sip-endpoint';
import type { ServerTransaction, SipRequest } from '#protocols/sip';
import type { ClientConnection } from '../clients/client-connection.ts';
import type { ClientTable } from '../clients/client-table.ts';
import type { Federation } from '../federation/federation.ts';
import type { GuardDesk } from '../guard/guard-desk.ts';
import type { GuestDesk } from '../guests/guest-desk.ts';
import type { AccessMetrics, SignInOutcome } from '../metrics.ts';
import type { Refusal, RefusalReason } from '../policy/refusal.ts';
import type { Scene } from '../rewrite/scene.ts';
import type { Branches } from './branches.ts';
import type { NextHop } from './next-hop.ts';

/** What the two sides of the proxy share. */
export interface ProxyCore {
  readonly clock: Clock;
  readonly endpoint: SipEndpoint;
  readonly proxy: StatefulProxy;
  readonly nextHop: NextHop;
  readonly federation: Federation;
  readonly clients: ClientTable;
  readonly guard: GuardDesk;
  readonly guests: GuestDesk;
  readonly branches: Branches;
  readonly metrics: AccessMetrics;
  /** The running document's. */
  readonly scene: Scene;
  /** The same, as it is for the transport of a client. */
  sceneOf(client: ClientConnection): Scene;
  /** Answers with the refusal; `from` is where the request came from. */
  refuse(transaction: ServerTransaction, refusal: Refusal, from: SipFlow): void;
  /** This edge takes nothing new. */
  readonly draining: boolean;
  /** 503 with Retry-After, for what would begin while this edge is drained. */
  refuseWhileDraining(): Refusal;
  /** 503 with Retry-After: no member of the next hop can be reached. */
  refuseUnreachable(transaction: ServerTransaction, from: SipFlow): void;
  /** The same, since the member that serves this client reads more slowly than clients write. */
  refuseBusy(transaction: ServerTransaction, from: SipFlow): void;
  /** One line in the log for each connection and reason, and each time one more in the counter. */
  countRefusal(reason: RefusalReason, from: SipFlow, request?: SipRequest, status?: number): void;
  /** A connection that becomes none is counted, and told. */
  refuseConnection(reason: RefusalReason, peer: 'client' | 'partner' | 'next-hop', at: Connection): void;
  /** What the next hop said to a REGISTER. */
  tellSignIn(outcome: SignInOutcome, request: SipRequest, from: SipFlow, status: number): void;
  /** Closes a connection that used up what it may do before sign-in; true when it did. */
  refuseExcess(client: ClientConnection): boolean;
  answerOptions(transaction: ServerTransaction): void;
}
