import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { SystemClock, SystemRandom } from '#kernel';
import type { LabAuthority } from '#platform/pki';
import type { Service } from '#platform/service';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import { type InternalDocument, type ListenerPlan, loadInternalDocument } from '#platform/topology';
import { newAccount } from '../accounts.ts';
import { Directory } from '../directory.ts';
import { service } from '../service.ts';

export const PASSWORD = 'correct horse';
const ROWS = ['int-03', 'more-02'];

export interface LiveOptions {
  readonly authority: LabAuthority;
  /** Of this front end alone. */
  readonly folder: string;
  readonly name: string;
  readonly address: string;
  readonly edges: readonly { name: string; address: string; port: number }[];
  /** Addresses of accounts; all have {@link PASSWORD}. */
  readonly users: readonly string[];
}

type Change = Readonly<Record<string, unknown>>;

/** The front end service on loopback, with a document as an operator writes it. */
export class LiveFrontEnd {
  readonly metrics = new Metrics();
  readonly log = memoryLog();
  document!: InternalDocument;
  readonly #options: LiveOptions;
  readonly #servers: readonly Server[];
  /** Of SIP, and of pages. */
  readonly port: number;
  readonly pagePort: number;
  readonly #service: Service<InternalDocument>;

  private constructor(options: LiveOptions, servers: readonly [Server, Server]) {
    this.#options = options;
    this.#servers = servers;
    [this.port, this.pagePort] = [portOf(servers[0]), portOf(servers[1])];
    const clock = new SystemClock();
    const common = {
      service: 'front-end',
      transport: 'tcp',
      interface: 'internal',
      address: options.address,
    } as const;
    const plans: ListenerPlan[] = [
      { ...common, id: '0', rows: ROWS, port: this.port },
      { ...common, id: '1', rows: ['more-02'], port: this.pagePort },
    ];
    this.#service = service.create({
      clock,
      random: new SystemRandom(),
      log: this.log,
      metrics: this.metrics,
      events: new EventRing(clock, { items: 1000, bytes: 1 << 20 }),
      sockets: {
        plan: () => plans,
        tcp: (id, onConnection) => {
          const server = servers[Number(id)];
          assert.ok(server !== undefined);
          server.removeAllListeners('connection');
          server.on('connection', onConnection as (socket: Socket) => void);
          return server;
        },
        udp: () => assert.fail('the front end has no UDP socket'),
      },
    });
  }

  static async start(options: LiveOptions, frontEnd: Change = {}, more: Change = {}): Promise<LiveFrontEnd> {
    const live = new LiveFrontEnd(options, [
      await listening(options.address),
      await listening(options.address),
    ]);
    const files = { certificate: live.#file('fe.pem'), key: live.#file('fe.key') };
    await options.authority.writeCertificate(live.#file('ca.pem'));
    await options.authority.issueTo(files, { name: 'front end', hosts: [options.name] });
    live.#addUsers();
    await live.configure(frontEnd, more);
    return live;
  }

  /** Another document; what is not said is as it was made. */
  async configure(frontEnd: Change, more: Change = {}): Promise<void> {
    const { name, address, edges } = this.#options;
    const file = this.#file('internal.yaml');
    const text = {
      version: 1,
      host: {
        name,
        stateDirectory: this.#file('state'),
        addresses: { internal: [address] },
        certificates: { internal: { certificate: this.#file('fe.pem'), key: this.#file('fe.key') } },
        internalCa: this.#file('ca.pem'),
      },
      frontEnd: {
        ...{ sipDomains: ['example.com'], port: this.port, edges, database: this.#file('fe.sqlite') },
        ...{ externalAccess: { global: { remote: true, federation: true } } },
        ...frontEnd,
        webSocket: { port: this.pagePort, ...(frontEnd.webSocket as Change | undefined) },
      },
      ...more,
    };
    await writeFile(file, JSON.stringify(text));
    const document = loadInternalDocument(file);
    assert.ok(document.ok, JSON.stringify(document));
    this.document = document.value;
    const provision = await this.#service.provision(document.value);
    assert.ok(provision.ok, JSON.stringify(provision));
    await provision.value.commit();
  }

  async stop(): Promise<void> {
    await this.#service.stop();
    for (const server of this.#servers) server.close();
  }

  #addUsers(): void {
    const directory = Directory.open(this.#file('fe.sqlite'));
    assert.ok(directory.ok);
    for (const address of this.#options.users) {
      const account = newAccount({ address, password: PASSWORD }, [address.split('@')[1] ?? '']);
      assert.ok(account.ok);
      directory.value.save(account.value);
    }
    directory.value.close();
  }
  #file(name: string): string {
    return join(this.#options.folder, name);
  }
}

async function listening(host: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: 0 }, resolve);
  });
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
