import { ok, type Result } from '#kernel';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import type { Health, Provision, Service, ServiceContext, ServiceDefinition } from '#platform/service';
import type { InternalDocument } from '#platform/topology';
import { Readings } from './readings.ts';
import { type Controlled, verbsOf } from './verbs.ts';

export const service: ServiceDefinition<InternalDocument> = {
  name: 'log-controller',
  title: 'log controller',
  create: (context) => new LogController(context),
};

interface Settings {
  readonly document: InternalDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
}

/** Asks the logging agents of the edges, all at once. It keeps nothing itself, and dials nobody unless it is asked. */
class LogController implements Service<InternalDocument> {
  readonly verbs: Service<InternalDocument>['verbs'];
  readonly #context: ServiceContext;
  readonly #readings: Readings;
  #settings: Settings | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#readings = new Readings(context.clock, context.random);
    context.metrics.observe(
      'sallyport_log_controller_readings',
      'Searches, follows and copies that are open.',
      () => this.#readings.open,
    );
    this.verbs = verbsOf(() => this.#controlled());
  }

  async provision(document: InternalDocument): Promise<Result<Provision>> {
    const credentials = loadCredentials(document.host.certificates.internal, this.#context.clock.wall());
    if (!credentials.ok) return credentials;
    const trust = loadTrustAnchors(document.host.internalCa);
    if (!trust.ok) return trust;
    const settings = { document, credentials: credentials.value, trust: trust.value };
    return ok({
      commit: async () => {
        this.#settings = settings;
      },
      abandon: async () => {},
    });
  }

  #controlled(): Controlled | undefined {
    if (this.#settings === undefined) return undefined;
    const { document, credentials, trust } = this.#settings;
    const { clock, random, metrics } = this.#context;
    const { edges, answerSeconds } = document.logging;
    const addresses = document.host.addresses.internal;
    const link = { credentials, trust, addresses, answerMs: answerSeconds * 1000, clock, metrics };
    return { edges, link, readings: this.#readings, clock, random };
  }

  health(): Health {
    if (this.#settings === undefined) return { ok: false, detail: 'no document yet' };
    const { edges } = this.#settings.document.logging;
    return { ok: true, detail: `${edges.length} edges to ask, ${this.#readings.open} readings open` };
  }
  drain(): void {}
  undrain(): void {}
  remaining(): number {
    return 0;
  }
  async stop(): Promise<void> {
    this.#readings.closeAll();
  }
}
