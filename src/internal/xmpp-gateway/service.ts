import { ok, type Result } from '#kernel';
import type { Health, Provision, Service, ServiceContext, ServiceDefinition } from '#platform/service';
import type { InternalDocument } from '#platform/topology';
import { type GatewayMetrics, gatewayMetrics } from './gateway-metrics.ts';
import { type Prepared, prepare } from './prepared.ts';
import { Running } from './running.ts';
import { gatewayVerbs } from './verbs.ts';

/** The XMPP gateway: SIP towards the next hop, XMPP over the links to the proxies of all edges. */
export const service: ServiceDefinition<InternalDocument> = {
  name: 'xmpp-gateway',
  title: 'XMPP gateway',
  create: (context) => new XmppGateway(context),
};

class XmppGateway implements Service<InternalDocument> {
  readonly verbs: Service<InternalDocument>['verbs'];
  readonly #context: ServiceContext;
  readonly #metrics: GatewayMetrics;
  #running: Running | undefined;
  #provisioned = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#metrics = gatewayMetrics(context.metrics);
    this.verbs = gatewayVerbs(() => this.#running);
  }

  async provision(document: InternalDocument): Promise<Result<Provision>> {
    const running = this.#running;
    const inUse = running === undefined ? undefined : { file: running.file, store: running.store };
    const prepared = prepare(document, this.#context.clock.wall(), inUse);
    if (!prepared.ok) return prepared;
    return ok({
      commit: async () => this.#commit(prepared.value),
      abandon: async () => {
        if (prepared.value.store !== inUse?.store) prepared.value.store?.close();
      },
    });
  }

  async #commit(prepared: Prepared): Promise<void> {
    this.#provisioned = true;
    const running = this.#running;
    const { store } = prepared;
    if (running !== undefined && running.store === store) return running.adopt(prepared);
    await running?.stop();
    this.#running =
      store === undefined ? undefined : new Running(this.#context, this.#metrics, { ...prepared, store });
  }

  health(): Health {
    if (!this.#provisioned) return { ok: false, detail: 'no document yet' };
    return { ok: true, detail: this.#running?.describe() ?? 'no edge listed: nothing to do' };
  }
  drain(): void {}
  undrain(): void {}
  remaining(): number {
    return this.#running?.underWay ?? 0;
  }
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }
}
