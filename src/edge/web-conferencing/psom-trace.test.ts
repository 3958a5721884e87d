import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { participantTrace, recordOf } from '#platform/message-log';
import { FrameReader, readFrame } from '#platform/telemetry';
import type { LogRecord } from '#protocols/log-query';
import {
  annotationContainer,
  contentManager,
  type DistributedObject,
  encodeOperation,
  meeting,
  meetingInterfaces,
  PsomPeer,
} from '#protocols/psom';
import { edgeMetrics } from './metrics.ts';
import { EdgeBench, HOST } from './testing/bench.ts';
import { type Inside, Outside, TestService, webSocket } from './testing/ends.ts';

const LIMITS = { frameBytes: 65_535, frameMs: 10_000, objects: 16, depth: 4, nameLength: 64 };
const CONFERENCE = 'abcdefghijklmno2';

/** A participant with whom somebody inside speaks PSOM, and what a collector of events makes of it. */
class Traced {
  readonly bench: EdgeBench;
  readonly inside: Inside;
  readonly client = new PsomPeer({
    side: 'client',
    root: meeting,
    interfaces: meetingInterfaces,
    limits: LIMITS,
  });
  readonly server = new PsomPeer({
    side: 'server',
    root: meeting,
    interfaces: meetingInterfaces,
    limits: LIMITS,
  });
  readonly #records: readonly LogRecord[];
  readonly #write: (bytes: Uint8Array) => void;
  #heard = 0;

  static async start(t: TestContext, way: 'TLS' | 'WebSocket', level: 'info' | 'verbose' | undefined) {
    const bench = await EdgeBench.start(t);
    const service = await TestService.start(t, [bench]);
    await service.linked(bench);
    const frames = new FrameReader();
    const records: LogRecord[] = [];
    bench.ring.onItem = () => {
      for (const frame of frames.push(bench.ring.drain(1_000_000) ?? Buffer.alloc(0))) {
        const item = readFrame(frame);
        if (item?.type === 'capture') records.push(recordOf(item.capture, true));
        if (item?.type === 'record') records.push(item.record);
      }
    };
    if (level !== undefined) bench.ring.demand({ providers: { Psom: { level, bodies: true } } });
    const token = service.token({ participant: 41 });
    let write: (bytes: Uint8Array) => void;
    if (way === 'TLS') {
      const { socket } = await Outside.join(t, bench, token);
      write = (bytes) => socket.write(bytes);
    } else {
      const page = webSocket(bench, `https://${HOST}`);
      t.after(() => page.terminate());
      await once(page, 'open');
      const answered = once(page, 'message');
      page.send(encodeOperation({ kind: 'join', version: 1, show: 'conference', token }));
      await answered;
      write = (bytes) => page.send(bytes);
    }
    return new Traced(bench, service.participants[0]!, records, write);
  }
  private constructor(
    bench: EdgeBench,
    inside: Inside,
    records: readonly LogRecord[],
    write: (bytes: Uint8Array) => void,
  ) {
    this.bench = bench;
    this.inside = inside;
    this.#records = records;
    this.#write = write;
    this.#heard = inside.bytes;
  }
  /** What waits at the client goes through the edge, all in one piece, and arrives. */
  async say(bytes: Uint8Array = Buffer.concat(this.client.takeOutput())): Promise<void> {
    this.#heard += bytes.length;
    this.#write(bytes);
    await until(() => this.inside.bytes === this.#heard);
  }
  answer(object: DistributedObject, method: string, parameters: Parameters<PsomPeer['call']>[2]): void {
    this.server.call(object, method, parameters);
    for (const frame of this.server.takeOutput()) this.inside.connection.write(frame);
  }
  get operations(): LogRecord[] {
    return this.#records.filter(({ name }) => name === 'psom-operation');
  }
  get lines(): string[] {
    return this.operations.map(
      ({ direction, text, fields }) =>
        `${direction} ${fields?.method === undefined ? (fields?.operation ?? text) : fields.method}`,
    );
  }
  named(name: string): LogRecord[] {
    return this.#records.filter((record) => record.name === name);
  }
}

for (const way of ['TLS', 'WebSocket'] as const) {
  test(`operations of a participant over ${way} are told with conference, participant, connection and trace`, async (t) => {
    const traced = await Traced.start(t, way, 'info');
    const { client } = traced;
    const manager = client.connect(client.root, 'ContentManager', contentManager)!;
    const drawings = client.connect(manager, 'annotationContainer', annotationContainer)!;
    client.stub(manager, contentManager.server).sReserveTitle('A title', 7);
    for (let point = 0; point < 20; point++)
      client.stub(drawings, annotationContainer.server).sPoint(1, point, 5);
    await traced.say();
    // The service's end knows its own root only; what it says there is told as well.
    traced.answer(traced.server.root, 'cSetTitle', ['told to everybody']);
    traced.answer(traced.server.root, 'cEnded', []);
    await until(() => traced.lines.includes('out cEnded'));
    assert.deepEqual(traced.lines, [
      'in JOIN',
      'out JOINED',
      'in CONNECT',
      'in CONNECT',
      'in sReserveTitle',
      'out cEnded',
    ]);
    const told = traced.operations.find(({ fields }) => fields?.method === 'sReserveTitle');
    const joined = traced.operations.find(({ fields }) => fields?.operation === 'JOINED');
    assert.deepEqual(told?.keys, {
      address: ['127.0.0.1'],
      conference: [CONFERENCE],
      trace: [participantTrace(CONFERENCE, 41)],
    });
    assert.deepEqual(
      [joined?.keys, joined?.connection, joined?.remote],
      [told?.keys, told?.connection, told?.remote],
    );
    assert.equal(told?.fields?.participant, 41);
    assert.equal(told?.fields?.object, 'ContentManager');
    assert.equal(told?.body, 'title: "A title"\ncookie: 7');
  });
}

test('who asks for everything hears strokes and pings as well; who asks for nothing, nothing, though objects are remembered', async (t) => {
  const traced = await Traced.start(t, 'TLS', undefined);
  const { client, bench } = traced;
  const drawings = client.connect(client.root, 'annotationContainer', annotationContainer)!;
  client.stub(drawings, annotationContainer.server).sPoint(1, 2, 5);
  await traced.say();
  assert.deepEqual(traced.lines, []);
  bench.ring.demand({ providers: { Psom: { level: 'verbose', bodies: false } } });
  client.stub(drawings, annotationContainer.server).sPoint(1, 2, 6);
  client.ping(1);
  await traced.say();
  assert.deepEqual(traced.lines, ['in sPoint', 'in PING']);
  assert.equal(traced.operations[0]?.fields?.interface, 'AnnotationContainer');
});

test('what is no frame is told once and goes inside as it is: the service judges it', async (t) => {
  const traced = await Traced.start(t, 'TLS', 'verbose');
  await traced.say(Buffer.concat([Buffer.from([0, 1, 99]), Buffer.alloc(5000, 7)]));
  await traced.say(encodeOperation({ kind: 'ping', cookie: 1 }));
  const told = traced.named('psom-followed-no-more');
  assert.deepEqual(
    told.map(({ fields, keys }) => [fields, keys.conference]),
    [[{ rule: 'unexpected-operation', from: 'client' }, [CONFERENCE]]],
  );
  assert.deepEqual(traced.lines, ['in JOIN', 'out JOINED']);
  const { unfollowed } = edgeMetrics(traced.bench.metrics);
  assert.equal(unfollowed.value('unexpected-operation'), 1);
});
