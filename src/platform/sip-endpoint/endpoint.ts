import { type Clock, err, type Monotonic, ok, type Random, type Result } from '#kernel';
import type { Connection } from '#platform/net';
import type { Log } from '#platform/telemetry';
import {
  buildResponse,
  type ClientTransaction,
  type ClientTransactionUser,
  type FlowId,
  type FramerEvent,
  type ServerTransaction,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  type Transaction,
  type TransactionAction,
  type TransactionCounts,
  TransactionLayer,
} from '#protocols/sip';
import { fromConnection, fromFramer, toConnection } from './closing.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import { Flow, PING, PONG } from './flow.ts';
import { FlowTable } from './flow-table.ts';
import { Inspection } from './inspection.ts';
import { MessageEvents } from './message-events.ts';
import { declareMeters, type Meters, type Troubles, troublesOf } from './meters.ts';
import { Moment } from './moment.ts';
import {
  defaultEndpointLimits,
  type OutgoingRequest,
  type RequestRefused,
  type RespondOptions,
  type SipEndpointOptions,
} from './options.ts';
import { Outbox } from './outbox.ts';
import { droppedAs, type RefusalCause } from './refusal.ts';
import { ToTags } from './to-tags.ts';
import type {
  FlowCloseReason,
  FlowOptions,
  MessageDropReason,
  SipEndpointLimits,
  SipFlow,
  SipUser,
} from './types.ts';

/**
 * SIP over connections: frames what arrives, runs the transaction layer on it, sends what results, and shows
 * the service requests and responses. Nothing here decides where a request goes.
 *
 * A flow's connection belongs to the endpoint from addFlow on; closing a flow ends its transactions.
 */
export class SipEndpoint {
  readonly clock: Clock;
  readonly random: Random;
  readonly #log: Log;
  readonly #user: SipUser;
  #limits: SipEndpointLimits;
  readonly #meters: Meters;
  readonly #events: MessageEvents;
  readonly #layer: TransactionLayer;
  readonly #flows = new FlowTable();
  readonly #moment: Moment;
  readonly #outbox: Outbox;
  readonly #inspection: Inspection;
  readonly #tags: ToTags;
  readonly #timer: DeadlineTimer;

  constructor(options: SipEndpointOptions) {
    this.clock = options.clock;
    this.#moment = new Moment(options.clock);
    this.random = options.random;
    this.#log = options.log;
    this.#user = options.user;
    this.#events = new MessageEvents(options.events, options.name);
    this.#limits = { ...defaultEndpointLimits, ...options.limits };
    this.#outbox = new Outbox(options.schedule ?? setImmediate);
    this.#inspection = this.#inspect();
    this.#tags = new ToTags(options.random);
    this.#timer = new DeadlineTimer(options.clock, () =>
      this.#perform(this.#layer.handleTimeouts(this.clock.now())),
    );
    this.#meters = declareMeters(options.metrics, options.name, {
      flows: () => this.flowCount,
      transactions: () => this.transactions,
    });
    this.#layer = new TransactionLayer({
      limits: { server: this.#limits.serverTransactions, client: this.#limits.clientTransactions },
      scope: (flow) => this.#flows.get(flow)?.scope ?? '',
      ...(options.timers === undefined ? {} : { timers: options.timers }),
    });
  }

  /**
   * Other limits from now on. Those of a message count for flows that are added later; a flow that is open keeps the
   * ones that it began with.
   */
  configure(limits: Partial<SipEndpointLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
    this.#layer.configure({
      server: this.#limits.serverTransactions,
      client: this.#limits.clientTransactions,
    });
  }

  /** The time, which stands still while one chunk is handled. */
  now(): Monotonic {
    return this.#moment.now();
  }
  get transactions(): TransactionCounts {
    return this.#layer.counts;
  }
  /** False for a message that is longer than one may be. */
  fits(bytes: Buffer): boolean {
    return bytes.length <= this.#limits.messageBytes;
  }
  get flowCount(): number {
    return this.#flows.size;
  }
  /** Totals since the start, for whoever watches over the service. */
  get troubles(): Troubles {
    return troublesOf(this.#meters);
  }
  flows(): IterableIterator<SipFlow> {
    return this.#flows.values();
  }
  /** The open flow of a connection. */
  flow(id: FlowId): SipFlow | undefined {
    return this.#flows.get(id);
  }

  /**
   * Takes a connection over; undefined (and the connection closed) when there are as many as there may be.
   */
  addFlow(connection: Connection, options: FlowOptions = {}): SipFlow | undefined {
    if (this.#flows.has(connection.id)) throw new Error(`connection ${connection.id} is a flow already`);
    if (this.#flows.size >= this.#limits.flows) {
      this.#meters.closed.inc('limit');
      connection.destroy('limit');
      return undefined;
    }
    const authorised = options.authorised ?? this.#limits.preAuthorisation === undefined;
    const flow = new Flow(connection, { ...options, authorised }, this.#limits, this.#flows.parties);
    this.#flows.add(flow);
    if (this.#limits.idleMs !== undefined) connection.idleMs = this.#limits.idleMs;
    this.#inspection.begin(flow);
    connection.onClose = (reason) => flow.open && this.#end(flow, fromConnection(reason));
    connection.onData = (chunk) => this.#handleData(flow, chunk);
    connection.borrowChunks?.();
    return flow;
  }

  /** Answers with a response of our own making. */
  respond(transaction: ServerTransaction, status: number, options: RespondOptions = {}): void {
    const source = this.#flows.get(transaction.flow)?.connection.remote;
    const bytes = buildResponse(transaction.request, status, {
      ...this.#tags.complete(transaction, status, options),
      ...(source === undefined ? {} : { source }),
    });
    this.respondRaw(transaction, status, bytes);
  }

  /**
   * Answers with a response that is complete, such as one that was received downstream. One that is too long is not
   * sent: ask {@link fits} first where something can be said in its place.
   */
  respondRaw(transaction: ServerTransaction, status: number, bytes: Buffer): void {
    const actions = this.#layer.respond(transaction, status, bytes, this.now());
    if (actions.length === 0) this.#drop('late-response');
    else this.#flows.get(transaction.flow)?.responds(transaction, status, bytes);
    this.#perform(actions);
  }

  /** Lets go of a request that by its nature is not answered. */
  abandon(transaction: ServerTransaction): void {
    this.#perform(this.#layer.abandon(transaction, this.now()));
  }

  /** Sends a request; its user hears of responses and failure, but of nothing when this returns an error. */
  request(
    flow: SipFlow,
    request: OutgoingRequest,
    user: ClientTransactionUser,
  ): Result<ClientTransaction, RequestRefused> {
    if (!this.#flows.has(flow.id)) return err('flow-closed');
    const { method, branch, bytes } = request;
    if (this.#isOutgrown(bytes)) return err('too-large');
    const outcome = this.#layer.request({ method, branch, bytes, flow: flow.id }, user, this.now());
    if (outcome.type === 'refused') return err(outcome.reason);
    this.#perform(outcome.actions);
    return ok(outcome.transaction);
  }

  /** Sends bytes that belong to no transaction: an ACK for a 2xx. False when the flow has closed, or they are too long. */
  sendStateless(flow: SipFlow, bytes: Buffer): boolean {
    return this.#send(flow.id, bytes);
  }

  /** Gives up an INVITE of ours; see TransactionLayer.cancel. */
  cancel(transaction: ClientTransaction, reasons?: readonly string[]): void {
    this.#perform(this.#layer.cancel(transaction, this.now(), reasons));
  }

  /** Ends a flow; what waits to be sent still leaves. */
  closeFlow(flow: SipFlow, reason: FlowCloseReason): void {
    const known = this.#flows.get(flow.id);
    if (known === undefined || known !== flow) return;
    known.flush();
    this.#end(known, reason);
    known.connection.end(toConnection(reason));
  }

  /** Closes every flow and stops every timer. */
  close(): void {
    for (const flow of [...this.#flows.values()]) this.closeFlow(flow, 'shutdown');
    this.#inspection.stop();
    this.#timer.stop();
  }

  #handleData(flow: Flow, chunk: Buffer): void {
    if (!flow.open) return;
    flow.bytes += chunk.length;
    if (!flow.authorised && this.#exceeds(flow)) return;
    this.#moment.hold((now) => {
      for (const event of flow.read(chunk, now)) {
        if (!flow.open) return;
        this.#handleEvent(flow, event);
      }
    });
  }

  #handleEvent(flow: Flow, event: FramerEvent): void {
    switch (event.type) {
      case 'message':
        flow.messages += 1;
        if (flow.diverts(event.message)) return;
        if (flow.authorised || !this.#exceeds(flow)) this.#handleMessage(flow, event.message);
        return;
      case 'ping':
        this.#outbox.write(flow, PONG);
        return;
      case 'pong':
        flow.pongDue = Number.POSITIVE_INFINITY;
        return;
      case 'bad-request':
      case 'bad-response':
        // What is no good message is an attempt at one, and its answer costs as much.
        flow.messages += 1;
        if (!flow.authorised && this.#exceeds(flow)) return;
        this.#drop(event.type);
        this.#note(flow, 'bad message', event.reason);
        this.#events.unreadable(flow, event.reason);
        if (event.type === 'bad-request' && event.response !== undefined) this.#send(flow.id, event.response);
        if (event.fatal) this.closeFlow(flow, fromFramer(event.reason));
        return;
      case 'close':
        this.#note(flow, 'stream unreadable', event.reason);
        this.#events.unreadable(flow, event.reason);
        this.#destroy(flow, fromFramer(event.reason));
    }
  }

  #handleMessage(flow: Flow, message: SipMessage): void {
    this.#meters.received.inc(message.kind);
    this.#events.message('in', flow, message.bytes);
    if (message.kind === 'request') this.#handleRequest(flow, message);
    else this.#handleResponse(flow, message);
  }

  #handleRequest(flow: Flow, request: SipRequest): void {
    const table = { capacity: this.#limits.serverTransactions, used: this.#layer.counts.server };
    const excess = flow.requests.excess(request, table);
    if (excess !== undefined) return this.#refuse(request, flow, excess);
    const outcome = this.#layer.handleRequest(request, flow.id, this.now());
    switch (outcome.type) {
      case 'new':
        flow.requests.begin();
        this.#user.onRequest(request, flow, outcome.transaction);
        break;
      case 'absorbed':
        this.#perform(outcome.actions);
        break;
      case 'ack':
        this.#user.onAck(request, flow);
        break;
      case 'cancel':
        flow.requests.begin();
        this.#handleCancel(request, flow, outcome.transaction, outcome.invite);
        break;
      case 'refused':
        this.#refuse(request, flow, outcome.reason);
    }
    this.#timer.arm(this.#layer.deadline());
  }

  /** RFC 3261 §9.2: CANCEL is answered at once, whatever becomes of the INVITE. */
  #handleCancel(
    cancel: SipRequest,
    flow: Flow,
    transaction: ServerTransaction,
    invite: ServerTransaction | undefined,
  ): void {
    if (invite === undefined) {
      this.#drop('cancel-without-invite');
      this.respond(transaction, 481);
      return;
    }
    this.respond(transaction, 200, { toTag: this.#tags.of(invite) });
    if (!invite.pending) return;
    if (invite.user === undefined) this.#user.onCancel(cancel, flow, invite);
    else invite.user.onCancel?.(cancel, invite);
  }

  #refuse(request: SipRequest, flow: Flow, cause: RefusalCause): void {
    this.#events.refused(flow, request, cause);
    this.#drop(droppedAs[cause]);
    if (cause !== 'merged') this.#note(flow, 'request refused', droppedAs[cause]);
    this.#send(flow.id, flow.refuses(request, cause, this.#tags.fresh()));
  }

  #handleResponse(flow: Flow, response: SipResponse): void {
    const outcome = this.#layer.handleResponse(response, flow.id, this.now());
    this.#perform(outcome.actions);
    if (outcome.type === 'response') {
      outcome.transaction.user?.onResponse(response, outcome.transaction);
    } else if (outcome.type === 'stray') {
      this.#drop('stray-response');
      this.#user.onStrayResponse?.(response, flow);
    }
  }

  #destroy(flow: Flow, reason: FlowCloseReason): void {
    this.#end(flow, reason);
    flow.connection.destroy(toConnection(reason));
  }

  /** The flow's end as transactions, the service and the counters see it. */
  #end(flow: Flow, reason: FlowCloseReason): void {
    flow.open = false;
    this.#flows.remove(flow);
    this.#meters.closed.inc(reason);
    this.#log.debug('flow closed', { flow: flow.id, remote: flow.connection.remote.address, reason });
    this.#events.closed(flow, reason);
    this.#perform(this.#layer.handleFlowClosed(flow.id, this.now()));
    flow.onClosed?.(flow, reason);
    this.#user.onFlowClosed(flow, reason);
  }

  #exceeds(flow: Flow): boolean {
    const reason = flow.excess(this.#limits.preAuthorisation);
    if (reason === undefined) return false;
    this.#note(flow, 'flow refused', reason);
    this.#destroy(flow, reason);
    return true;
  }

  #perform(actions: readonly TransactionAction[]): void {
    for (const action of actions) {
      if (action.type === 'send') this.#send(action.flow, action.bytes);
      else if (action.type === 'ended') this.#ended(action.transaction);
      else this.#fail(action);
    }
    this.#timer.arm(this.#layer.deadline());
  }

  #ended(transaction: Transaction): void {
    if (transaction.side === 'server') this.#flows.get(transaction.flow)?.requests.end(transaction);
  }

  #fail({ type, transaction }: Extract<TransactionAction, { type: 'timeout' | 'transport-failed' }>): void {
    const cause = type === 'timeout' ? 'timeout' : 'transport';
    this.#meters.failed.inc(`${transaction.side}-${cause}`);
    if (transaction.side === 'server') transaction.user?.onFailure?.(cause, transaction);
    else transaction.user?.onFailure(cause, transaction);
  }

  #send(id: FlowId, bytes: Buffer): boolean {
    const flow = this.#flows.get(id);
    if (flow === undefined) {
      this.#drop('flow-closed');
      return false;
    }
    if (this.#isOutgrown(bytes)) return false;
    this.#meters.sent.inc();
    this.#events.message('out', flow, bytes);
    this.#outbox.write(flow, bytes);
    return true;
  }

  #inspect(): Inspection {
    return new Inspection({
      clock: this.clock,
      random: this.random,
      flows: this.#flows,
      limits: () => this.#limits.preAuthorisation,
      user: {
        ping: (flow) => this.#outbox.write(flow, PING),
        overdue: (flow, reason) => {
          this.#note(flow, 'flow overdue', reason);
          this.#destroy(flow, reason);
        },
      },
    });
  }

  #isOutgrown(bytes: Buffer): boolean {
    if (this.fits(bytes)) return false;
    this.#drop('outgrown');
    return true;
  }
  #drop(reason: MessageDropReason): void {
    this.#meters.dropped.inc(reason);
  }
  /** At most one line for each connection and reason. */
  #note(flow: Flow, event: string, reason: string): void {
    if (!flow.isNews(reason)) return;
    this.#log.info(event, { flow: flow.id, remote: flow.connection.remote.address, reason });
  }
}
