import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FailureError, type Result, SystemClock, SystemRandom, until } from '#kernel';
import { type IssuedCertificate, LabAuthority } from '#platform/pki';
import type { Service } from '#platform/service';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import {
  type EdgeDocument,
  formatDocumentError,
  type ListenerPlan,
  parseEdgeDocument,
} from '#platform/topology';
import { mediaKeyText } from '#protocols/credentials';
import { alone } from '../../../platform/net/testing/alone.ts';
import { service } from '../index.ts';

await alone(8057);

/** Addresses of this room's tests. */
const NETWORK = '127.14.3';
export const HOST = 'conf.example.test';
export const NODE = 'fe1.corp.example';
export const OTHER_NODE = 'fe2.corp.example';

type ToldEvent = ReturnType<EventRing['take']>[number];

const authorities = LabAuthority.create({ name: 'Test root' });
let edges = 0;

/** The service on real listeners, with a document and an authority that tests may use. */
export class EdgeBench {
  readonly clock = new SystemClock();
  readonly metrics = new Metrics();
  readonly log = memoryLog();
  readonly ring = new EventRing(this.clock, { items: 10_000, bytes: 1 << 24 });
  readonly name: string;
  readonly outside: string;
  readonly inside: string;
  readonly document: EdgeDocument;
  readonly authority: LabAuthority;
  service: Service<EdgeDocument>;
  readonly events: ToldEvent[] = [];
  readonly #plan: readonly ListenerPlan[];
  readonly #listening = new Map<string, { server: Server; handler: (socket: Socket) => void }>();
  readonly #sockets = new Set<Socket>();

  /** @param change of the document, before the service begins */
  static async start(
    t: TestContext,
    change: (document: EdgeDocument) => void = () => {},
  ): Promise<EdgeBench> {
    edges += 1;
    const name = `edge${edges}.corp.example`;
    const authority = await authorities;
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-webconf-'));
    const [outside, inside] = [`${NETWORK}.${edges * 2}`, `${NETWORK}.${edges * 2 + 1}`];
    const document = await documentIn(folder, authority, { name, outside, inside });
    change(document);
    const bench = new EdgeBench(document, authority, { name, outside, inside });
    t.after(() => bench.#stop());
    await bench.commit();
    return bench;
  }
  private constructor(
    document: EdgeDocument,
    authority: LabAuthority,
    { name, outside, inside }: { name: string; outside: string; inside: string },
  ) {
    this.document = document;
    this.authority = authority;
    this.name = name;
    this.outside = outside;
    this.inside = inside;
    this.#plan = [listener('ext-08', outside, 443, 'external'), listener('int-04', inside, 8057, 'internal')];
    this.ring.onItem = () => this.events.push(...this.ring.take(1000));
    this.service = this.#create();
  }
  #create(): Service<EdgeDocument> {
    return service.create({
      clock: this.clock,
      random: new SystemRandom(),
      log: this.log,
      metrics: this.metrics,
      events: this.ring,
      sockets: {
        plan: () => this.#plan,
        tcp: (id, handler) => this.#listen(id, handler),
        udp: () => {
          throw new Error('web conferencing has no UDP listener');
        },
      },
    });
  }

  issue(name: string): Promise<IssuedCertificate> {
    return this.authority.issue({ name, hosts: [name] });
  }
  /** Makes the document, as it is now, the running one. */
  async commit(): Promise<void> {
    const provision = unwrap(await this.service.provision(structuredClone(this.document)));
    await provision.commit();
    for (const { server } of this.#listening.values()) if (!server.listening) await once(server, 'listening');
  }
  verb<T>(name: string): Promise<T> {
    return (this.service.verbs[name]?.({}) ?? Promise.reject(new Error(`no verb ${name}`))) as Promise<T>;
  }
  async event(
    name: string,
    is: (fields: ToldEvent['fields']) => boolean = () => true,
  ): Promise<ToldEvent['fields']> {
    const found = () => this.events.find((event) => event.name === name && is(event.fields));
    await until(() => found() !== undefined);
    return found()!.fields;
  }
  /** Events of refusals so far, by rule. */
  refused(): string[] {
    return this.events
      .filter(({ name }) => name === 'participant-refused' || name === 'door-refused')
      .map(({ fields }) => `${fields.rule}`);
  }
  /**
   * As when the process is killed and the supervisor starts another: every connection breaks in the middle of whatever was
   * said, nothing is remembered, and the listening sockets stay.
   */
  async killAndRestart(): Promise<void> {
    for (const listening of this.#listening.values()) listening.handler = (socket) => socket.destroy();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    const killed = this.service;
    this.service = this.#create();
    await Promise.all([killed.stop(), this.commit()]);
  }
  /** Breaks the links only. */
  cutLinks(): void {
    for (const socket of this.#sockets) if (socket.localPort === 8057) socket.resetAndDestroy();
  }
  async #stop(): Promise<void> {
    await this.service.stop();
    for (const { server } of this.#listening.values()) server.close();
    for (const socket of this.#sockets) socket.destroy();
    rmSync(this.document.host.stateDirectory, { recursive: true, force: true });
  }
  #listen(id: string, handler: (socket: Socket) => void): Server {
    const known = this.#listening.get(id);
    if (known !== undefined) {
      known.handler = handler;
      return known.server;
    }
    const plan = this.#plan.find((one) => one.id === id);
    const listening = { server: createServer(), handler };
    listening.server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      listening.handler(socket);
    });
    listening.server.listen(plan?.port, plan?.address);
    this.#listening.set(id, listening);
    return listening.server;
  }
}

function listener(id: string, address: string, port: number, side: 'external' | 'internal'): ListenerPlan {
  return { id, rows: [id], service: 'web-conferencing', transport: 'tcp', address, port, interface: side };
}

async function documentIn(
  folder: string,
  authority: LabAuthority,
  at: { name: string; outside: string; inside: string },
): Promise<EdgeDocument> {
  const files = (name: string) => ({
    certificate: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
  });
  await authority.writeCertificate(join(folder, 'ca.crt'));
  await authority.issueTo(files('access'), { name: HOST, hosts: [HOST, 'sip.example.test', 'example.test'] });
  await authority.issueTo(files('internal'), { name: at.name, hosts: [at.name] });
  writeFileSync(join(folder, 'pool.media'), mediaKeyText(Buffer.alloc(32, 7)), { mode: 0o600 });
  const document = parseEdgeDocument(
    JSON.stringify({
      version: 1,
      host: {
        name: at.name,
        stateDirectory: folder,
        addresses: {
          access: ['127.14.4.1'],
          av: ['127.14.4.2'],
          webConferencing: [at.outside],
          internal: [at.inside],
        },
        resolvers: ['127.0.0.1'],
        certificates: { access: files('access'), internal: files('internal') },
        internalCa: 'ca.crt',
      },
      policy: {
        site: 'test',
        sipDomains: ['example.test'],
        names: { access: 'sip.example.test', webConferencing: HOST, av: 'av.example.test' },
        internalNetworks: ['127.0.8.0/24'],
        features: { webConferencing: true, media: false },
        nextHop: {
          name: 'pool.corp.example',
          members: [
            { name: NODE, address: '127.0.8.1' },
            { name: OTHER_NODE, address: '127.0.8.2' },
          ],
        },
        mediaCredentials: { keyFile: 'pool.media' },
      },
    }),
    { file: join(folder, 'edge.yaml') },
  );
  if (!document.ok) throw new Error(document.error.map(formatDocumentError).join('\n'));
  return document.value;
}

function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new FailureError(result.error);
  return result.value;
}
