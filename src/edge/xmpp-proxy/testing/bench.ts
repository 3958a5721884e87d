import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FailureError, type Result, SystemRandom } from '#kernel';
import { type IssuedCertificate, LabAuthority, type LeafRequest } from '#platform/pki';
import type { Service } from '#platform/service';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import {
  type EdgeDocument,
  formatDocumentError,
  type ListenerPlan,
  parseEdgeDocument,
} from '#platform/topology';
import { mediaKeyText } from '#protocols/credentials';
import { startDnsmasq } from '../../../platform/dns/testing/dnsmasq.ts';
import { alone } from '../../../platform/net/testing/alone.ts';
import { service } from '../index.ts';
import { MovedClock } from './moved-clock.ts';

await alone(5269);

export const OURS = 'sip.example';
export const THEIRS = 'xmpp.example';
export const OTHERS = 'other.example';
export const EDGE = 'edge1.corp.example';
export const GATEWAY = 'fe1.corp.example';
export const ACCESS = '127.0.1.10';
export const INTERNAL = '127.0.1.20';
export const PLACES: Readonly<Record<string, string>> = { [THEIRS]: '127.0.3.61', [OTHERS]: '127.0.3.62' };
const PATIENCE_MS = 60_000;

export type Partner = EdgeDocument['policy']['xmpp']['partners'][number];

export function partner(domain: string, change: Partial<Partner> = {}): Partner {
  return {
    domain,
    additionalDomains: [],
    type: 'public-unverified',
    tls: 'required',
    sasl: 'required',
    dialback: false,
    keepAlive: true,
    ...change,
  };
}

type ToldEvent = ReturnType<EventRing['take']>[number];

/** The service on real listeners, with a document, authorities and a name server that tests may use. */
export class ProxyBench {
  readonly clock = new MovedClock();
  readonly metrics = new Metrics();
  readonly log = memoryLog();
  readonly ring = new EventRing(this.clock, { items: 10_000, bytes: 1 << 24 });
  readonly document: EdgeDocument;
  readonly authority: LabAuthority;
  readonly nameServer: string;
  service: Service<EdgeDocument>;
  readonly #listening = new Map<string, { server: Server; handler: (socket: Socket) => void }>();
  readonly #events: ToldEvent[] = [];
  readonly #sockets = new Set<Socket>();
  #wake: (() => void)[] = [];

  /** @param change of the document, before the service begins */
  static async start(
    t: TestContext,
    change: (document: EdgeDocument) => void = () => {},
    records: readonly string[] = [],
  ): Promise<ProxyBench> {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-xmpp-proxy-'));
    const authority = await LabAuthority.create({ name: 'Test root' });
    const nameServer = await startDnsmasq(t, [...usualRecords(), ...records], true);
    const [resolver = ''] = nameServer.split(':');
    const document = await documentIn(folder, authority, resolver);
    change(document);
    const bench = new ProxyBench(document, authority, nameServer);
    t.after(() => bench.stop());
    await bench.commit();
    return bench;
  }

  private constructor(document: EdgeDocument, authority: LabAuthority, nameServer: string) {
    this.document = document;
    this.authority = authority;
    this.nameServer = nameServer;
    this.ring.onItem = () => this.#handleEvents();
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
        plan: () => PLAN,
        tcp: (id, handler) => this.#listen(id, handler),
        udp: () => {
          throw new Error('the XMPP proxy has no UDP listener');
        },
      },
    });
  }

  get folder(): string {
    return this.document.host.stateDirectory;
  }
  get authorityPem(): string {
    return this.authority.certificatePem;
  }
  /** A certificate of the partners' authority. */
  issue(domain: string, change: Partial<LeafRequest> = {}): Promise<IssuedCertificate> {
    return this.authority.issue({ name: domain, hosts: [domain], ...change });
  }
  /** Makes the document, as it is now, the running one. */
  async commit(): Promise<void> {
    const provision = unwrap(await this.service.provision(structuredClone(this.document)));
    await provision.commit();
    for (const { server } of this.#listening.values()) if (!server.listening) await once(server, 'listening');
  }
  verb(name: string, args: object = {}): Promise<unknown> {
    return this.service.verbs[name]?.(args) ?? Promise.reject(new Error(`there is no verb ${name}`));
  }
  /** The first event of that name that fits, of those that came and those to come. */
  async event(
    name: string,
    is: (fields: ToldEvent['fields']) => boolean = () => true,
  ): Promise<ToldEvent['fields']> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = this.#events.find((event) => event.name === name && is(event.fields));
      if (found !== undefined) return found.fields;
      if (late.aborted) throw new Error(`no ${name}; there was ${JSON.stringify(this.#events)}`);
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        late.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
  get events(): readonly ToldEvent[] {
    return this.#events;
  }
  async stop(): Promise<void> {
    await this.service.stop();
    for (const { server } of this.#listening.values()) server.close();
    for (const socket of this.#sockets) socket.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
  /**
   * As when the process is killed and the supervisor starts another: every connection that others opened breaks in the
   * middle of whatever was said, nothing is remembered, and the listening sockets stay.
   */
  async killAndRestart(): Promise<void> {
    for (const listening of this.#listening.values()) listening.handler = (socket) => socket.destroy();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    const killed = this.service;
    this.service = this.#create();
    await Promise.all([killed.stop(), this.commit()]);
  }

  /** Every connection from outside breaks, and every one to there. */
  cutStreams(): void {
    for (const socket of this.#sockets) if (socket.localAddress === ACCESS) socket.resetAndDestroy();
  }

  #listen(id: string, handler: (socket: Socket) => void): Server {
    const known = this.#listening.get(id);
    if (known !== undefined) {
      known.handler = handler;
      return known.server;
    }
    const plan = PLAN.find((listener) => listener.id === id);
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
  #handleEvents(): void {
    this.#events.push(...this.ring.take(1000));
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

const PLAN: readonly ListenerPlan[] = [
  listener('ext-01', ACCESS, 5269, 'external'),
  listener('int-01', INTERNAL, 23456, 'internal'),
];

function listener(id: string, address: string, port: number, side: 'external' | 'internal'): ListenerPlan {
  return { id, rows: [id], service: 'xmpp-proxy', transport: 'tcp', address, port, interface: side };
}

function usualRecords(): string[] {
  const places = { ...PLACES, [OURS]: ACCESS };
  return [
    ...Object.entries(places).flatMap(([domain, address]) => [
      `--host-record=host.${domain},${address}`,
      `--srv-host=_xmpp-server._tcp.${domain},host.${domain},5269`,
    ]),
    '--local=/example/',
  ];
}

async function documentIn(folder: string, authority: LabAuthority, resolver: string): Promise<EdgeDocument> {
  const files = (name: string) => ({
    certificate: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
  });
  await authority.writeCertificate(join(folder, 'ca.crt'));
  await authority.issueTo(files('access'), { name: OURS, hosts: [OURS, `sip.${OURS}`] });
  await authority.issueTo(files('internal'), { name: EDGE, hosts: [EDGE] });
  writeFileSync(join(folder, 'pool.media'), mediaKeyText(Buffer.alloc(32, 7)), { mode: 0o600 });
  const document = parseEdgeDocument(
    JSON.stringify({
      version: 1,
      host: {
        name: EDGE,
        stateDirectory: folder,
        addresses: { access: [ACCESS], internal: [INTERNAL] },
        resolvers: [resolver],
        partnerCa: 'ca.crt',
        certificates: { access: files('access'), internal: files('internal') },
        internalCa: 'ca.crt',
      },
      policy: {
        site: 'test',
        sipDomains: [OURS],
        names: { access: `sip.${OURS}`, webConferencing: `wc.${OURS}`, av: `av.${OURS}` },
        internalNetworks: ['127.0.8.0/24'],
        features: { xmpp: true },
        xmpp: { partners: [partner(THEIRS)], allowedNetworks: ['127.0.3.0/24'] },
        // The certificates of the tests name no list, and live for a month.
        revocation: { shortLivedDays: 60 },
        nextHop: { name: 'pool.corp.example', members: [{ name: GATEWAY, address: '127.0.8.1' }] },
        mediaCredentials: { keyFile: 'pool.media' },
      },
    }),
    { file: join(folder, 'edge.yaml') },
  );
  if (!document.ok) throw new Error(document.error.map(formatDocumentError).join('\n'));
  return document.value;
}

export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new FailureError(result.error);
  return result.value;
}
