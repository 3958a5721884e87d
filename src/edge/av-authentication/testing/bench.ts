import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FailureError, type Result, SystemClock, SystemRandom } from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import { type Credentials, LabAuthority, loadCredentials, loadTrustAnchors } from '#platform/pki';
import type { Service } from '#platform/service';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import {
  type EdgeDocument,
  formatDocumentError,
  type ListenerPlan,
  parseEdgeDocument,
} from '#platform/topology';
import { MRAS_CONTENT_TYPE, mediaKeyText } from '#protocols/credentials';
import { buildRequest, type SipResponse, SipStreamFramer, sipLimits } from '#protocols/sip';
import { service } from '../index.ts';

export const INTERNAL = '127.0.9.62';

/** The service on a real TLS listener, with a document and a certification authority that tests may use. */
export class Bench {
  readonly clock = new SystemClock();
  readonly metrics = new Metrics();
  readonly log = memoryLog();
  readonly document: EdgeDocument;
  readonly authority: LabAuthority;
  readonly service: Service<EdgeDocument>;
  readonly #server: Server = createServer((socket) => this.#handler(socket));
  readonly #connections: Connection[] = [];
  #handler: (socket: Socket) => void = (socket) => socket.destroy();

  static async start(): Promise<Bench> {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-av-authentication-'));
    const authority = await LabAuthority.create({ name: 'Test root' });
    const bench = new Bench(await documentIn(folder, authority), authority);
    bench.#server.listen(0, INTERNAL);
    await once(bench.#server, 'listening');
    await bench.apply();
    return bench;
  }

  readonly events = new EventRing(new SystemClock(), { items: 100, bytes: 1 << 20 });

  private constructor(document: EdgeDocument, authority: LabAuthority) {
    this.document = document;
    this.authority = authority;
    const plan: ListenerPlan = {
      id: 'int-05',
      rows: ['int-05'],
      service: 'av-authentication',
      transport: 'tcp',
      address: INTERNAL,
      port: 5062,
      interface: 'internal',
    };
    this.service = service.create({
      clock: this.clock,
      random: new SystemRandom(),
      log: this.log,
      metrics: this.metrics,
      events: this.events,
      sockets: {
        plan: () => [plan],
        tcp: (_id, onConnection) => {
          this.#handler = onConnection;
          return this.#server;
        },
        udp: () => {
          throw new Error('the A/V Authentication service has no UDP listener');
        },
      },
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async apply(): Promise<void> {
    const provision = unwrap(await this.service.provision(structuredClone(this.document)));
    await provision.commit();
  }

  /** Connects as a server whose certificate bears `host`. */
  async dial(host: string, authority = this.authority): Promise<Result<Caller>> {
    const folder = this.document.host.stateDirectory;
    const files = { certificate: join(folder, `${host}.crt`), key: join(folder, `${host}.key`) };
    await authority.issueTo(files, { name: host, hosts: [host] });
    const credentials: Credentials = unwrap(loadCredentials(files));
    const dialled = await dialTls({
      remote: { address: INTERNAL, port: this.port },
      localAddress: '127.0.9.61',
      servername: 'edge.corp.test',
      credentials,
      trust: unwrap(loadTrustAnchors(this.document.host.internalCa)),
      expectNames: ['edge.corp.test'],
      handshakeMs: 20_000,
      clock: this.clock,
      metrics: new Metrics(),
    });
    if (!dialled.ok) return dialled;
    this.#connections.push(dialled.value);
    return { ok: true, value: new Caller(dialled.value) };
  }

  /** The front end's pool member, which is a caller by default. */
  async frontEnd(): Promise<Caller> {
    return unwrap(await this.dial('fe1.corp.test'));
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.destroy('local');
    await this.service.stop();
    this.#server.close();
    rmSync(this.document.host.stateDirectory, { recursive: true, force: true });
  }
}

export interface Asked {
  readonly method?: string;
  readonly uri?: string;
  /** The address in From. Default: a user of the SIP domain. */
  readonly from?: string;
  /** Default: the right one. Empty: none. */
  readonly contentType?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

/** A server that asks for credentials. */
export class Caller {
  readonly connection: Connection;
  readonly closed: Promise<string>;
  readonly #framer = new SipStreamFramer(sipLimits);
  readonly #waiting: ((response: SipResponse) => void)[] = [];
  #sequence = 0;

  constructor(connection: Connection) {
    this.connection = connection;
    this.closed = new Promise((resolve) => {
      connection.onClose = resolve;
    });
    connection.onData = (chunk) => {
      for (const event of this.#framer.push(chunk, 0)) {
        if (event.type === 'message' && event.message.kind === 'response') {
          this.#waiting.shift()?.(event.message);
        }
      }
    };
  }

  /** Sends these octets as they are; the answer. */
  send(request: Uint8Array): Promise<SipResponse> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.connection.write(request);
    });
  }
  ask(asked: Asked): Promise<SipResponse> {
    this.#sequence += 1;
    const { method = 'SERVICE', contentType = MRAS_CONTENT_TYPE } = asked;
    const uri = asked.uri ?? 'sip:edge.corp.test@example.test;gruu;opaque=srvr:MRAS:1';
    const request = buildRequest({
      method,
      uri,
      headers: [
        ['Via', `SIP/2.0/TLS fe1.corp.test;branch=z9hG4bK${this.#sequence}`],
        ['Max-Forwards', '69'],
        ['From', `<${asked.from ?? 'sip:alice@example.test'}>;tag=1`],
        ['To', '<sip:edge.corp.test@example.test;gruu>'],
        ['Call-ID', `call-${this.#sequence}`],
        ['CSeq', `1 ${method}`],
        ...(contentType === '' ? [] : ([['Content-Type', contentType]] as const)),
        ...(asked.headers ?? []),
      ],
      ...(asked.body === undefined ? {} : { body: asked.body }),
    });
    return this.send(request);
  }
}

/** An edge.yaml with all its files, in `folder`. */
async function documentIn(folder: string, authority: LabAuthority): Promise<EdgeDocument> {
  const pair = { certificate: join(folder, 'edge.crt'), key: join(folder, 'edge.key') };
  await authority.writeCertificate(join(folder, 'ca.crt'));
  await authority.issueTo(pair, { name: 'edge', hosts: ['edge.corp.test', 'sip.example.test'] });
  writeKey(folder, 1);
  const document = parseEdgeDocument(
    JSON.stringify({
      version: 1,
      host: {
        name: 'edge.corp.test',
        stateDirectory: folder,
        addresses: { access: ['127.0.9.63'], av: ['127.0.9.64'], internal: [INTERNAL] },
        certificates: { access: pair, internal: pair },
        internalCa: 'ca.crt',
      },
      policy: {
        site: 'test',
        sipDomains: ['example.test'],
        names: { access: 'sip.example.test', webConferencing: 'wc.example.test', av: 'av.example.test' },
        internalNetworks: ['127.0.8.0/24'],
        nextHop: { name: 'fe.corp.test', members: [{ name: 'fe1.corp.test', address: '127.0.8.1' }] },
        mediaCredentials: { keyFile: 'current.media' },
      },
    }),
    { file: join(folder, 'edge.yaml') },
  );
  if (!document.ok) throw new Error(document.error.map(formatDocumentError).join('\n'));
  return document.value;
}

export function writeKey(folder: string, fill: number): void {
  writeFileSync(join(folder, 'current.media'), mediaKeyText(Buffer.alloc(32, fill)), { mode: 0o600 });
}

export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new FailureError(result.error);
  return result.value;
}
