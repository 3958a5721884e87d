import assert from 'node:assert/strict';
import { Server, Socket } from 'node:net';
import { test } from 'node:test';
import { err, failure, ManualClock, ok, SystemRandom } from '#kernel';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import type { ServiceContext } from './definition.ts';
import { FeatureService, type Operation } from './feature-service.ts';

/** A document of these tests: whether the feature is on, and where; another place takes another operation. */
interface Document {
  readonly on: boolean;
  readonly place: string;
  readonly version: number;
}
type Prepared = Document & Record<'external' | 'internal', { readonly warnings: readonly string[] }>;

class Recorded implements Operation<Prepared> {
  readonly did: string[] = [];
  #prepared: Prepared;

  constructor(prepared: Prepared) {
    this.#prepared = prepared;
  }
  adopt(prepared: Prepared): boolean {
    if (prepared.place !== this.#prepared.place) return false;
    this.#prepared = prepared;
    return true;
  }
  take(side: string): void {
    this.did.push(`take ${side}`);
  }
  drain(): void {
    this.did.push('drain');
  }
  undrain(): void {
    this.did.push('undrain');
  }
  remaining(): number {
    return 7;
  }
  detail(): string {
    return `${this.#prepared.place} ${this.#prepared.version}`;
  }
  async close(): Promise<void> {
    this.did.push('close');
  }
}

function scene() {
  const clock = new ManualClock();
  const takers = new Map<string, (socket: Socket) => void>();
  const log = memoryLog();
  const context: ServiceContext = {
    clock,
    random: new SystemRandom(),
    log,
    metrics: new Metrics(),
    events: new EventRing(clock, { items: 8, bytes: 4096 }),
    sockets: {
      plan: () =>
        (['external', 'internal'] as const).map((side) => ({
          id: side,
          rows: ['ext-08'],
          service: 'web-conferencing',
          transport: 'tcp',
          address: '127.0.0.1',
          port: 443,
          interface: side,
        })),
      tcp: (id, onConnection) => {
        takers.set(id, onConnection);
        return new Server();
      },
      udp: () => [],
    },
  };
  const started: Recorded[] = [];
  const service = new FeatureService<Document, Prepared, Recorded>(context, {
    title: 'the feature',
    isOn: ({ on }) => on,
    prepare: (document) =>
      document.version < 0
        ? err(failure('SLP-CFG-0001', 'no such version'))
        : ok({ ...document, external: { warnings: ['ends soon'] }, internal: { warnings: [] } }),
    start: (prepared) => {
      const operation = new Recorded(prepared);
      started.push(operation);
      return operation;
    },
    verbs: (running) => ({ detail: async () => running()?.detail() ?? null }),
    measure: (running) =>
      context.metrics.observe('sallyport_test_open', 'Open.', () => running()?.remaining() ?? 0),
  });
  const apply = async (document: Document) => {
    const provision = await service.provision(document);
    assert.ok(provision.ok);
    await provision.value.commit();
  };
  return { service, started, takers, log, apply };
}

test('without a document it is not well; with one that switches it off it is, and nothing runs', async () => {
  const { service, started, takers, apply } = scene();
  assert.deepEqual(service.health(), { ok: false, detail: 'no document yet' });
  await apply({ on: false, place: 'a', version: 1 });
  assert.deepEqual(service.health(), { ok: true, detail: 'the feature is off' });
  assert.deepEqual([started.length, takers.size, service.remaining()], [0, 0, 0]);
  assert.equal(await service.verbs.detail?.({}), null);
});

test('what runs adopts the documents that follow; connections go to it by the interface', async () => {
  const { service, started, takers, log, apply } = scene();
  await apply({ on: true, place: 'a', version: 1 });
  await apply({ on: true, place: 'a', version: 2 });
  assert.equal(started.length, 1);
  assert.deepEqual(service.health(), { ok: true, detail: 'a 2' });
  assert.equal(await service.verbs.detail?.({}), 'a 2');
  for (const [side, take] of takers) assert.equal(take(new Socket()), undefined, side);
  assert.deepEqual(started[0]?.did, ['take external', 'take internal']);
  assert.equal(log.lines.filter(({ warning }) => warning === 'ends soon').length, 2);
});

test('one that cannot become what a document says is closed, and another takes its connections', async () => {
  const { started, takers, apply } = scene();
  await apply({ on: true, place: 'a', version: 1 });
  await apply({ on: true, place: 'b', version: 1 });
  takers.get('internal')?.(new Socket());
  assert.deepEqual(
    started.map(({ did }) => did),
    [['close'], ['take internal']],
  );
});

test('a document that can not be prepared changes nothing', async () => {
  const { service, started, apply } = scene();
  await apply({ on: true, place: 'a', version: 1 });
  assert.equal((await service.provision({ on: true, place: 'b', version: -1 })).ok, false);
  assert.deepEqual(service.health(), { ok: true, detail: 'a 1' });
  assert.deepEqual(started[0]?.did, []);
});

test('it drains what runs, and what is started while it drains', async () => {
  const { service, started, apply } = scene();
  service.drain();
  await apply({ on: true, place: 'a', version: 1 });
  assert.deepEqual(started[0]?.did, ['drain']);
  assert.deepEqual(service.health(), { ok: true, detail: 'draining, a 1' });
  service.undrain();
  await apply({ on: true, place: 'b', version: 1 });
  assert.deepEqual(started[0]?.did, ['drain', 'undrain', 'close']);
  assert.deepEqual(started[1]?.did, []);
});

test('switched off or stopped, it closes what ran', async () => {
  const { service, started, apply } = scene();
  await apply({ on: true, place: 'a', version: 1 });
  assert.equal(service.remaining(), 7);
  await apply({ on: false, place: 'a', version: 2 });
  assert.deepEqual(service.health(), { ok: true, detail: 'the feature is off' });
  await apply({ on: true, place: 'a', version: 3 });
  await service.stop();
  assert.deepEqual(
    started.map(({ did }) => did),
    [['close'], ['close']],
  );
  assert.equal(service.remaining(), 0);
});
