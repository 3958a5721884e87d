import { createHash } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTls, type Server, type TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { LabAuthority } from '#platform/pki';
import { formatJoinAnswer, formatMeetingLink } from '#protocols/conference';
import {
  buildResponse,
  checkResponse,
  formatChallenge,
  ha1,
  parseCredentials,
  SipRequest,
  SipStreamFramer,
  sipLimits,
} from '#protocols/sip';
import { SimpleMeeting } from '../../../protocols/psom/testing/simple-meeting.ts';

const HOST = 'conf.toy.test';

/** Answers a request for a page's file; false when there is none. */
export type ServeFile = (path: string, response: ServerResponse) => boolean;

/**
 * A meeting with everything that a client needs of it on one port: a focus (SIP over TLS and WebSocket, digest of one key), PSOM (TLS
 * and WebSocket), stored files. For tests of clients by themselves; nothing here has a policy.
 */
export class ToyEdge {
  readonly meeting = new SimpleMeeting();
  readonly conference = { id: 'abcdefghijklmnop', domain: HOST };
  readonly key = 'toy-key-toy-key-';
  readonly authority: LabAuthority;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();
  readonly #files = new Map<string, Uint8Array>();
  readonly #serveFile: ServeFile;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: ([first]) => first ?? false,
  });
  /** What the focus answers to whoever knows the key. */
  status = 200;
  /** So many requests for files are told that it is busy. */
  busy = 0;
  /** Whether connections are taken. */
  reachable = true;

  private constructor(authority: LabAuthority, identity: { cert: string; key: string }, serve: ServeFile) {
    this.authority = authority;
    this.#serveFile = serve;
    this.meeting.hash = (bytes) => {
      const hash = createHash('sha256').update(bytes).digest();
      this.#files.set(hash.toString('hex'), bytes);
      return hash;
    };
    const http = createHttp((request, response) => this.#handleHttp(request, response));
    http.on('upgrade', (request, socket, head) => {
      this.#webSockets.handleUpgrade(request, socket, head, (opened) =>
        this.#handleWebSocket(request, opened),
      );
    });
    this.#server = createTls({ ...identity, ALPNProtocols: ['sallyport-psom/1', 'http/1.1'] }, (socket) => {
      if (!this.reachable) return socket.destroy();
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      if (socket.alpnProtocol === 'sallyport-psom/1') this.#servePsom(socket);
      else if (socket.alpnProtocol === 'http/1.1') http.emit('connection', socket);
      else this.#serveSip(socket);
      return undefined;
    });
  }
  static async start(address: string, serve: ServeFile = () => false): Promise<ToyEdge> {
    const authority = await LabAuthority.create({ name: 'Toy root' });
    const issued = await authority.issue({ name: HOST, hosts: [HOST] });
    const edge = new ToyEdge(authority, { cert: issued.certificatePem, key: issued.keyPem }, serve);
    await new Promise<void>((resolve) => edge.#server.listen(0, address, resolve));
    return edge;
  }
  get place() {
    const { address, port } = this.#server.address() as AddressInfo;
    return { address, port, name: HOST };
  }
  get link(): string {
    const { conference, key } = this;
    return formatMeetingLink({ page: `https://${HOST}:${this.place.port}/`, conference, key });
  }
  /** All connections break off. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
  stop(): void {
    this.cut();
    this.#server.close();
  }

  #handleHttp(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', 'https://toy').pathname;
    const file = this.#files.get(path.split('/').at(-1) ?? '');
    if (path === '/config.json') {
      const signalling = `wss://${HOST}:${this.place.port}/`;
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ version: 1, signalling }));
    } else if (path.startsWith('/content/') && this.busy > 0) {
      this.busy -= 1;
      response.writeHead(503, { 'Cache-Control': 'no-store' }).end();
    } else if (path.startsWith('/content/') && file !== undefined) {
      const image = file[0] === 0xff || file[0] === 0x89;
      response.setHeader('Content-Type', image ? 'image/png' : 'application/octet-stream').end(file);
    } else if (!this.#serveFile(path, response)) response.writeHead(404).end();
  }
  #handleWebSocket(request: IncomingMessage, socket: WebSocket): void {
    const send = (bytes: Uint8Array) => socket.send(bytes);
    const take =
      request.url === '/psom' ? this.#psom(send, () => socket.close(), socket) : this.#sip(send, 'message');
    socket.on('message', (data) => take(data as Buffer));
  }
  #servePsom(socket: TLSSocket): void {
    const take = this.#psom(
      (bytes) => socket.write(bytes),
      () => socket.end(),
      socket,
    );
    socket.on('data', take);
  }
  #serveSip(socket: TLSSocket): void {
    socket.on(
      'data',
      this.#sip((bytes) => socket.write(bytes), 'stream'),
    );
  }

  #psom(
    send: (bytes: Uint8Array) => void,
    close: () => void,
    closes: { on(event: 'close', listener: () => void): unknown },
  ): (chunk: Buffer) => void {
    const connection = this.meeting.connect();
    closes.on('close', () => connection.close());
    this.#writers.set(connection, send);
    let first: Buffer = Buffer.alloc(0);
    let joined = false;
    return (chunk) => {
      // The toy takes JOIN by itself only, whatever it came with.
      first = joined ? chunk : Buffer.concat([first, chunk]);
      if (!joined && (first.length < 2 || first.length < first.readUInt16BE(0) + 2)) return;
      joined = true;
      connection.handleBytes(first);
      this.flush();
      if (!connection.joined) close();
    };
  }
  readonly #writers = new Map<object, (bytes: Uint8Array) => void>();
  /** Writes what the meeting has to say to everybody. */
  flush(): void {
    for (const connection of this.meeting.connections) {
      for (const frame of connection.takeOutput()) this.#writers.get(connection)?.(frame);
    }
  }

  #sip(send: (bytes: Uint8Array) => void, framing: 'stream' | 'message'): (chunk: Buffer) => void {
    const framer = new SipStreamFramer(sipLimits);
    return (chunk) => {
      for (const event of framer.push(chunk, 0)) {
        if (event.type === 'ping' && framing === 'stream') send(Buffer.from('\r\n'));
        if (event.type !== 'message' || !(event.message instanceof SipRequest)) continue;
        if (event.message.method !== 'ACK') send(this.#answer(event.message));
      }
    };
  }
  #answer(request: SipRequest): Buffer {
    const { method } = request;
    const { domain, id } = this.conference;
    if (method === 'BYE') return buildResponse(request, 200);
    const given = parseCredentials(request.header('Authorization') ?? '');
    const guest = request.from.uri.endsWith('@anonymous.invalid');
    if (!given.ok && request.to.tag === undefined) {
      const realm = guest ? domain : 'toy.test';
      const challenges = (['SHA-256', 'MD5'] as const).map((algorithm) => {
        const value = formatChallenge({ realm, nonce: 'toy', algorithm, qop: ['auth'] });
        return ['WWW-Authenticate', value] as const;
      });
      return buildResponse(request, 401, { toTag: 'toy', headers: challenges });
    }
    const [user, realm, password] = guest ? [id, domain, this.key] : ['alice', 'toy.test', 'secret'];
    const proves =
      !given.ok ||
      checkResponse(given.value, { method, ha1: ha1(given.value.algorithm, user, realm, password) });
    if (!proves) return buildResponse(request, 403, { toTag: 'toy' });
    if (method === 'REGISTER') return buildResponse(request, 200, { toTag: 'toy' });
    if (this.status !== 200) return buildResponse(request, this.status, { toTag: 'toy' });
    return this.#admit(request);
  }
  #admit(request: SipRequest): Buffer {
    const { port } = this.place;
    const name = request.from.display ?? 'Alice';
    const said = this.meeting.admit(name);
    const token = said.replace(' ', '.');
    this.meeting.tokens.set(token, this.meeting.tokens.get(said) ?? 0);
    this.flush();
    const places = [{ webSocket: `wss://${HOST}:${port}/psom`, host: HOST, port }];
    const { conference } = this;
    const body = formatJoinAnswer({
      ...{ conference, title: this.meeting.title, participant: 1, role: 'presenter', token },
      ...{ tokenSeconds: 60, places },
    });
    const headers = [['Contact', `<sip:focus@${HOST}>;isfocus`]] as const;
    return buildResponse(request, 200, { toTag: 'toy', headers, body: Buffer.from(body) });
  }
}
