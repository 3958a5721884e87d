import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket, type TcpNetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type Clock, SystemClock, SystemRandom } from '#kernel';
import { type IssuedCertificate, LabAuthority } from '#platform/pki';
import type { Service, SocketSource, WorkerPlace } from '#platform/service';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import type { EdgeDocument, ListenerPlan } from '#platform/topology';
import type { RunningParts } from '../running.ts';
import { accessService } from '../service.ts';
import { testDocument } from './document.ts';
import { SipPeer } from './sip-peer.ts';

interface LabAddresses {
  readonly external: string;
  readonly internal: string;
}
const FIRST: LabAddresses = { external: '127.0.9.10', internal: '127.0.9.20' };
/** An edge beside another one. */
const SECOND: LabAddresses = { external: '127.0.9.12', internal: '127.0.9.22' };

/** What the supervisor's listeners ask for. */
const BACKLOG = 4096;

/** A front end in a test: a TLS server with a queue of connections. */
export class TestFrontEnd {
  readonly name: string;
  readonly address: string;
  readonly #authority: LabAuthority;
  #server: ReturnType<typeof createTlsServer> | undefined;
  #connections: SipPeer[] = [];
  #waiting: ((peer: SipPeer) => void)[] = [];
  port = 0;

  constructor(authority: LabAuthority, name: string, address: string) {
    this.#authority = authority;
    this.name = name;
    this.address = address;
  }
  /** @param hosts names of its certificate, its own by default */
  async listen(hosts: readonly string[] = [this.name]): Promise<void> {
    const issued = await this.#authority.issue({ name: this.name, hosts });
    const server = createTlsServer(
      { ...tlsIdentity(issued), ca: this.#authority.certificatePem, requestCert: true },
      (socket) => this.#accept(socket),
    );
    server.on('tlsClientError', () => {});
    this.#server = server;
    this.port = await listening(server, this.address, this.port);
  }
  /** The edge's next connection to it. */
  connection(): Promise<SipPeer> {
    const ready = this.#connections.shift();
    return ready === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(ready);
  }
  async stop(): Promise<void> {
    for (const peer of this.#open) peer.ends();
    this.#open.clear();
    const server = this.#server;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    this.#server = undefined;
  }
  readonly #open = new Set<SipPeer>();
  #accept(socket: TLSSocket): void {
    const peer = new SipPeer(socket);
    this.#open.add(peer);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#connections.push(peer);
    else waiting(peer);
  }
}

/** The Access Edge service on loopback, with an authority, front ends and clients. */
export class AccessLab {
  readonly authority: LabAuthority;
  readonly folder: string;
  readonly document: EdgeDocument;
  readonly frontEnds: readonly [TestFrontEnd, TestFrontEnd];
  readonly metrics = new Metrics();
  readonly log = memoryLog();
  readonly events = new EventRing(new SystemClock(), { items: 1000, bytes: 1 << 20 });
  service: Service<EdgeDocument>;
  readonly clients: SipPeer[] = [];
  /** Where connections from outside appear to come from, from now on; undefined: from where they do. */
  seenFrom: string | undefined;
  readonly #parts: RunningParts;
  readonly #servers: { readonly plan: ListenerPlan; readonly server: Server }[] = [];

  /** The edge whose pool this one is in: authority, front ends and flow key are the same. */
  readonly #beside: AccessLab | undefined;
  /** Which worker process of the service this one stands for. */
  #place: WorkerPlace | undefined;
  readonly #at: LabAddresses;
  readonly #clock: Clock;

  private constructor(
    authority: LabAuthority,
    folder: string,
    parts: RunningParts,
    beside?: AccessLab,
    clock: Clock = new SystemClock(),
  ) {
    this.#clock = clock;
    this.authority = authority;
    this.#beside = beside;
    this.#at = beside === undefined ? FIRST : SECOND;
    this.#parts = parts;
    this.folder = folder;
    this.document = testDocument();
    this.frontEnds = beside?.frontEnds ?? [
      new TestFrontEnd(authority, 'fe1.corp.example', '127.0.9.31'),
      new TestFrontEnd(authority, 'fe2.corp.example', '127.0.9.32'),
    ];
    this.service = this.#create();
  }

  /** @param members how many front ends the next hop has; they listen unless `listening` is false */
  static async start(
    t: Pick<TestContext, 'after'>,
    options: {
      members?: 1 | 2;
      listening?: boolean;
      change?: (document: EdgeDocument) => void;
      /** Clients and partners come to one port. */
      oneAddress?: boolean;
      /** Clients come to `::1` as well. */
      ipv6?: boolean;
      /** Another edge of the pool of this one. */
      beside?: AccessLab;
      clock?: Clock;
    } & RunningParts = {},
  ): Promise<AccessLab> {
    const { beside } = options;
    const authority = beside?.authority ?? (await LabAuthority.create({ name: 'Test authority' }));
    const folder = await mkdtemp(join(tmpdir(), 'access-'));
    const lab = new AccessLab(authority, folder, options, beside, options.clock);
    t.after(() => lab.stop());
    await lab.#prepare(options.members ?? 1, options.listening ?? true, options.oneAddress ?? false);
    if (options.ipv6 === true) await lab.#listenOnIpv6();
    options.change?.(lab.document);
    await lab.commit();
    return lab;
  }

  /**
   * Two worker processes of one edge, each with listeners of its own (the second one's at another address), so that a
   * test chooses whom it reaches.
   */
  static async startTeam(
    t: Pick<TestContext, 'after'>,
    options: { change?: (document: EdgeDocument) => void } & RunningParts = {},
  ): Promise<[AccessLab, AccessLab]> {
    const authority = await LabAuthority.create({ name: 'Test authority' });
    const folder = await mkdtemp(join(tmpdir(), 'access-'));
    const first = new AccessLab(authority, folder, options);
    t.after(() => first.stop());
    await first.#prepare(1, true, false);
    options.change?.(first.document);
    const second = new AccessLab(authority, folder, options, first);
    t.after(() => second.stop());
    Object.assign(second.document, first.document);
    for (const { plan } of first.#servers) {
      const address = plan.interface === 'external' ? SECOND.external : SECOND.internal;
      await second.#bind(plan.rows, address, plan.interface as 'external' | 'internal', plan.port);
    }
    for (const [index, lab] of [first, second].entries()) {
      lab.#place = { index, count: 2 };
      lab.service = lab.#create();
    }
    await Promise.all([first.commit(), second.commit()]);
    return [first, second];
  }

  /** Makes `document`, as it is now, the running one. */
  async commit(): Promise<void> {
    const provision = await this.service.provision(structuredClone(this.document));
    assert.ok(provision.ok, JSON.stringify(provision));
    await provision.value.commit();
  }
  /** Another process in place of this one, with the same document and state directory. */
  async restart(): Promise<void> {
    await this.service.stop();
    this.service = this.#create();
    await this.commit();
  }
  get externalAddress(): string {
    return this.#at.external;
  }
  get externalPort(): number {
    return this.document.policy.ports.accessClients;
  }

  /** A client that trusts the authority and checks the edge's external name. */
  async client(options: { readonly alpn?: string[]; readonly session?: Buffer } = {}): Promise<SipPeer> {
    const socket = connect({
      host: this.#at.external,
      port: this.externalPort,
      ca: this.authority.certificatePem,
      servername: 'sip.example.com',
      ...(options.alpn === undefined ? {} : { ALPNProtocols: options.alpn }),
      ...(options.session === undefined ? {} : { session: options.session }),
    });
    await secured(socket);
    const peer = new SipPeer(socket);
    this.clients.push(peer);
    return peer;
  }

  /** Somebody at the internal listener, with a certificate for `names` or without one. */
  async internalPeer(names: readonly string[] | undefined, authority = this.authority): Promise<SipPeer> {
    const issued = names && (await authority.issue({ name: 'peer', hosts: names }));
    const options: ConnectionOptions & TcpNetConnectOpts = {
      host: this.#at.internal,
      port: this.document.policy.ports.accessInternal,
      localAddress: '127.0.9.31',
      ca: this.authority.certificatePem,
      servername: 'edge1.corp.example',
      ...(issued ? tlsIdentity(issued) : {}),
    };
    const socket = connect(options);
    await secured(socket);
    return new SipPeer(socket);
  }

  async issueExternal(): Promise<void> {
    await this.authority.issueTo(this.document.host.certificates.access, {
      name: 'access',
      hosts: ['sip.example.com', 'example.com'],
    });
  }
  async stop(): Promise<void> {
    for (const client of this.clients) client.ends();
    await this.service.stop();
    if (this.#beside === undefined) for (const frontEnd of this.frontEnds) await frontEnd.stop();
    for (const { server } of this.#servers) server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #prepare(members: 1 | 2, listen: boolean, oneAddress: boolean): Promise<void> {
    const { host, policy } = this.document;
    const { external, internal } = this.#at;
    if (this.#beside !== undefined) host.name = 'edge2.corp.example';
    host.addresses.access = [external];
    host.addresses.internal = [internal];
    const file = (name: string) => join(this.folder, name);
    host.stateDirectory = file('state');
    host.certificates.access = { certificate: file('access.pem'), key: file('access.key') };
    host.certificates.internal = { certificate: file('internal.pem'), key: file('internal.key') };
    host.internalCa = file('ca.pem');
    await this.authority.writeCertificate(host.internalCa);
    await this.issueExternal();
    await this.authority.issueTo(host.certificates.internal, { name: 'edge', hosts: [host.name] });
    policy.nextHop.members = [];
    for (const frontEnd of this.frontEnds.slice(0, members)) {
      if (this.#beside === undefined) await frontEnd.listen();
      const { name, address, port } = frontEnd;
      if (!listen) await frontEnd.stop();
      policy.nextHop.members.push({ name, address, port, domains: [] });
    }
    const clients = oneAddress ? ['ext-05', 'ext-06'] : ['ext-05'];
    policy.ports.accessClients = await this.#bind(clients, external, 'external');
    policy.ports.accessFederation = oneAddress
      ? policy.ports.accessClients
      : await this.#bind(['ext-06'], external, 'external');
    policy.ports.accessInternal = await this.#bind(['int-02'], internal, 'internal');
  }

  async #listenOnIpv6(): Promise<void> {
    this.document.host.addresses.access.push('::1');
    await this.#bind(['ext-05'], '::1', 'external', this.externalPort);
  }

  async #bind(rows: string[], address: string, side: 'external' | 'internal', wanted = 0): Promise<number> {
    const server = createServer();
    const port = await listening(server, address, wanted);
    const plan: ListenerPlan = {
      id: `${rows[0]}:tcp:${address}:${port}`,
      rows,
      service: 'access',
      transport: 'tcp',
      address,
      port,
      interface: side,
    };
    this.#servers.push({ plan, server });
    return port;
  }

  #create(): Service<EdgeDocument> {
    const context = {
      clock: this.#clock,
      random: new SystemRandom(),
      log: this.log,
      metrics: this.metrics,
      events: this.events,
      sockets: this.#sockets(),
      ...(this.#place === undefined ? {} : { worker: this.#place }),
    };
    return accessService(context, this.#parts);
  }

  #sockets(): SocketSource {
    return {
      plan: () => this.#servers.map(({ plan }) => plan),
      tcp: (id, onConnection) => {
        const found = this.#servers.find(({ plan }) => plan.id === id);
        assert.ok(found);
        found.server.removeAllListeners('connection');
        found.server.on('connection', (socket: Socket) => {
          const remoteAddress = { value: this.seenFrom };
          if (this.seenFrom !== undefined && found.plan.interface === 'external')
            Object.defineProperties(socket, { remoteAddress });
          (onConnection as (accepted: Socket) => void)(socket);
        });
        return found.server;
      },
      udp: () => assert.fail('the Access Edge has no UDP socket'),
    };
  }
}

function tlsIdentity(issued: IssuedCertificate): { cert: string; key: string } {
  return { cert: issued.certificatePem, key: issued.keyPem };
}

async function listening(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, resolve);
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

async function secured(socket: TLSSocket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      resolve();
    });
  });
}
