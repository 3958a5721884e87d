import { type Clock, err, type Failure, FailureError, failure, type Random, type Result } from '#kernel';
import { EventRing, type Log, Metrics } from '#platform/telemetry';
import type { ReloadReport } from './administration-schema.ts';
import type { BoundSocket } from './bound-socket.ts';
import type { ServiceEnd } from './channel.ts';
import type { Provision, Service, ServiceDefinition, WorkerPlace } from './definition.ts';
import { PipeCollector } from './event-collector.ts';
import type { EventPipe } from './event-pipe.ts';
import { EventSender } from './event-sender.ts';
import { type CallAction, carryFailure, toService } from './messages.ts';
import { ServiceSockets } from './service-sockets.ts';

/** What a busy service tells in a second or two, in which the supervisor may not get a core. Most are messages, of which only octets wait. */
const RING = { items: 16_384, bytes: 8 << 20 };
const STOP_MS = 5000;

export interface HostOptions {
  readonly definition: ServiceDefinition<unknown>;
  readonly channel: ServiceEnd;
  readonly events: EventPipe;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly worker?: WorkerPlace;
  /** Whether this process is the service's own, so that its processor and memory metrics are too. */
  readonly ownProcess: boolean;
  /** Called when the service has stopped, or the supervisor is gone. */
  readonly ended: () => void;
}

/** Runs one service at the service's end of a channel. */
export class ServiceHost {
  readonly #options: HostOptions;
  readonly #metrics = new Metrics();
  readonly #events: EventRing;
  readonly #sender: EventSender;
  readonly #sockets: ServiceSockets;
  readonly #service: Service<unknown>;
  #prepared: { version: number; provision: Provision } | undefined;
  #stopping: Promise<void> | undefined;
  readonly #offers = new Map<number, (report: ReloadReport) => void>();
  #offered = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    const { clock, random, log, channel, definition } = options;
    this.#events = new EventRing(clock, RING);
    this.#sender = new EventSender(this.#events, options.events, clock);
    if (options.ownProcess) this.#metrics.collectProcess();
    this.#metrics.observe(
      'sallyport_events_dropped',
      'Events lost because the ring was full.',
      () => this.#events.dropped,
    );
    this.#sockets = new ServiceSockets(log);
    this.#metrics.observe(
      'sallyport_datagram_socket_errors',
      'Errors that listening datagram sockets met and went on after.',
      () => this.#sockets.troubles,
    );
    channel.onMessage = (message, socket) => this.#receive(message, socket);
    channel.onClose = () => void this.#stop(STOP_MS).then(options.ended);
    const context = {
      clock,
      random,
      log,
      metrics: this.#metrics,
      events: this.#events,
      sockets: this.#sockets,
      ...(options.worker === undefined ? {} : { worker: options.worker }),
      offer: (file: string) => this.#offer(file),
      collector: new PipeCollector(options.events, {
        demand: (demand) => channel.send({ type: 'demand', demand }),
        sync: (number) => channel.send({ type: 'sync', number }),
      }),
    };
    this.#service = definition.create(context);
    channel.send({ type: 'ready', node: process.version, verbs: Object.keys(this.#service.verbs).sort() });
  }

  #receive(raw: unknown, socket: BoundSocket | undefined): void {
    const parsed = toService.safeParse(raw);
    if (!parsed.success) {
      socket?.close();
      this.#options.log.error('message from the supervisor not understood', { code: 'SLP-SVC-0012' });
      return;
    }
    const message = parsed.data;
    if (message.type === 'call') void this.#answer(message.call, message.request);
    else if (message.type === 'verdict') this.#offers.get(message.offer)?.(message.report);
    else if (message.type === 'demand') this.#events.demand(message.demand);
    else if (message.type === 'mark') this.#sender.mark(message.number);
    else if (message.type === 'return') this.#sockets.giveBack(message.of);
    else if (socket === undefined) return;
    else if (message.of === undefined) this.#sockets.receive(message.id, socket, message.share);
    else this.#sockets.standIn(message.id, message.of, socket);
  }

  #offer(file: string): Promise<ReloadReport> {
    this.#offered += 1;
    const offer = this.#offered;
    return new Promise((resolve) => {
      this.#offers.set(offer, (report) => {
        this.#offers.delete(offer);
        resolve(report);
      });
      this.#options.channel.send({ type: 'offer', offer, file });
    });
  }

  async #answer(call: number, request: CallAction): Promise<void> {
    const { channel } = this.#options;
    let outcome: Result<unknown>;
    try {
      outcome = await this.#perform(request);
    } catch (error) {
      outcome = err(toFailure(error));
    }
    if (outcome.ok) channel.send({ type: 'reply', call, ok: true, value: outcome.value ?? null });
    else channel.send({ type: 'refusal', call, failure: carryFailure(outcome.error) });
  }

  async #perform(request: CallAction): Promise<Result<unknown>> {
    switch (request.action) {
      case 'provision':
        return this.#provision(request);
      case 'commit':
        return done(await this.#commit(request.version));
      case 'abandon':
        return done(await this.#abandon());
      case 'health':
        return done(this.#health());
      case 'metrics':
        return done(await this.#metrics.json());
      case 'verb':
        return this.#verb(request.verb, request.arguments);
      case 'drain':
        return done(await this.#service.drain());
      case 'undrain':
        return done(await this.#service.undrain());
      case 'stop':
        return done(await this.#stop(request.withinMs));
    }
  }

  async #provision(request: CallAction & { action: 'provision' }): Promise<Result<unknown>> {
    await this.#abandon();
    this.#sockets.prepare(request.listeners);
    const result = await this.#provisionOrRefuse(request.document);
    if (result.ok) this.#prepared = { version: request.version, provision: result.value };
    else this.#sockets.abandon();
    return result.ok ? done(undefined) : result;
  }

  async #provisionOrRefuse(document: unknown): Promise<Result<Provision>> {
    try {
      return await this.#service.provision(document);
    } catch (error) {
      this.#options.log.error('provisioning failed', { error });
      return err(toFailure(error));
    }
  }

  async #commit(version: number): Promise<void> {
    const prepared = this.#prepared;
    if (prepared?.version !== version) throw new Error(`document ${version} has not been provisioned`);
    this.#prepared = undefined;
    await prepared.provision.commit();
    this.#sockets.settle();
  }

  async #abandon(): Promise<void> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared === undefined) return;
    await prepared.provision.abandon();
    this.#sockets.abandon();
  }

  #health(): { ok: boolean; detail: string; remaining: number } {
    const health = this.#service.health();
    const problem = this.#sockets.problem();
    const remaining = this.#service.remaining();
    return problem === undefined ? { ...health, remaining } : { ok: false, detail: problem, remaining };
  }

  async #verb(name: string, args: unknown): Promise<Result<unknown>> {
    const verbs = this.#service.verbs;
    const handler = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (handler === undefined)
      return err(failure('SLP-SVC-0011', `${this.#options.definition.name} has no verb ${name}`));
    return done(await handler(args));
  }

  #stop(withinMs: number): Promise<void> {
    this.#stopping ??= this.#stopOnce(withinMs);
    return this.#stopping;
  }
  async #stopOnce(withinMs: number): Promise<void> {
    const { clock, log } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(withinMs, () => {
      log.warn('service did not stop in time', { milliseconds: withinMs });
      resolve();
    });
    try {
      await Promise.race([this.#service.stop(), late]);
    } catch (error) {
      log.error('stopping failed', { error });
    }
    cancel();
    this.#sender.flush();
    this.#sockets.closeAll();
  }
}

function done(value: unknown): Result<unknown> {
  return { ok: true, value };
}

function toFailure(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  return failure('SLP-SVC-0016', error instanceof Error ? error.message : String(error), error);
}
