import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadVerifiedEdge } from '#platform/replica-store';
import { AdministrationClient } from '#platform/service';
import {
  ACTIVATION_BYTES,
  edgeReport,
  encodeActivation,
  linkHash,
  makeActivation,
  makeSigningKey,
} from '#protocols/replication';
import { ManagedPerimeter } from '../testing/managed-perimeter.ts';
import type { Perimeter } from '../testing/perimeter.ts';
import { type SecondEdge, secondEdge } from '../testing/second-edge.ts';
import { RogueStore } from './chaos/rogue-store.ts';
import { Person } from './person.ts';

/*
 * Two edges that a management store keeps, and a roll of all keys while people speak by both of them: what the keys of
 * before made goes on on either edge, and neither uses a new key before the other knows it.
 */
const NETWORK = 94;

let managed: ManagedPerimeter;
let perimeter: Perimeter;
let second: SecondEdge;
before(async () => {
  managed = await ManagedPerimeter.prepare(NETWORK, async (one) => {
    second = await secondEdge(one);
    return second;
  });
  perimeter = managed.perimeter;
  await managed.load();
  await second.program.start();
  await managed.startEdge();
  await perimeter.until('the front end is reached from the second edge too', async () => {
    const { nextHop } = (await second.program.ask('access', 'connections')) as {
      nextHop: { state: string }[];
    };
    const troubles = (await perimeter.internal.ask('front-end', 'troubles')) as string[];
    return nextHop.every(({ state }) => state === 'healthy') && troubles.length === 0;
  });
});
after(async () => {
  await second.program.stop();
  await perimeter.stop();
});

interface KeyFiles {
  readonly media: string;
  readonly flow: string;
  readonly others: readonly string[];
}
const states = ['edge', 'edge2'] as const;
type State = (typeof states)[number];

/** The keys with which an edge would start now, by what it has stored. */
function keysOn(edge: State): KeyFiles {
  const loaded = loadVerifiedEdge(join(perimeter.plan.folder, `${edge}.yaml`));
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const { mediaCredentials, pool } = loaded.value.policy;
  const others = [...mediaCredentials.previousKeyFiles, ...pool.previousFlowKeyFiles].map((file) =>
    basename(file),
  );
  return { media: basename(mediaCredentials.keyFile), flow: basename(pool.flowKeyFile ?? ''), others };
}
/** The keys with which it works, by its own word. */
async function keysUsed(edge: State): Promise<{ media: string; flow: string }> {
  const program = edge === 'edge' ? perimeter.edge : second.program;
  const { inUse } = edgeReport.parse(await program.ask('replica', 'report'));
  return { media: basename(inUse?.media ?? ''), flow: basename(inUse?.flow ?? '') };
}
const store = () => ['--socket', perimeter.files.internalSocket];

/** What the replica agent of the first edge has told of requests that it did not like. */
async function requestsTold() {
  const client = new AdministrationClient(perimeter.files.edgeSocket);
  const newest = await client.call('events', { limit: 1 });
  assert.ok(newest.ok, JSON.stringify(newest));
  const page = await client.call('events', { after: Math.max(0, newest.value.latest - 1000), limit: 1000 });
  assert.ok(page.ok, JSON.stringify(page));
  return page.value.events.filter(({ name }) => name === 'store-request').map(({ fields }) => fields);
}

async function rolled(kinds: string): Promise<void> {
  const { version: from } = (await managed.status()).store;
  const before = keysOn('edge');
  await managed.good('keys', 'roll', kinds, ...store());
  await perimeter.until(`${kinds} are used everywhere`, async () => {
    const { edges } = await managed.status();
    if (!edges.every(({ state }) => state === 'up-to-date')) return false;
    return states.every((state) => keysOn(state).flow !== before.flow);
  });
  // One version from one command, whatever is used since.
  const { edges, store: inside } = await managed.status();
  assert.deepEqual([inside.version, inside.keys], [from + 1, 'steady']);
  for (const { here, there } of edges) assert.deepEqual([here, there], [from + 1, from + 1]);
  const [, newest = '', older = ''] = (
    await managed.good('config', 'log', '--versions', ...store())
  ).text.split('\n');
  assert.match(newest, new RegExp(`^${from + 1} +\\S+ +\\S+ +edge1\\S+ edge2\\S+ +new keys: secrets/`));
  assert.match(older, new RegExp(`^${from} `));
  for (const state of states) {
    const { media, flow } = keysOn(state);
    assert.deepEqual(await keysUsed(state), { media, flow });
  }
}

test('media and flow keys are rolled on two edges by one command, and a call by both, registrations and relays go on', async () => {
  const alice = await Person.arrive(perimeter, 'alice');
  const beside = Object.create(perimeter, { plan: { value: second.plan } }) as Perimeter;
  const carol = await Person.arrive(beside, 'carol');
  const people = [alice, carol];
  try {
    const call = await alice.call(carol);
    const [first, other] = states.map(keysOn);
    assert.deepEqual(first, other, 'all edges have the same keys');
    await rolled('all');
    for (const state of states) {
      const now = keysOn(state);
      assert.ok(now.media !== first?.media && now.flow !== first?.flow, JSON.stringify(now));
      assert.ok(now.others.includes(first?.media ?? '') && now.others.includes(first?.flow ?? ''));
    }
    await call.flows();
    assert.equal(call.lost, 0);
    // By the paths that were made before.
    await alice.write(carol, 'to the second edge');
    await carol.write(alice, 'to the first edge');
    // Who comes now gets a path of the new key, and both know one another.
    const dora = await Person.arrive(beside, 'phone');
    people.push(dora);
    await alice.write(dora, 'by the new key');
    await rolled('flow');
    assert.equal(keysOn('edge').media, keysOn('edge2').media);
    await dora.write(alice, 'still there');
    await call.flows();
    await call.hangUp();
  } finally {
    await Promise.all(people.map((person) => person.leave()));
  }
});

test('a roll waits for an edge that is away, and is told to be under way', async () => {
  const before = keysOn('edge');
  const { version: from } = (await managed.status()).store;
  await second.program.stop();
  await managed.good('keys', 'roll', 'flow', ...store());
  await managed.upToDate();
  const waiting = keysOn('edge');
  assert.equal(waiting.flow, before.flow, 'not used');
  assert.equal(waiting.others.length, before.others.length + 1, 'but known');
  const again = await managed.cli('keys', 'roll', 'flow', ...store());
  assert.equal(again.status, 1);
  assert.match(again.text, /SLP-CFG-0024 .*secrets\/flow-[0-9a-f]{12}\.secret/);
  const status = await managed.cli('config', 'status', ...store());
  assert.match(
    status.text,
    new RegExp(
      `new keys wait until every edge knows them\n +SLP-CFG-0052 .*: secrets/flow-\\w+\\.secret waits for edge2\\S+, which ran version ${from} `,
    ),
  );
  assert.doesNotMatch(status.text, /waits for edge1/);
  // What an operator changes or takes back meanwhile has nothing to do with the keys.
  await managed.set('policy.relay.realm', 'while-it-waits.test');
  await managed.upToDate();
  const { revisions } = (await managed.manage('log', {})) as { revisions: { id: number }[] };
  await managed.good('config', 'revert', String(revisions[1]?.id), ...store());
  await managed.upToDate();
  assert.equal(keysOn('edge').flow, before.flow);
  await second.program.start();
  await managed.manage('replicate', { author: 'tester' });
  await perimeter.until('the new key is used on both', async () =>
    states.every((state) => keysOn(state).flow !== before.flow),
  );
  await bothUpToDate();
  assert.equal((await managed.status()).store.version, from + 3);
});

async function bothUpToDate(): Promise<void> {
  await perimeter.until('both edges are up to date', async () =>
    (await managed.status()).edges.every(({ state }) => state === 'up-to-date'),
  );
}

test('what is used outlives restarts, a later version that is rolled back, and a change that is taken back', async () => {
  const used = keysOn('edge');
  const { media, flow } = used;
  await perimeter.edge.stop();
  await perimeter.edge.start();
  assert.deepEqual(await keysUsed('edge'), { media, flow });
  await managed.manage('replicate', { author: 'tester' });
  const { there } = await managed.upToDate();
  await managed.set('policy.mediaCredentials.staticSecretFiles', ['secrets/absent.secret']);
  await perimeter.until('it is refused', async () => (await managed.row()).error?.code === 'SLP-CFG-0031');
  assert.equal((await managed.row()).there, there);
  assert.deepEqual(keysOn('edge'), used);
  const { revisions } = (await managed.manage('log', {})) as { revisions: { id: number }[] };
  await managed.good('config', 'revert', String(revisions[1]?.id), ...store());
  await managed.manage('replicate', { author: 'tester' });
  await bothUpToDate();
  assert.deepEqual(keysOn('edge'), used);
  assert.deepEqual(await keysUsed('edge'), { media, flow });
});

test('an edge without a network learns by the file of an export which keys are used', async () => {
  const used = keysOn('edge2');
  await second.program.stop();
  const activation = join(perimeter.plan.folder, 'edge2-state/replica/activation.json');
  rmSync(activation);
  assert.notEqual(keysOn('edge2').flow, used.flow, 'as if the edge had never been told');
  const zip = join(perimeter.plan.folder, 'later.zip');
  const { name, program } = second;
  const document = ['--document', program.options.document];
  await managed.good('config', 'export', zip, '--edge', name, ...store());
  const imported = await managed.good('config', 'import', zip, ...document);
  assert.match(imported.text, new RegExp(`keys in use: .*${used.media}, .*${used.flow}`));
  assert.deepEqual(keysOn('edge2'), used);
  // An edge that runs takes it as well, from the file and from nobody else.
  rmSync(activation);
  await second.program.start();
  assert.notEqual((await keysUsed('edge2')).flow, used.flow);
  await managed.good('config', 'import', zip, ...document);
  await perimeter.until('it is used', async () => (await keysUsed('edge2')).flow === used.flow);
});

test('an activation that is forged, of another edge, replayed or early is refused, and the operator is told', async () => {
  await managed.manage('replicate', { author: 'tester' });
  await bothUpToDate();
  const rogue = new RogueStore(managed);
  const used = keysOn('edge');
  const keys = { media: `secrets/${used.media}`, flow: `secrets/${used.flow}` };
  const { push } = await rogue.newest();
  const [last] = push.links;
  assert.ok(last);
  const { version } = JSON.parse(last.text) as { version: number };
  const here = { edge: perimeter.plan.names.edge, version, link: linkHash(last.text), keys };
  const flow = `secrets/${used.others.find((name) => name.startsWith('flow-'))}`;
  const signed = (change: Partial<typeof here>, by = rogue.key) =>
    encodeActivation(makeActivation(by, { ...here, ...change }));
  const damaged = Buffer.from(`${signed({})}`.replace(/("signature":")./, (_, head) => `${head}-`));
  const cases: [string, Buffer, string, number?][] = [
    ['a stranger signed it', signed({}, makeSigningKey()), 'SLP-CFG-0004'],
    ['its signature is another', damaged, 'SLP-CFG-0005'],
    ['it is for another edge', signed({ edge: second.name }), 'SLP-CFG-0006'],
    ['it was recorded before the last roll', signed({ version: 1, keys: { ...keys, flow } }), 'SLP-CFG-0007'],
    ['it is of another version of this number', signed({ link: 'a'.repeat(64) }), 'SLP-CFG-0008'],
    ['it is of a version that is still to come', signed({ version: version + 1 }), 'SLP-CFG-0050'],
    ['its key is not here', signed({ keys: { ...keys, flow: 'secrets/flow-0.secret' } }), 'SLP-CFG-0051'],
    ['it is a link', encodeActivation(last), 'SLP-CFG-0002'],
    ['it is cut off', signed({}).subarray(0, 100), 'SLP-CFG-0002', 400],
    ['it is too long', Buffer.alloc(ACTIVATION_BYTES + 1, 0x20), 'SLP-CFG-0001', 400],
  ];
  for (const [what, bytes, code, answer = 409] of cases) {
    assert.equal(await rogue.activate(bytes), answer, what);
    await managed.manage('replicate', { author: 'tester' });
    await perimeter.until(`${what}: ${code} is shown`, async () => {
      const { notices } = await managed.row();
      return notices.some((one) => one.code === 'SLP-CFG-0038' && one.message.includes(code));
    });
    assert.deepEqual(keysOn('edge'), used, what);
  }
  assert.deepEqual(await keysUsed('edge'), { media: used.media, flow: used.flow });
  for (const [what, , code] of cases)
    await perimeter.until(`${what}: ${code} is an event`, async () =>
      (await requestsTold()).some((fields) => String(fields?.rule).startsWith(code)),
    );
});
