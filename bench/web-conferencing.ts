import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { SystemClock, SystemRandom } from '#kernel';
import { TlsAcceptor } from '#platform/net';
import { type IssuedCertificate, LabAuthority, parseCredentials } from '#platform/pki';
import { EventRing, Metrics, silentLog } from '#platform/telemetry';
import {
  annotationContainer,
  content,
  contentManager,
  decodeOperation,
  encodeOperation,
  meeting,
  PsomPeer,
  SharedCall,
  uploadStream,
  whiteboard,
} from '#protocols/psom';
import { conferenceSigningKey } from '#protocols/tokens';
import { Meetings } from '../src/internal/web-conferencing/meetings.ts';
import { Reception } from '../src/internal/web-conferencing/reception.ts';
import { ServiceEvents } from '../src/internal/web-conferencing/service-events.ts';
import { serviceMetrics } from '../src/internal/web-conferencing/service-metrics.ts';
import { ConferenceStore } from '../src/internal/web-conferencing/store/conference-store.ts';
import { FileStore } from '../src/internal/web-conferencing/store/file-store.ts';
import { Tokens } from '../src/internal/web-conferencing/tokens.ts';
import type { BenchFolder } from './lib/bench-folder.ts';
import { runBench } from './lib/bench-run.ts';

/*
 * One meeting, one participant who draws at 30 strokes a second: how many strokes reach the others a second, how long each takes,
 * and what a participant costs. In the same run a bare WebSocket server sends the same bytes to as many clients over TLS
 * and knows nothing of them. Servers and clients share one process, so the times hold the clients' work too, on both sides.
 */

const [PARTICIPANTS = 250, SECONDS = 10] = process.argv.slice(2).map(Number);
const RATE = 30;
const HOST = '127.0.0.1';
const NAME = 'bench.example';
const CLOCK_RANGE = 10_000;
const limits = { frameBytes: 65_535, frameMs: 10_000, objects: 100, depth: 5, nameLength: 64 };

/** Milliseconds and thousandths of them, as a point that a page takes. */
function stamp(): [number, number] {
  const now = performance.now();
  return [Math.floor(now) % CLOCK_RANGE, Math.floor((now % 1) * 1000)];
}
function ageOf(milliseconds: number, thousandths: number): number {
  const age = (performance.now() % CLOCK_RANGE) - milliseconds - thousandths / 1000;
  return age < 0 ? age + CLOCK_RANGE : age;
}
function report(name: string, { ages: measured, seconds }: Measured): number {
  const sorted = measured.toSorted((one, other) => one - other);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1);
  const rate = sorted.length / seconds;
  console.log(`${name}: ${Math.round(rate)} delivered/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  return Number(at(0.99));
}

/** A participant that connects the whiteboard, and notes how old the strokes are that it hears. */
class Listener {
  readonly socket: TLSSocket;
  readonly peer = new PsomPeer({ side: 'client', root: meeting, interfaces: [uploadStream], limits });
  joined = false;
  ready = false;
  constructor(port: number, ca: string, token: string, heard: (age: number) => void) {
    this.socket = connect({ host: HOST, port, ca, servername: NAME, ALPNProtocols: ['sallyport-psom/1'] });
    this.socket.write(encodeOperation({ kind: 'join', version: 1, show: 'conference', token }));
    this.socket.on('data', (chunk) => this.#handle(chunk, heard));
  }
  #handle(chunk: Buffer, heard: (age: number) => void): void {
    let rest = chunk;
    if (!this.joined) {
      const length = 2 + chunk.readUInt16BE(0);
      if (decodeOperation(chunk.subarray(2, length))?.kind !== 'joined') throw new Error('not joined');
      this.joined = true;
      rest = chunk.subarray(length);
      this.#open();
    }
    for (const event of this.peer.handleBytes(rest, 0)) {
      if (event.kind !== 'called' || event.object.interface !== annotationContainer) continue;
      if (event.method === 'cConnectCompleted') this.ready = true;
      const points = event.parameters[6] as readonly number[] | undefined;
      if (event.method === 'cAdded' && points !== undefined) heard(ageOf(points[0] ?? 0, points[1] ?? 0));
    }
    this.flush();
  }
  #open(): void {
    const manager = this.peer.connect(this.peer.root, 'ContentManager', contentManager);
    const one = manager && this.peer.connect(manager, 'content.1', content);
    const board = one && this.peer.connect(one, 'extendedContent', whiteboard);
    const drawn = board && this.peer.connect(board, 'annotationContainer', annotationContainer);
    if (drawn === undefined) throw new Error('no room');
    this.draw = (number) =>
      void this.peer.call(drawn, 'sAdd', [
        1,
        number,
        1,
        0,
        3,
        [...stamp(), ...new Array<number>(38).fill(5)],
        '',
      ]);
  }
  draw: (number: number) => void = () => {};
  flush(): void {
    for (const frame of this.peer.takeOutput()) this.socket.write(frame);
  }
}
async function until(what: () => boolean): Promise<void> {
  const end = performance.now() + 120_000;
  while (!what()) {
    if (performance.now() > end) throw new Error('it took too long');
    await wait(20);
  }
}

type Stroke = (number: number) => void;
interface Measured {
  readonly ages: number[];
  readonly seconds: number;
}
/** Where whoever hears a stroke notes its age. */
let ages: number[] = [];

async function measure(stroke: Stroke): Promise<Measured> {
  ages = [];
  const began = performance.now();
  for (let number = 1; number <= RATE * SECONDS; number++) {
    stroke(number);
    await wait(Math.max(0, began + (number * 1000) / RATE - performance.now()));
  }
  const seconds = (performance.now() - began) / 1000;
  await wait(500);
  return { ages, seconds };
}

function openNode(folder: BenchFolder) {
  const place = folder.file('meetings');
  const store = ConferenceStore.open(join(place, 'meetings.sqlite'));
  const files = FileStore.open(join(place, 'files'));
  if (!store.ok || !files.ok) throw new Error('not set up');
  const [clock, random, log] = [new SystemClock(), new SystemRandom(), silentLog()];
  const metrics = serviceMetrics(new Metrics());
  const events = new ServiceEvents(new EventRing(clock, { items: 1, bytes: 1 }), clock);
  const signing = conferenceSigningKey(random.bytes(32));
  const tokens = new Tokens({ current: signing, all: [signing] }, 'node.example', random);
  const session = { callsPerSecond: 200, waitingBytes: 4_194_304 };
  const meetings = new Meetings({
    ...{ clock, random, log, metrics, tokens, store: store.value, files: files.value },
    settings: {
      ...{ domain: 'conf.example', meetingUrl: 'https://conf.example/', meetings: 10, session },
      ...{ graceMs: 120_000, expiryMs: 3_600_000, keptMs: 3_600_000 },
      limits: {
        ...{ participants: PARTICIPANTS + 1, standings: 10, contents: 10, annotations: 20_000 },
        ...{ fileBytes: 1000, meetingBytes: 1000 },
      },
    },
  });
  const reception = new Reception({ clock, meetings, tokens, metrics, events, limits: () => session });
  return { meetings, reception, store: store.value };
}
type Node = ReturnType<typeof openNode>;

async function listen({ reception }: Node, issued: IssuedCertificate) {
  const credentials = parseCredentials(issued, Date.now(), { certificate: NAME, key: NAME });
  if (!credentials.ok) throw new Error(credentials.error.message);
  const acceptor = new TlsAcceptor({
    credentials: credentials.value,
    ...{ clientCertificate: 'none', alpn: ['sallyport-psom/1'], handshakeMs: 60_000 },
    ...{ clock: new SystemClock(), log: silentLog(), metrics: new Metrics() },
    limits: { connections: 2000, handshakes: 2000, perSource: 2000, outboundBytes: 8_388_608 },
    accept: (connection) => reception.receive(connection),
  });
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  acceptor.attach(server);
  const close = async () => {
    server.close();
    await acceptor.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

/** A meeting with a whiteboard, and how somebody joins it. */
async function openMeeting({ meetings }: Node, port: number, ca: string) {
  const about = { title: 'Bench', organizer: 'a@x.example', presenters: [] };
  const made = meetings.create({ ...about, guests: true, federated: false });
  if (!made.ok) throw new Error(made.error.message);
  const admit = (address: string, heard: (age: number) => void) => {
    const who = { address, displayName: '', kind: 'user', outside: false, device: '' } as const;
    const admitted = meetings.admit(made.value.id, who);
    if (!admitted.ok) throw new Error(admitted.error);
    return new Listener(port, ca, admitted.value.token, heard);
  };
  const organizer = admit('a@x.example', () => {});
  await until(() => organizer.joined);
  const found = meetings.open(made.value.id);
  const [seat] = found?.room.seats() ?? [];
  if (found === undefined || seat === undefined) throw new Error('no seat');
  found.contents.handle(seat, 'sReserveTitle', ['Board', 1]);
  found.contents.handle(seat, 'sCreateContent', [1, 'Content.Whiteboard']);
  organizer.socket.destroy();
  await until(() => meetings.connections === 0);
  return admit;
}

async function measureMeeting(node: Node, admit: Awaited<ReturnType<typeof openMeeting>>): Promise<Measured> {
  const before = process.memoryUsage().rss;
  const names = Array.from({ length: PARTICIPANTS }, (_, number) => `u${number}@x.example`);
  const all = names.map((name) => admit(name, (age) => void ages.push(age)));
  await until(() => all.every(({ ready }) => ready));
  const each = Math.round((process.memoryUsage().rss - before) / PARTICIPANTS / 1024);
  console.log(`${each} KiB of resident memory for each participant, both ends of the connection`);
  const measured = await measure((number) => {
    all[0]?.draw(number);
    all[0]?.flush();
  });
  for (const { socket } of all) socket.destroy();
  await until(() => node.meetings.connections === 0);
  return measured;
}

/** The same bytes to as many, by a server that knows nothing of them. */
async function measureBare(issued: IssuedCertificate, ca: string): Promise<Measured> {
  const https = createHttps({ cert: issued.certificatePem, key: issued.keyPem }).listen(0, HOST);
  await once(https, 'listening');
  const bare = new WebSocketServer({ server: https, perMessageDeflate: false });
  const url = `wss://${NAME}:${(https.address() as AddressInfo).port}`;
  const options = { ca, lookup: local, perMessageDeflate: false };
  const clients = Array.from({ length: PARTICIPANTS }, () => new WebSocket(url, [], options));
  await until(() => clients.every(({ readyState }) => readyState === WebSocket.OPEN));
  for (const client of clients) {
    client.on('message', (data: Buffer) => void ages.push(ageOf(data.readInt32BE(0), data.readInt32BE(4))));
  }
  for (const one of bare.clients)
    one.on('message', (data: Buffer) => {
      for (const other of bare.clients) other.send(data);
    });
  const points = new Array<number>(40).fill(5);
  const { length } = new SharedCall(annotationContainer, 'cAdded', [1, 1, 1, 1, 0, 3, points, '']);
  const measured = await measure(() => {
    const bytes = Buffer.alloc(length);
    const [milliseconds, thousandths] = stamp();
    bytes.writeInt32BE(milliseconds, 0);
    bytes.writeInt32BE(thousandths, 4);
    clients[0]?.send(bytes);
  });
  for (const client of clients) client.terminate();
  bare.close();
  https.close();
  return measured;
}

await runBench(async (folder) => {
  const authority = await LabAuthority.create({ name: 'Benchmark' });
  const issued = await authority.issue({ name: NAME, hosts: [NAME] });
  const node = openNode(folder);
  const door = await listen(node, issued);
  console.log(
    `${availableParallelism()} cores; ${PARTICIPANTS} participants, ${RATE} strokes/s for ${SECONDS} s`,
  );
  const admit = await openMeeting(node, door.port, authority.certificatePem);
  const own = await measureMeeting(node, admit);
  console.log(`${own.ages.length} of ${PARTICIPANTS * RATE * SECONDS} delivered`);
  const ours = report('meeting', own);
  await door.close();
  node.store.close();
  const theirs = report('bare WebSocket server', await measureBare(issued, authority.certificatePem));
  console.log(`p99 of the meeting over p99 of the bare server: ${(ours / theirs).toFixed(2)}`);
});

function local(_name: string, options: unknown, done?: (...answer: unknown[]) => void): void {
  const call = (done ?? options) as (...answer: unknown[]) => void;
  if (typeof options === 'object' && options !== null && 'all' in options && options.all === true)
    call(null, [{ address: HOST, family: 4 }]);
  else call(null, HOST, 4);
}
