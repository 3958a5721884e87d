import type { Socket } from 'node:net';
import { ok, type Result } from '#kernel';
import type { ListenerPlan } from '#platform/topology';
import type { Health, Provision, Service, ServiceContext, VerbHandler } from './definition.ts';

/** Of a document made ready: what is to be said of the certificates that it is served with. */
interface Certified {
  readonly external: { readonly warnings: readonly string[] };
  readonly internal: { readonly warnings: readonly string[] };
}

/** What a service does while its feature is on. */
export interface Operation<Prepared> {
  /** Goes on by another document; connections survive. False: it can't become that, and a new one takes its place. */
  adopt(prepared: Prepared): boolean;
  /** Takes a connection that came to a listener of this interface. */
  take(side: ListenerPlan['interface'], socket: Socket): void;
  drain(): void;
  undrain(): void;
  /** As `Service.remaining`. */
  remaining(): number;
  /** What goes on, in a few words for the operator. */
  detail(): string;
  close(): Promise<void>;
}

/** A service that a document switches on and off. */
export interface Feature<Document, Prepared extends Certified, Running extends Operation<Prepared>> {
  /** For people, as in "XMPP federation is off". */
  readonly title: string;
  isOn(document: Document): boolean;
  /** @param wall milliseconds since 1970 */
  prepare(document: Document, wall: number): Result<Prepared>;
  start(prepared: Prepared): Running;
  verbs(running: () => Running | undefined): Readonly<Record<string, VerbHandler>>;
  /** Declares what is measured of what runs. */
  measure(running: () => Running | undefined): void;
}

/**
 * Life of a service whose feature a document may switch off: nothing of it runs then, and it is in good health. What runs
 * adopts the documents that follow.
 */
export class FeatureService<Document, Prepared extends Certified, Running extends Operation<Prepared>>
  implements Service<Document>
{
  readonly verbs: Readonly<Record<string, VerbHandler>>;
  readonly #context: ServiceContext;
  readonly #feature: Feature<Document, Prepared, Running>;
  #running: Running | undefined;
  #documents = 0;
  #draining = false;

  constructor(context: ServiceContext, feature: Feature<Document, Prepared, Running>) {
    this.#context = context;
    this.#feature = feature;
    const running = () => this.#running;
    this.verbs = feature.verbs(running);
    feature.measure(running);
  }

  async provision(document: Document): Promise<Result<Provision>> {
    const abandon = async () => {};
    if (!this.#feature.isOn(document)) return ok({ commit: () => this.#switchOff(), abandon });
    const prepared = this.#feature.prepare(document, this.#context.clock.wall());
    if (!prepared.ok) return prepared;
    return ok({ commit: async () => this.#commit(prepared.value), abandon });
  }

  health(): Health {
    if (this.#documents === 0) return { ok: false, detail: 'no document yet' };
    if (this.#running === undefined) return { ok: true, detail: `${this.#feature.title} is off` };
    return { ok: true, detail: `${this.#draining ? 'draining, ' : ''}${this.#running.detail()}` };
  }
  drain(): void {
    this.#draining = true;
    this.#running?.drain();
  }
  undrain(): void {
    this.#draining = false;
    this.#running?.undrain();
  }
  remaining(): number {
    return this.#running?.remaining() ?? 0;
  }
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.close();
  }

  #commit(prepared: Prepared): void {
    this.#documents += 1;
    for (const warning of [...prepared.external.warnings, ...prepared.internal.warnings]) {
      this.#context.log.warn('certificate needs attention', { warning });
    }
    if (this.#running?.adopt(prepared) !== true) {
      void this.stop();
      this.#running = this.#feature.start(prepared);
      if (this.#draining) this.#running.drain();
    }
    const running = this.#running;
    const { sockets } = this.#context;
    for (const { id, interface: side } of sockets.plan()) {
      sockets.tcp(id, (socket) => running.take(side, socket));
    }
  }
  async #switchOff(): Promise<void> {
    this.#documents += 1;
    await this.stop();
  }
}
