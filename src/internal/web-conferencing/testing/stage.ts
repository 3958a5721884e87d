import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FailureError, ManualClock, type Result, SeededRandom } from '#kernel';
import { LabAuthority } from '#platform/pki';
import type { Service } from '#platform/service';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import {
  formatDocumentError,
  type InternalDocument,
  internalListeners,
  loadInternalDocument,
} from '#platform/topology';
import { service } from '../service.ts';

/** `webConferencing` of the stage's document. */
export type Written = Readonly<Record<string, unknown>>;

export const NODE = 'fe1.corp.example';
export const DOMAIN = 'conf.example.com';
export const USUAL: Written = { domain: DOMAIN };

export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new FailureError(result.error);
  return result.value;
}

/** The service alone, with a clock that stands still and a folder that is its own. */
export class Stage implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'meetings-'));
  /** Within the validity of the certificates. */
  readonly clock = new ManualClock({ wall: Date.now() });
  readonly log = memoryLog();
  metrics = new Metrics();
  service: Service<InternalDocument>;

  /** Whether its listeners are bound for others to come. */
  listens = false;
  #document: InternalDocument | undefined;
  readonly #listening = new Map<string, Server>();
  authority: LabAuthority | undefined;

  private constructor() {
    this.service = this.#create();
  }
  static async open(written: Written = USUAL): Promise<Stage> {
    const stage = new Stage();
    const authority = await LabAuthority.create({ name: 'inside' });
    stage.authority = authority;
    await authority.writeCertificate(join(stage.folder, 'ca.crt'));
    const files = { certificate: join(stage.folder, 'own.crt'), key: join(stage.folder, 'own.key') };
    await authority.issueTo(files, { name: NODE, hosts: [NODE] });
    await stage.use(written);
    return stage;
  }
  /** Another document. */
  async use(written: Written): Promise<void> {
    this.#document = this.document(written);
    const provision = unwrap(await this.service.provision(this.#document));
    await provision.commit();
  }
  document(written: Written): InternalDocument {
    const text = JSON.stringify({
      version: 1,
      host: {
        name: NODE,
        stateDirectory: this.folder,
        addresses: { internal: ['127.21.0.1'] },
        certificates: { internal: { certificate: 'own.crt', key: 'own.key' } },
        internalCa: 'ca.crt',
      },
      frontEnd: {
        sipDomains: ['example.com'],
        edges: [{ name: 'edge1.corp.example', address: '127.21.0.2' }],
      },
      webConferencing: written,
    });
    const file = join(this.folder, 'internal.yaml');
    writeFileSync(file, text);
    const parsed = loadInternalDocument(file);
    if (!parsed.ok) throw new Error(parsed.error.map(formatDocumentError).join('\n'));
    return parsed.value;
  }
  /** What an operator asks. */
  async ask<Answer>(verb: string, args: object = {}): Promise<Answer> {
    const handler = this.service.verbs[verb];
    if (handler === undefined) throw new Error(`no verb ${verb}`);
    return (await handler(args)) as Answer;
  }
  /** The process is gone, and another one comes; what the disk has is all that it knows. */
  async restart(written: Written = USUAL): Promise<void> {
    const before = this.service;
    this.service = this.#create();
    await before.stop();
    await this.use(written);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.service.stop();
    for (const server of this.#listening.values()) server.close();
    rmSync(this.folder, { recursive: true });
  }

  #plan() {
    const plan = this.#document === undefined ? [] : internalListeners(this.#document);
    return plan.filter(({ service: owner }) => owner === 'web-conferencing-service');
  }
  #listen(id: string, handler: (socket: Socket) => void): Server {
    const known = this.#listening.get(id);
    known?.removeAllListeners('connection');
    const server = known ?? createServer();
    server.on('connection', handler);
    const place = this.#plan().find((one) => one.id === id);
    if (known === undefined && this.listens) server.listen(place?.port, place?.address);
    this.#listening.set(id, server);
    return server;
  }
  #create(): Service<InternalDocument> {
    this.metrics = new Metrics();
    return service.create({
      clock: this.clock,
      random: new SeededRandom(7),
      log: this.log,
      metrics: this.metrics,
      events: new EventRing(this.clock, { items: 100, bytes: 100_000 }),
      sockets: {
        plan: () => this.#plan(),
        tcp: (id, handler) => this.#listen(id, handler),
        udp: () => {
          throw new Error('no socket on this stage');
        },
      },
    });
  }
}
