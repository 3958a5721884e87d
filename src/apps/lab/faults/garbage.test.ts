import assert from 'node:assert/strict';
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Perimeter } from '../testing/perimeter.ts';
import { type Change, edit } from './documents.ts';
import { garbage, openSilently, randomBytes, silences, type Target } from './garbage.ts';
import { Person } from './person.ts';
import { until } from './until.ts';

/** 127.73.x.y is the addresses of this file. */
const NETWORK = 73;
/** What may be kept of what came, in kilobytes: the garbage of one round alone is more. */
const GROWTH_KB = 64 * 1024;
const SILENT_CONNECTIONS = 200;

/** As short as the schema allows. */
const HURRY = {
  edge: {
    'policy.limits.access.handshakeSeconds': 1,
    'policy.limits.access.messageSeconds': 1,
    'policy.limits.access.preSignIn.seconds': 2,
  },
  internal: { 'frontEnd.limits.handshakeSeconds': 1, 'frontEnd.limits.messageSeconds': 1 },
} satisfies Record<string, Change>;

let perimeter: Perimeter;
let targets: readonly Target[];
let alice: Person;
let bob: Person;
/** Service to process, of both programs; the supervisors too. */
let processes: ReadonlyMap<string, number>;

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  for (const program of ['edge', 'internal'] as const) edit(perimeter, program, HURRY[program]);
  await perimeter.start();
  targets = streamTargets();
  processes = await pids();
  [alice, bob] = [await Person.arrive(perimeter, 'alice'), await Person.arrive(perimeter, 'bob')];
  await startIsTold();
});
after(async () => {
  await Promise.all([alice, bob].map((person) => person?.leave()));
  await perimeter.stop();
});

function streamTargets(): Target[] {
  const { plan, files } = perimeter;
  const { access, internal, frontEnd, metrics } = plan;
  const edgeSide = { host: internal.address, localAddress: frontEnd.address };
  const identity = files.frontEnd;
  return [
    { name: 'ext-05', speaks: 'sip', place: { host: access.address, port: access.port } },
    { name: 'int-02', speaks: 'sip', place: { ...edgeSide, port: internal.sip }, identity },
    { name: 'int-05', speaks: 'sip', place: { ...edgeSide, port: internal.authentication }, identity },
    { name: 'int-03', speaks: 'sip', place: { host: frontEnd.address, port: frontEnd.port } },
    { name: 'metrics of the edge', speaks: 'http', place: { host: metrics.address, port: metrics.edge } },
    { name: 'metrics inside', speaks: 'http', place: { host: metrics.address, port: metrics.internal } },
    { name: 'administration of the edge', speaks: 'http', place: { path: files.edgeSocket } },
    { name: 'administration inside', speaks: 'http', place: { path: files.internalSocket } },
  ];
}

async function pids(): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const program of [perimeter.edge, perimeter.internal]) {
    const status = await program.status();
    assert.ok(status?.healthy, JSON.stringify(status?.services));
    found.set(status.program, status.pid);
    for (const { name, pid } of status.services) found.set(name, pid ?? assert.fail(`${name} does not run`));
  }
  return found;
}

/** Everything is as it was: the same processes, healthy, and they do what they are for. */
async function assertUnharmed(): Promise<void> {
  assert.deepEqual(await pids(), processes);
  await alice.write(bob, `fine ${performance.now()}`);
  await alice.obtainRelay();
}

/** The sum of a counter over all its services and labels that the pattern allows. */
async function count(pattern: RegExp): Promise<number> {
  let sum = 0;
  const { metrics } = perimeter.plan;
  for (const port of [metrics.edge, metrics.internal]) {
    const text = await (await fetch(`http://${metrics.address}:${port}/metrics`)).text();
    for (const line of text.split('\n')) if (pattern.test(line)) sum += Number(line.split(' ').at(-1));
  }
  return sum;
}
/** Resolves when a counter has grown by so many. */
async function grown(pattern: RegExp, since: number, by: number): Promise<void> {
  await until(`${pattern} grows by ${by}`, async () => (await count(pattern)) - since >= by);
}

function residentKilobytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

interface Line {
  readonly time: string;
  readonly service: string;
  readonly level: string;
  readonly event: string;
  readonly remote?: string;
  readonly port?: number;
  readonly flow?: number;
}
/** What services say of their start may be logged by the supervisor's next look, a second later; then nothing comes any more. */
async function startIsTold(): Promise<void> {
  const lines = () => logLines().length;
  let seen = lines();
  let since = performance.now();
  await until('nothing is logged for two seconds', () => {
    if (lines() !== seen) [seen, since] = [lines(), performance.now()];
    return performance.now() - since > 2000;
  });
}
/**
 * A time in which so many connections were opened. What was logged in it is judged when the programs have ended: a line
 * comes through a pipe and its supervisor, so that on a busy machine it stands in the file later than its connection ended.
 */
class Spell {
  static readonly ended: Spell[] = [];
  readonly #what: string;
  readonly #from = Date.now();
  #to = Number.POSITIVE_INFINITY;
  #connections = 0;

  constructor(what: string) {
    this.#what = what;
  }
  end(connections: number): void {
    this.#to = Date.now();
    this.#connections = connections;
    Spell.ended.push(this);
  }
  /** At most one line for each connection, and no alarm; gives the lines. */
  assertQuiet(log: readonly Line[]): readonly Line[] {
    const lines = log.filter(({ time }) => Date.parse(time) >= this.#from && Date.parse(time) <= this.#to);
    const told = `${this.#what}: ${lines.length} lines for ${this.#connections} connections: ${JSON.stringify(lines)}`;
    assert.ok(lines.length <= this.#connections, told);
    const connections = lines.map(({ service, remote, port, flow }) =>
      [service, remote, port, flow].join(' '),
    );
    assert.equal(new Set(connections).size, lines.length, `a connection was logged twice: ${told}`);
    for (const { level, event } of lines) assert.equal(level, 'info', event);
    return lines;
  }
}
function logLines(): Line[] {
  return [perimeter.files.edgeLog, perimeter.files.internalLog].flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Line);
  });
}

test('garbage on every stream port is answered with an error or with the end of the connection', async () => {
  const refused = await count(/^sallyport_connections_refused_total\{.*reason="not-tls"/);
  for (const target of targets) {
    const spell = new Spell(target.name);
    const ends = await Promise.all(Object.values(garbage).map((kind) => kind(target)));
    assert.equal(ends.length, Object.keys(garbage).length);
    await assertUnharmed();
    spell.end(ends.length);
  }
  // On each of the four SIP ports: random bytes, an HTTP request, and a header in the clear.
  await grown(/^sallyport_connections_refused_total\{.*reason="not-tls"/, refused, 4 * 3);
});

test('silence ends at its deadline: after nothing, one byte, half a hello and half a message', async () => {
  const counters = [
    [/^sallyport_connections_refused_total\{.*reason="silent"/, 4],
    [/^sallyport_connections_refused_total\{.*reason="handshake-timeout"/, 8],
    [/^sallyport_\w+_sip_flows_closed_total\{.*reason="message-timeout"/, 4],
  ] as const;
  const before = await Promise.all(counters.map(([pattern]) => count(pattern)));
  const spell = new Spell('silence');
  const silent = await Promise.all(targets.map((target) => openSilently(target, 1)));
  const ends = await Promise.all(
    targets.flatMap((target) => Object.values(silences).map((kind) => kind(target))),
  );
  await until('silent connections are closed', () => silent.flat().every((socket) => socket.destroyed));
  for (const [index, [pattern, by]] of counters.entries()) await grown(pattern, before[index] ?? 0, by);
  await assertUnharmed();
  spell.end(ends.length + silent.length);
});

test('a client that signs nobody in is cut off', async () => {
  const pattern = /^sallyport_access_refusals_total\{.*reason="pre-sign-in-seconds"/;
  const before = await count(pattern);
  const idler = new Person(perimeter, 'carol', 'a wrong password');
  await assert.rejects(idler.connect(), /REGISTER: 401/);
  await grown(pattern, before, 1);
  await idler.leave();
});

for (const which of ['ext-05', 'int-02', 'int-05', 'int-03', 'metrics', 'administration']) {
  test(`${SILENT_CONNECTIONS} connections at once that say nothing: ${which}`, async () => {
    const spell = new Spell(`${which}, crowded`);
    const chosen = targets.filter(({ name }) => name.startsWith(which));
    for (const target of chosen) {
      const open = await openSilently(target, SILENT_CONNECTIONS);
      await alice.write(bob, `${target.name} is crowded`);
      if (target.speaks === 'sip')
        await until('they are closed', () => open.every((socket) => socket.destroyed));
      for (const socket of open) socket.destroy();
    }
    await assertUnharmed();
    spell.end(SILENT_CONNECTIONS * chosen.length);
  });
}

test('garbage datagrams on both faces of the relay', async () => {
  const drops = await count(/^sallyport_av_drops_total/);
  const spell = new Spell('datagrams');
  for (const face of relayFaces()) await face.flood();
  await grown(/^sallyport_av_drops_total/, drops, 1000);
  await assertUnharmed();
  spell.end(0);
  const call = await alice.call(bob);
  await call.flows();
  await call.hangUp();
});

test('nothing of all that is kept: memory does not grow with repetition', async () => {
  const round = async () => {
    await Promise.all(targets.flatMap((target) => Object.values(garbage).map((kind) => kind(target))));
    for (const target of targets) for (const socket of await openSilently(target, 50)) socket.destroy();
    for (const face of relayFaces()) await face.flood();
  };
  // What a process needs once, it needs from now on.
  await round();
  const before = new Map([...processes].map(([name, pid]) => [name, residentKilobytes(pid)]));
  for (let times = 0; times < 4; times += 1) await round();
  await assertUnharmed();
  for (const [name, pid] of processes) {
    const growth = residentKilobytes(pid) - (before.get(name) ?? 0);
    assert.ok(growth < GROWTH_KB, `${name} grew by ${growth} kB`);
  }
  await until('no connection is left', async () => {
    return (await count(/^sallyport_access_client_connections/)) === 1;
  });
});

test('the log has one line for a connection at most, none for datagrams, and no alarm', async () => {
  await Promise.all([perimeter.edge.stop(), perimeter.internal.stop()]);
  const log = logLines();
  const told = Spell.ended.flatMap((spell) => spell.assertQuiet(log));
  // Garbage in the clear on each of the four SIP ports, and what could not be read inside TLS.
  const of = (...names: string[]) => told.filter(({ event }) => names.includes(event)).length;
  assert.ok(of('connection refused') >= 4 * 3);
  assert.equal(of('stream unreadable', 'flow refused'), 4 * 3);
});

function relayFaces(): RelayFace[] {
  const { av, internal, clients } = perimeter.plan;
  return [
    new RelayFace(av.address, av.port, clients.alice),
    new RelayFace(internal.address, internal.av, clients.bob),
  ];
}

const MAGIC_COOKIE = Buffer.from('2112a442', 'hex');
const BINDING = 0x0001;
const ALLOCATE = 0x0003;

/** One face of the relay, and a client of it that talks nonsense. */
class RelayFace {
  readonly #address: string;
  readonly #port: number;
  readonly #local: string;

  constructor(address: string, port: number, local: string) {
    this.#address = address;
    this.#port = port;
    this.#local = local;
  }
  /** Datagrams of every length and many kinds; resolves when a sane request after them is answered. */
  async flood(): Promise<void> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, this.#local, resolve));
    try {
      for (let length = 0; length <= 1500; length += 1)
        await this.#send(socket, randomBytes(1500).subarray(0, length));
      for (const datagram of nonsense()) await this.#send(socket, datagram);
      await this.#answered(socket);
    } finally {
      socket.close();
    }
  }

  #send(socket: Datagrams, datagram: Uint8Array): Promise<void> {
    return new Promise((resolve) => socket.send(datagram, this.#port, this.#address, () => resolve()));
  }
  async #answered(socket: Datagrams): Promise<void> {
    const request = stun(BINDING, Buffer.alloc(0));
    let answered = false;
    socket.on('message', (answer) => {
      answered ||=
        answer.readUInt16BE(0) === 0x0101 && answer.subarray(8, 20).equals(request.subarray(8, 20));
    });
    await until('the relay answers', async () => {
      if (!answered) await this.#send(socket, request);
      return answered;
    });
  }
}

/** A STUN message of these attributes (RFC 8489 §5). */
function stun(type: number, attributes: Buffer): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(attributes.length, 2);
  MAGIC_COOKIE.copy(head, 4);
  randomBytes(4096).copy(head, 8, 0, 12);
  return Buffer.concat([head, attributes]);
}
function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

/** STUN that is cut short, that lies about its length, or that consists of attributes only. */
function* nonsense(): Generator<Buffer> {
  const software = attribute(0x8022, Buffer.from('nobody'));
  const whole = stun(ALLOCATE, Buffer.concat([software, attribute(0x0019, Buffer.from([17, 0, 0, 0]))]));
  for (let length = 0; length < whole.length; length += 1) yield whole.subarray(0, length);
  for (const [type, count] of [
    [0x8022, 350],
    [0x7f01, 350],
    [0x0006, 350],
    [0x0012, 350],
  ] as const) {
    yield stun(ALLOCATE, Buffer.concat(Array<Buffer>(count).fill(attribute(type, Buffer.alloc(0)))));
  }
  for (const claimed of [0xffff, 4, 3, 1]) {
    const lie = stun(ALLOCATE, software);
    lie.writeUInt16BE(claimed, 2);
    yield lie;
    const inside = stun(ALLOCATE, Buffer.from(software));
    inside.writeUInt16BE(claimed, 22);
    yield inside;
  }
  for (let type = 0; type < 0x4000; type += 97) yield stun(type, software);
  // ChannelData of nobody (RFC 8656 §12.4), with all kinds of lengths.
  for (const length of [0, 1, 4, 1400, 0xffff]) {
    const data = Buffer.alloc(100);
    data.writeUInt16BE(0x4001, 0);
    data.writeUInt16BE(length, 2);
    yield data;
  }
}
