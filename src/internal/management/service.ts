import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, failure, ok, type Result } from '#kernel';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import type { Health, Provision, Service, ServiceContext, ServiceDefinition } from '#platform/service';
import { createDurably } from '#platform/store';
import type { Counter } from '#platform/telemetry';
import type { InternalDocument } from '#platform/topology';
import { makeSigningKey, readSigningKey, type SigningKey, signingKeyPem } from '#protocols/replication';
import { Database } from './database.ts';
import { EdgeAddresses } from './edge-addresses.ts';
import type { LinkOptions } from './edge-link.ts';
import { type ManagedEdge, Policies } from './policies.ts';
import { Publisher } from './publisher.ts';
import { Replicator, type Round, rounds } from './replicator.ts';
import { NOT_PUBLISHED, reportOf } from './status.ts';
import { StoreKeys } from './store-keys.ts';
import { type Managed, verbsOf } from './verbs.ts';

export const service: ServiceDefinition<InternalDocument> = {
  name: 'management',
  title: 'management store',
  create: (context) => new Management(context),
};

interface Settings {
  readonly document: InternalDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
}

/** What exists once the database is open. */
interface Opened {
  readonly database: Database;
  readonly key: SigningKey;
  readonly policies: Policies;
  readonly publisher: Publisher;
  readonly keys: StoreKeys;
}

/** Keeps the organisation's policy and brings it to every edge. Without edges in its document it keeps still. */
class Management implements Service<InternalDocument> {
  readonly verbs: Service<InternalDocument>['verbs'];
  readonly #context: ServiceContext;
  readonly #rounds: Counter<Round>;
  readonly #addresses: EdgeAddresses;
  readonly #replicators = new Map<string, Replicator>();
  #settings: Settings | undefined;
  #opened: Opened | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#addresses = new EdgeAddresses(context);
    this.#rounds = context.metrics.counter(
      'sallyport_management_rounds_total',
      'Rounds of replication, by outcome.',
      {
        name: 'outcome',
        values: rounds,
      },
    );
    this.verbs = verbsOf(() => this.#managed());
  }

  async provision(document: InternalDocument): Promise<Result<Provision>> {
    const credentials = loadCredentials(document.host.certificates.internal, this.#context.clock.wall());
    if (!credentials.ok) return credentials;
    const trust = loadTrustAnchors(document.host.internalCa);
    if (!trust.ok) return trust;
    const opened = this.#opened ?? this.#open(document);
    if ('ok' in opened) return opened;
    const settings = { document, credentials: credentials.value, trust: trust.value };
    return ok({
      commit: async () => this.#commit(settings, opened),
      abandon: async () => {
        if (opened !== this.#opened) opened.database.close();
      },
    });
  }

  #open(document: InternalDocument): Opened | (Result<never> & { ok: false }) {
    const database = Database.open(document.management.database);
    if (!database.ok) return database;
    const key = signingKeyIn(document.host.stateDirectory);
    if (!key.ok) {
      database.value.close();
      return key;
    }
    const edges = () => this.#edges();
    const policies = new Policies(database.value, edges);
    const { clock, random } = this.#context;
    const parts = { database: database.value, key: key.value, clock, edges };
    const publisher = new Publisher({ policies, ...parts });
    const keys = new StoreKeys({ random, ...parts });
    keys.prepare();
    return { database: database.value, key: key.value, policies, publisher, keys };
  }

  #edges(): readonly ManagedEdge[] {
    return this.#settings?.document.management.edges ?? [];
  }

  #commit(settings: Settings, opened: Opened): void {
    this.#settings = settings;
    this.#opened = opened;
    const { host, management } = settings.document;
    this.#addresses.adopt({ resolvers: management.resolvers, localAddresses: host.addresses.internal });
    const wanted = new Map(this.#edges().map((edge) => [edge.name, edge]));
    for (const [name, replicator] of this.#replicators) {
      if (JSON.stringify(wanted.get(name)) === JSON.stringify(replicator.edge)) continue;
      replicator.stop();
      this.#replicators.delete(name);
    }
    for (const edge of wanted.values()) {
      if (!this.#replicators.has(edge.name)) this.#replicators.set(edge.name, this.#replicator(edge, opened));
    }
    // What a crash between a change and its publication left, and what a new site or name of an edge changes.
    this.#publish('sallyport', 'the document of the store changed');
    for (const replicator of this.#replicators.values()) replicator.kick();
  }

  #replicator(edge: ManagedEdge, { database, publisher, keys }: Opened): Replicator {
    const { clock, random, log } = this.#context;
    return new Replicator(edge, {
      database,
      publisher,
      keys,
      clock,
      random,
      log,
      count: this.#rounds,
      link: () => this.#linkOptions(),
      pollMs: () => (this.#settings?.document.management.pollSeconds ?? 30) * 1000,
      heard: (heard) => this.#heard(heard),
    });
  }

  #linkOptions(): LinkOptions {
    const settings = this.#settings;
    if (settings === undefined) throw new Error('no document yet');
    const { clock, metrics } = this.#context;
    const { credentials, trust, document } = settings;
    const addresses = document.host.addresses.internal;
    const find = (edge: ManagedEdge) => this.#addresses.find(edge);
    return { credentials, trust, addresses, find, clock, metrics };
  }

  /** The first contact lets something be sealed; a confirmation may be the last that a new key waits for. */
  #heard(edge: ManagedEdge): void {
    const { database, keys } = this.#opened ?? {};
    if (database === undefined || keys === undefined) return;
    if (keys.advance()) {
      this.#context.log.info('new keys are used from here on', { ...keys.inUse() });
      for (const replicator of this.#replicators.values()) replicator.kick();
    }
    if (database.newest(edge.name) === undefined)
      this.#publish('sallyport', `first contact with ${edge.name}`);
  }
  #confirmed(edge: ManagedEdge, database: Database): boolean {
    const newest = database.newest(edge.name);
    const report = reportOf(database.edge(edge.name));
    return newest !== undefined && report?.head?.hash === newest.hash && !this.#opened?.keys.differs(report);
  }

  #publish(author: string, reason: string): string[] {
    const { publisher, database } = this.#opened ?? {};
    const published = publisher?.publish(author, reason);
    if (published === undefined || database === undefined) return [];
    if (published.ok) database.dropFact(NOT_PUBLISHED);
    else {
      const { code, message } = published.error;
      database.setFact(NOT_PUBLISHED, JSON.stringify({ code, message }));
      this.#context.log.error('not published', {
        code: published.error.code,
        problem: published.error.message,
      });
      return [];
    }
    for (const name of published.value) this.#replicators.get(name)?.kick();
    return published.value;
  }

  #managed(): Managed | undefined {
    const [settings, opened] = [this.#settings, this.#opened];
    if (settings === undefined || opened === undefined) return undefined;
    return {
      ...opened,
      clock: this.#context.clock,
      host: settings.document.host.name,
      edges: this.#edges(),
      link: this.#linkOptions(),
      publish: (author, reason) => this.#publish(author, reason),
      kick: (name, full) => this.#replicators.get(name)?.kick(full),
    };
  }

  health(): Health {
    const { database } = this.#opened ?? {};
    if (database === undefined) return { ok: false, detail: 'no document yet' };
    const edges = this.#edges();
    const current = edges.filter((edge) => this.#confirmed(edge, database)).length;
    return { ok: true, detail: `${current} of ${edges.length} edges up to date` };
  }
  drain(): void {}
  undrain(): void {}
  remaining(): number {
    return 0;
  }
  async stop(): Promise<void> {
    for (const replicator of this.#replicators.values()) replicator.stop();
    this.#addresses.close();
    this.#opened?.database.close();
  }
}

/** The key that signs; made at the first start. Whoever has it configures every edge. */
function signingKeyIn(stateDirectory: string): Result<SigningKey> {
  const file = join(stateDirectory, 'management.key');
  try {
    if (!existsSync(file)) createDurably(file, signingKeyPem(makeSigningKey()));
    const key = readSigningKey(readFileSync(file, 'utf8'));
    return key === undefined ? err(failure('SLP-CFG-0033', `${file} holds none`)) : ok(key);
  } catch (error) {
    return err(failure('SLP-CFG-0033', `${file}: ${(error as Error).message}`, error));
  }
}
