import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TcpNetConnectOpts } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { err, SystemClock, SystemRandom } from '#kernel';
import { loadCredentials, loadTrustAnchors } from '#platform/pki';
import { EdgeLinks } from '#platform/psom-link';
import { Metrics } from '#platform/telemetry';
import { encodeOperation } from '#protocols/psom';
import { conferenceSigningKey, sealConferenceToken } from '#protocols/tokens';
import { ADDRESSES, NAMES } from './bench-folder.ts';
import { HAPROXY } from './haproxy-server.ts';
import { processorSeconds } from './processor-time.ts';
import { psomFrames } from './psom-frames.ts';

/** One round, asked of the load process. */
export interface PsomRound {
  readonly server: { readonly host: string; readonly port: number };
  /** Where the bytes end: a service that dialled the edge, or a TLS server that is dialled. */
  readonly end: 'link' | 'server';
  readonly direction: 'inward' | 'outward';
  readonly pid: number;
  readonly participants: number;
  readonly pieceBytes: number;
  /** Pieces of each participant that have not arrived. */
  readonly underWay: number;
  readonly warmMs: number;
  readonly ms: number;
}
export interface PsomFigures {
  readonly bytes: number;
  readonly seconds: number;
  /** Of the server. */
  readonly processorSeconds: number;
}

/** What both kinds of ends can do. */
interface End {
  write(bytes: Uint8Array): void;
}

const folder = process.argv[2] ?? '.';
const random = new SystemRandom();
const clock = new SystemClock();
const frames = psomFrames();
const key = conferenceSigningKey(random.bytes(32));
/** A participant at the far side. */
class FarEnd {
  readonly end: End;
  bytes = 0;
  take: (bytes: number) => void = () => {};

  constructor(end: End) {
    this.end = end;
  }
  received(bytes: number): void {
    this.bytes += bytes;
    this.take(bytes);
  }
}
/** As they come. */
const ends: FarEnd[] = [];
let links: EdgeLinks | undefined;
let server: Server | undefined;

process.on('disconnect', () => process.exit());
process.on('message', (round: PsomRound) => {
  play(round).then(
    (figures) => process.send?.({ figures }),
    (problem: unknown) => process.send?.({ problem: String(problem) }),
  );
});
process.send?.({ ready: true });

async function play(round: PsomRound): Promise<PsomFigures> {
  await openFarSide(round.end);
  ends.length = 0;
  const sockets: TLSSocket[] = [];
  for (let number = 0; number < round.participants; number++) sockets.push(await join(round, number));
  let arrived = 0;
  const piece = frames.piece(round.direction, round.pieceBytes);
  for (const [number, socket] of sockets.entries()) {
    const far = ends[number];
    if (far === undefined) throw new Error('a participant did not arrive');
    const from = round.direction === 'inward' ? socket : far.end;
    let pending = 0;
    const take = (bytes: number) => {
      arrived += bytes;
      pending += bytes;
      for (; pending >= round.pieceBytes; pending -= round.pieceBytes) from.write(piece);
    };
    if (round.direction === 'inward') far.take = take;
    else socket.on('data', (data: Buffer) => take(data.length));
    for (let sent = 0; sent < round.underWay; sent++) from.write(piece);
  }
  await delay(round.warmMs);
  const [before, processorBefore, begun] = [arrived, processorSeconds(round.pid), performance.now()];
  await delay(round.ms);
  const seconds = (performance.now() - begun) / 1000;
  const used = processorSeconds(round.pid) - processorBefore;
  const bytes = arrived - before;
  for (const socket of sockets) socket.destroy();
  await delay(500);
  return { bytes, seconds, processorSeconds: used };
}

/** Connects and joins; the far side answers, and hears what is said to that. */
async function join({ server: at }: PsomRound, number: number): Promise<TLSSocket> {
  const how: ConnectionOptions & TcpNetConnectOpts = {
    ...at,
    localAddress: ADDRESSES.clients,
    ALPNProtocols: ['sallyport-psom/1'],
    rejectUnauthorized: false,
  };
  const socket = connect(how);
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  const token = sealConferenceToken(key, {
    purpose: 'join',
    node: NAMES.nextHop,
    conference: 'benchbenchbench2',
    participant: number,
    role: 'attendee',
    serial: Buffer.from(random.bytes(16)).toString('hex'),
    expires: clock.wall() + 60_000,
  });
  const frame = encodeOperation({ kind: 'join', version: 1, show: 'conference', token });
  socket.write(frame);
  const far = () => ends[number];
  while ((far()?.bytes ?? 0) < frame.length) await delay(1);
  let heard = 0;
  const count = (data: Buffer) => {
    heard += data.length;
  };
  socket.on('data', count);
  far()?.end.write(frames.greeting);
  while (heard < frames.greeting.length) await delay(1);
  socket.off('data', count);
  socket.write(frames.reply);
  while ((far()?.bytes ?? 0) < frame.length + frames.reply.length) await delay(1);
  return socket;
}

async function openFarSide(kind: PsomRound['end']): Promise<void> {
  if (kind === 'link') await openLinks();
  else await openServer();
}

async function openLinks(): Promise<void> {
  if (links !== undefined) return;
  const file = (name: string) => `${folder}/${name}`;
  const credentials = loadCredentials(
    { certificate: file('next-hop.pem'), key: file('next-hop.key') },
    clock.wall(),
  );
  const trust = loadTrustAnchors(file('ca.pem'));
  if (!credentials.ok || !trust.ok) throw new Error('the files of the far side are not usable');
  await new Promise<void>((resolve) => {
    links = new EdgeLinks(
      { clock, random, metrics: new Metrics() },
      {
        edges: [{ name: NAMES.edge, address: ADDRESSES.internal, port: 8057 }],
        credentials: credentials.value,
        trust: trust.value,
        localAddresses: [ADDRESSES.nextHop],
        limits: { streams: 1256, outboundBytes: 8 << 20, establishmentMs: 10_000, pingMs: 30_000 },
        handshakeMs: 10_000,
        backOff: { firstMs: 50, longestMs: 500 },
      },
      { node: NAMES.nextHop, keys: [key.publicBytes], state: 'ready' },
      {
        handleParticipant: (connection) => {
          const entry = new FarEnd(connection);
          connection.onData = (chunk) => entry.received(chunk.length);
          ends.push(entry);
        },
        handleContent: async () => err('not-found'),
        handleFault: (_, problem) => {
          throw problem;
        },
        handleReady: () => resolve(),
        handleChange: () => {},
        handleEnd: () => {},
      },
    );
  });
}

async function openServer(): Promise<void> {
  if (server !== undefined) return;
  const read = (name: string) => readFileSync(`${folder}/${name}`);
  server = createServer({ cert: read('next-hop.pem'), key: read('next-hop.key') }, (socket) => {
    const entry = new FarEnd(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => entry.received(chunk.length));
    ends.push(entry);
  });
  server.listen(HAPROXY.farPort, ADDRESSES.nextHop);
  await once(server, 'listening');
}
