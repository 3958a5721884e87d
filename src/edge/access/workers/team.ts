import { z } from 'zod';
import type { Clock } from '#kernel';
import { numberConnections, type SourcesElsewhere, type TicketKeys } from '#platform/net';
import type { WorkerPlace } from '#platform/service';
import type { FlowOptions, SipEndpoint, SipFlow } from '#platform/sip-endpoint';
import type { Log, Metrics } from '#platform/telemetry';
import type { SipMessage } from '#protocols/sip';
import type { GuardDesk } from '../guard/guard-desk.ts';
import {
  type GuardNews,
  type GuardQuestion,
  type GuardVerdict,
  guardNews,
  guardQuestion,
  guardVerdict,
  LONGEST_WAIT_MS,
} from '../guard/guard-office.ts';
import type { BorrowedConnection } from './borrowed-connection.ts';
import type { WorkerFrame } from './frames.ts';
import { Borrower, Lender, type LentKind } from './lending.ts';
import type { LeftRequest } from './lent-requests.ts';
import { type Owner, type Ownership, workerFor } from './ownership.ts';
import { Siblings } from './siblings.ts';
import { type CountedListener, SourceCounts, sourceNews } from './source-counts.ts';

export interface TeamOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly place: WorkerPlace;
  /** host.stateDirectory */
  readonly folder: string;
  /** Answers a verb for this worker alone. */
  readonly verb: (name: string, args: unknown) => Promise<unknown>;
}

/** The parts of the service that work with those of the other workers. */
export interface TeamMember {
  readonly endpoint: SipEndpoint;
  readonly guard: GuardDesk;
  readonly tickets: TicketKeys;
  readonly ownership: Ownership;
  /** A connection of another worker, some of whose messages are handled here. */
  accept(connection: BorrowedConnection, kind: LentKind): void;
  /** A member of the next hop has connected to another worker: it is there. */
  wake(names: readonly string[]): void;
  /**
   * A request that belongs to a worker which is not there, has too much to do, or took the client's connection with it.
   * @param toTag that of earlier responses, if there were any with one
   */
  refuse(message: SipMessage, flow: SipFlow, reason: NotHandled, toTag?: string): void;
}

/** Why a worker does not handle what belongs to it. */
export type NotHandled = 'worker-away' | 'worker-busy' | 'dead-flow';

/** For the other workers to be there when this one starts; it serves without them afterwards. Milliseconds. */
const START_MS = 2000;
/** Until an attempt has had its turn at the worker that counts, or none came. Milliseconds. */
const GUARD_TURN_MS = LONGEST_WAIT_MS + 2000;

const question = z.union([
  z.object({ guard: guardQuestion }),
  z.object({ verb: z.string(), arguments: z.unknown() }),
]);
const news = z.union([
  z.object({ guard: guardNews }),
  z.object({ sources: sourceNews }),
  /** Members of the next hop that have connected. */
  z.object({ heardFrom: z.array(z.string()) }),
  /** Clients resume their TLS sessions at whichever worker they reach. */
  z.object({ tickets: z.object({ born: z.int(), epoch: z.int().nonnegative(), secret: z.string() }) }),
]);

/** The other workers of the service, as one of them sees them: what belongs to another one is handed over. */
export class Team {
  readonly place: WorkerPlace;
  readonly #options: TeamOptions;
  readonly #siblings: Siblings;
  readonly #lender: Lender;
  readonly #borrower: Borrower;
  readonly #sources = new SourceCounts((told) => this.#tellAll({ sources: told }));
  #member: TeamMember | undefined;

  constructor(options: TeamOptions) {
    const { clock, log, metrics, place, folder } = options;
    this.#options = options;
    this.place = place;
    numberConnections(place.index);
    this.#lender = new Lender(clock);
    this.#borrower = new Borrower(clock, (connection, kind) => this.#member?.accept(connection, kind));
    this.#siblings = new Siblings({
      clock,
      log,
      place,
      folder,
      user: {
        handleFrame: (worker, frame) => this.#handleFrame(worker, frame),
        answer: (worker, asked) => this.#answer(worker, asked),
        handleOpen: (worker) => this.#handleOpen(worker),
        handleEnd: (worker) => this.#handleEnd(worker),
      },
    });
    this.#handedOver = metrics.counter(
      'sallyport_access_handed_over_total',
      'Messages given to the worker that they belong to',
      { name: 'by', values: ['flow', 'partner', 'branch'] },
    );
    metrics.observe(
      'sallyport_access_workers_missing',
      'Other workers that there is no link with',
      () => this.missing().length,
    );
  }
  readonly #handedOver;

  /** Connections of other workers some of whose messages are handled here. */
  get borrowed(): number {
    return this.#borrower.size;
  }
  /** The other workers that are not there, counted from 1. */
  missing(): number[] {
    return this.#siblings.missing().map((worker) => worker + 1);
  }

  /** Begins to work together; fulfilled when all are there, or not within some seconds. */
  start(member: TeamMember): Promise<void> {
    this.#member = member;
    return this.#siblings.start(START_MS);
  }
  stop(): Promise<void> {
    this.#lender.stop();
    return this.#siblings.stop();
  }

  /** For connections with the next hop. */
  readonly divertNextHop: NonNullable<FlowOptions['divert']> = (message, flow) => {
    const owner = this.#member?.ownership.ofNextHop(message);
    return owner !== undefined && this.#handOver(message, flow, 'next-hop', owner);
  };
  /** For connections with partners. */
  readonly divertPartner: NonNullable<FlowOptions['divert']> = (message, flow) => {
    // Nobody but this worker asked on this connection.
    if (message.kind === 'response') return false;
    const owner = this.#member?.ownership.ofPartner(message);
    return owner !== undefined && this.#handOver(message, flow, 'partner', owner);
  };

  /** Whether other workers handle messages of this connection. */
  readonly lends = (flow: SipFlow): boolean => this.#lender.lends(flow);

  /** A connection of this worker has ended. */
  handleClosed(flow: SipFlow): void {
    this.#lender.handleClosed(flow.id, (worker) => this.#siblings.link(worker));
  }

  /** Which other worker counts the failures of a source; undefined: this one. */
  readonly guardOf = (source: string): number | undefined => {
    const worker = workerFor(source, this.place);
    return worker === this.place.index ? undefined : worker;
  };
  async askGuard(worker: number, asked: GuardQuestion): Promise<GuardVerdict | undefined> {
    const longestMs = asked.kind === 'begin' ? GUARD_TURN_MS : undefined;
    const answer = await this.#siblings.link(worker)?.ask({ guard: asked }, longestMs);
    return guardVerdict.safeParse(answer).data;
  }
  tellGuard(worker: number, told: GuardNews): void {
    this.#siblings.link(worker)?.send({ type: 'tell', body: { guard: told } });
  }
  tellGuards(told: GuardNews): void {
    this.#tellAll({ guard: told });
  }
  /** A member of the next hop has connected to this worker; the others need not wait to dial it. */
  tellHeardFrom(names: readonly string[]): void {
    this.#tellAll({ heardFrom: [...names] });
  }
  /** What sources have at the same listener of the other workers. */
  sourcesOf(listener: CountedListener): SourcesElsewhere {
    return this.#sources.ledger(listener);
  }

  /** What each other worker answers to a verb; those that give no answer are left out. */
  async askVerb(verb: string, args: unknown): Promise<unknown[]> {
    const asked = { verb, arguments: args };
    const answers = await Promise.all(this.#siblings.links().map((link) => link.ask(asked)));
    return answers.filter((answer) => answer !== undefined);
  }

  #handOver(message: SipMessage, flow: SipFlow, kind: LentKind, owner: Owner): boolean {
    const { worker, by } = owner;
    const link = this.#siblings.link(worker);
    if (link === undefined) {
      // The connection that a flow token names went with its worker, which is what the sender is told here.
      if (by === 'flow') return false;
      this.#member?.refuse(message, flow, 'worker-away');
      return true;
    }
    const busy = kind === 'partner' ? link.busyForPartners : link.busy;
    if (busy) this.#member?.refuse(message, flow, 'worker-busy');
    else {
      this.#handedOver.inc(by);
      this.#lender.lend(message, flow, kind, owner, link);
    }
    return true;
  }

  /**
   * To the sender it is as if the request came only now. The client's connection has ended with its worker: 430, whereupon the
   * next hop tries another flow of that user (RFC 5626 §5.3). A partner can be reached again before long: 503.
   */
  #refuseLeft({ request, flow, by, toTag }: LeftRequest): void {
    this.#member?.refuse(request, flow, by === 'flow' ? 'dead-flow' : 'worker-away', toTag);
  }

  #handleFrame(worker: number, frame: WorkerFrame): void {
    const link = this.#siblings.link(worker);
    const member = this.#member;
    if (link === undefined || member === undefined) return;
    switch (frame.type) {
      case 'lent':
      case 'message':
      case 'closed':
        this.#borrower.handleFrame(worker, frame, link);
        return;
      case 'send':
      case 'ringing':
      case 'end':
        this.#lender.handleFrame(frame, member.endpoint);
        return;
      case 'hello':
      case 'ask':
      case 'answer':
        return;
      case 'tell': {
        const told = news.safeParse(frame.body);
        if (!told.success) return;
        if ('guard' in told.data) member.guard.handleNews(worker, told.data.guard);
        else if ('heardFrom' in told.data) member.wake(told.data.heardFrom);
        else if ('tickets' in told.data) member.tickets.handleFamily(told.data.tickets);
        else this.#sources.handleNews(worker, told.data.sources);
      }
    }
  }
  async #answer(worker: number, asked: unknown): Promise<unknown> {
    const parsed = question.safeParse(asked);
    if (!parsed.success) return undefined;
    if ('verb' in parsed.data) return this.#options.verb(parsed.data.verb, parsed.data.arguments);
    return this.#member?.guard.answer(parsed.data.guard, worker);
  }
  #tellAll(body: z.infer<typeof news>): void {
    for (const link of this.#siblings.links()) link.send({ type: 'tell', body });
  }
  #handleOpen(worker: number): void {
    const link = this.#siblings.link(worker);
    const tickets = this.#member?.tickets.family;
    if (tickets !== undefined) link?.send({ type: 'tell', body: { tickets } });
    for (const sources of this.#sources.all()) link?.send({ type: 'tell', body: { sources } });
  }
  #handleEnd(worker: number): void {
    const left = this.#lender.handleWorkerEnd(worker);
    this.#options.log.warn('a worker is away', { worker: worker + 1, unanswered: left.length });
    for (const request of left) this.#refuseLeft(request);
    this.#borrower.handleWorkerEnd(worker);
    this.#sources.forget(worker);
    this.#member?.guard.handleWorkerEnd(worker);
  }
}
