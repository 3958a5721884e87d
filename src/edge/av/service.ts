import type { Socket } from 'node:net';
import { literalLookup, ok, type Result } from '#kernel';
import type { Health, Provision, Service, ServiceContext, ServiceDefinition } from '#platform/service';
import type { EdgeDocument, ListenerPlan } from '#platform/topology';
import { Indicators, totalsOf } from './indicators.ts';
import { declareMeters, type Meters } from './meters.ts';
import { RelayHost } from './relay-host.ts';
import { readSettings, type Settings } from './settings.ts';
import { verbsOf } from './verbs.ts';

export const service: ServiceDefinition<EdgeDocument> = {
  name: 'av',
  title: 'A/V Edge service',
  create: (context) => new AvEdge(context),
};

/** Relays media for clients of both interfaces (port rows ext-14, ext-15, int-06, int-07 and the relay range). */
class AvEdge implements Service<EdgeDocument> {
  readonly verbs: Service<EdgeDocument>['verbs'];
  readonly #context: ServiceContext;
  readonly #meters: Meters;
  readonly #indicators: Indicators;
  #host: RelayHost | undefined;
  #draining = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#meters = declareMeters(context.metrics);
    this.#indicators = new Indicators(context.metrics);
    const relay = () => this.#host?.relay;
    const { metrics, clock } = context;
    metrics.observe('sallyport_av_allocations', 'Allocations open.', () => relay()?.allocations.size ?? 0);
    metrics.observe('sallyport_av_ports_taken', 'Relay ports in use.', () => relay()?.ports.taken ?? 0);
    metrics.observe('sallyport_av_ports', 'Relay ports of the range.', () => relay()?.ports.size ?? 0);
    const threads = () => this.#host?.threads;
    metrics.observe(
      'sallyport_av_threads',
      'Threads that should relay beside the service.',
      () => threads()?.count ?? 0,
    );
    metrics.observe('sallyport_av_threads_running', 'Threads that do.', () => threads()?.running ?? 0);
    metrics.observe(
      'sallyport_av_thread_ends',
      'Ends of threads since the start.',
      () => threads()?.ends ?? 0,
    );
    this.verbs = verbsOf(
      () => this.#host,
      () => clock.now(),
      this.#indicators,
    );
  }

  async provision(document: EdgeDocument): Promise<Result<Provision>> {
    const settings = readSettings(document, this.#context.clock.wall());
    if (!settings.ok) return settings;
    return ok({ commit: async () => this.#commit(settings.value), abandon: async () => {} });
  }

  health(): Health {
    if (this.#host === undefined) return { ok: false, detail: 'no document yet' };
    const { relay, streams } = this.#host;
    const { allocations, ports } = relay;
    const drain = this.#draining ? ', draining' : '';
    const { threads: relaying } = this.#host;
    const threads = relaying.count === 0 ? '' : ` ${relaying.running} of ${relaying.count} threads,`;
    const beyond = this.#indicators
      .exceeded()
      .map(({ name, perSecond }) => `, ${name} ${Math.round(perSecond)}/s`);
    return {
      ok: true,
      detail: `${allocations.size} allocations, ${ports.taken} of ${ports.size} ports,${threads} ${streams} connections${drain}${beyond.join('')}`,
    };
  }

  /** New Allocates are answered 508 (RFC 8656 §7.2); what exists goes on and may be refreshed. */
  drain(): void {
    this.#draining = true;
    this.#host?.relay.drain();
  }
  undrain(): void {
    this.#draining = false;
    this.#host?.relay.undrain();
  }
  /** Allocations. */
  remaining(): number {
    return this.#host?.relay.allocations.size ?? 0;
  }

  async stop(): Promise<void> {
    const host = this.#host;
    this.#host = undefined;
    await host?.close();
  }

  #commit(settings: Settings): void {
    const { clock, random, log, metrics, events, sockets } = this.#context;
    const listeners = sockets.plan();
    if (this.#host !== undefined) {
      this.#host.reconfigure(settings, listeners);
    } else {
      const meters = this.#meters;
      const socketsOf = (plan: ListenerPlan) => sockets.udp(plan.id, { lookup: literalLookup });
      const serverOf = (plan: ListenerPlan, take: (socket: Socket) => void) =>
        sockets.tcp(plan.id, take, { allowHalfOpen: true });
      const context = { clock, random, log, metrics, events, meters };
      const swept = (host: RelayHost, now: number) => this.#indicators.sample(totalsOf(host), now);
      this.#host = new RelayHost({ ...context, settings, listeners, swept, socketsOf, serverOf });
    }
    if (this.#draining) this.#host.relay.drain();
  }
}
