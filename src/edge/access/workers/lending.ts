import { z } from 'zod';
import type { Clock } from '#kernel';
import type { Connection, TlsFacts } from '#platform/net';
import type { SipEndpoint, SipFlow } from '#platform/sip-endpoint';
import type { SipMessage } from '#protocols/sip';
import { BorrowedConnection, ringing } from './borrowed-connection.ts';
import type { WorkerFrame } from './frames.ts';
import { type LeftRequest, LentRequests } from './lent-requests.ts';
import type { Owner } from './ownership.ts';
import type { SiblingLink } from './sibling-link.ts';

/** Whose connection it is. */
export type LentKind = 'next-hop' | 'partner';

/** Connections of one other worker at a time; as many as partners and the next hop may have open. */
const MOST_BORROWED = 100_000;
/** Of the next hop's requests; 32 s of 250 a second that nobody answers. */
const MOST_REQUESTS = { requests: 8192, characters: 16 * 1024 * 1024 };
/** Of those of partners, who must not use up what the next hop's need. */
const MOST_OF_PARTNERS = { requests: MOST_REQUESTS.requests / 4, characters: MOST_REQUESTS.characters / 4 };

const endpoint = z.object({ address: z.string(), port: z.number() });
const texts = z.array(z.string());
/** What has to be known of a connection to handle its messages. Its own worker verified the peer's certificate. */
const facts = z.object({
  kind: z.enum(['next-hop', 'partner']),
  remote: endpoint,
  local: endpoint,
  protocol: z.string(),
  peer: z
    .object({
      names: z.object({ dns: texts, ip: texts, uri: texts, xmpp: texts, srv: texts }),
      subject: z.string(),
      fingerprint: z.string(),
      notBefore: z.number(),
      notAfter: z.number(),
    })
    .optional(),
});
type Facts = z.infer<typeof facts>;

interface Lent {
  readonly flow: SipFlow;
  readonly requests: LentRequests;
  /** Workers that handle messages of it. */
  readonly to: Set<number>;
}

/** Connections of this worker whose messages others handle. */
export class Lender {
  readonly #lent = new Map<number, Lent>();
  readonly #requests: Readonly<Record<LentKind, LentRequests>> = {
    'next-hop': new LentRequests(MOST_REQUESTS),
    partner: new LentRequests(MOST_OF_PARTNERS),
  };
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A message goes to another worker, which is told first whose connection it is if it does not know. */
  lend(message: SipMessage, flow: SipFlow, kind: LentKind, owner: Owner, link: SiblingLink): void {
    let lent = this.#lent.get(flow.id);
    if (lent === undefined) {
      lent = { flow, requests: this.#requests[kind], to: new Set() };
      this.#lent.set(flow.id, lent);
    }
    if (!lent.to.has(owner.worker)) {
      lent.to.add(owner.worker);
      link.send({ type: 'lent', connection: flow.id, body: factsOf(flow.connection, kind) });
    }
    const request = lent.requests.add(message, flow, owner, this.#clock.now());
    link.send({ type: 'message', connection: flow.id, request, bytes: message.bytes });
  }
  lends({ id }: SipFlow): boolean {
    return this.#lent.has(id);
  }
  /** What the worker that handles its messages says. */
  handleFrame(frame: Extract<WorkerFrame, { type: 'send' | 'ringing' | 'end' }>, sip: SipEndpoint): void {
    const lent = this.#lent.get(frame.connection);
    if (lent === undefined) return;
    const { flow, requests } = lent;
    if (frame.type === 'end') sip.closeFlow(flow, 'policy');
    else if (frame.type === 'send') {
      // The other worker has collected what leaves in one turn already.
      flow.connection.write(frame.bytes);
      for (const request of frame.answered) requests.handleAnswered(request);
    } else {
      const { data } = ringing.safeParse(frame.body);
      if (data !== undefined) requests.handleRinging(data.request, data.toTag, this.#clock.now());
    }
  }
  /** The connection has ended. */
  handleClosed(id: number, linkTo: (worker: number) => SiblingLink | undefined): void {
    const lent = this.#lent.get(id);
    if (lent === undefined) return;
    this.#lent.delete(id);
    lent.requests.handleClosed(lent.flow);
    for (const worker of lent.to) linkTo(worker)?.send({ type: 'closed', connection: id });
  }
  /** The worker is gone; its successor knows nothing. Gives the requests that it has not answered. */
  handleWorkerEnd(worker: number): LeftRequest[] {
    for (const [id, lent] of this.#lent) {
      if (lent.to.delete(worker) && lent.to.size === 0) this.#lent.delete(id);
    }
    const now = this.#clock.now();
    return Object.values(this.#requests).flatMap((requests) => requests.takeLeft(worker, now));
  }
  /** The connections will end, so that nobody is to be answered by way of them. */
  stop(): void {
    for (const requests of Object.values(this.#requests)) requests.clear();
  }
}

/** Connections of other workers whose messages this one handles. */
export class Borrower {
  readonly #clock: Clock;
  readonly #accept: (connection: BorrowedConnection, kind: LentKind) => void;
  readonly #borrowed = new Map<number, Map<number, BorrowedConnection>>();

  constructor(clock: Clock, accept: (connection: BorrowedConnection, kind: LentKind) => void) {
    this.#clock = clock;
    this.#accept = accept;
  }

  get size(): number {
    let size = 0;
    for (const ofOne of this.#borrowed.values()) size += ofOne.size;
    return size;
  }

  handleFrame(
    worker: number,
    frame: Extract<WorkerFrame, { type: 'lent' | 'message' | 'closed' }>,
    link: SiblingLink,
  ): void {
    const ofOne = this.#of(worker);
    if (frame.type === 'message') ofOne.get(frame.connection)?.handleMessage(frame.bytes, frame.request);
    else if (frame.type === 'closed') {
      const connection = ofOne.get(frame.connection);
      ofOne.delete(frame.connection);
      connection?.handleEnd('peer-closed');
    } else {
      const parsed = facts.safeParse(frame.body);
      if (!parsed.success || ofOne.size >= MOST_BORROWED) {
        link.send({ type: 'end', connection: frame.connection });
        return;
      }
      const { kind, remote, local } = parsed.data;
      const described = { id: frame.connection, remote, local, tls: tlsOf(parsed.data) };
      const connection = new BorrowedConnection(described, link, this.#clock);
      ofOne.set(connection.id, connection);
      this.#accept(connection, kind);
    }
  }
  handleWorkerEnd(worker: number): void {
    const ofOne = this.#of(worker);
    this.#borrowed.delete(worker);
    for (const connection of ofOne.values()) connection.handleEnd('reset');
  }

  #of(worker: number): Map<number, BorrowedConnection> {
    const known = this.#borrowed.get(worker);
    if (known !== undefined) return known;
    const none = new Map<number, BorrowedConnection>();
    this.#borrowed.set(worker, none);
    return none;
  }
}

function factsOf({ remote, local, tls }: Connection, kind: LentKind): Facts {
  const peer = tls?.peer;
  const base = { kind, remote, local, protocol: tls?.protocol ?? 'unknown' };
  if (peer === undefined) return base;
  const { dns, ip, uri, xmpp, srv } = peer.names;
  const names = { dns: [...dns], ip: [...ip], uri: [...uri], xmpp: [...xmpp], srv: [...srv] };
  const { subject, fingerprint, notBefore, notAfter } = peer;
  return { ...base, peer: { names, subject, fingerprint, notBefore, notAfter } };
}

/** Without the certificates themselves: whether they still stand is for the worker that has the connection. */
function tlsOf({ protocol, peer }: Facts): TlsFacts {
  return peer === undefined ? { protocol } : { protocol, peer: { ...peer, path: [] } };
}
