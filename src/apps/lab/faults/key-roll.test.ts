import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { ManagedPerimeter } from '../testing/managed-perimeter.ts';
import type { Perimeter } from '../testing/perimeter.ts';
import { type SecondEdge, secondEdge } from '../testing/second-edge.ts';
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
/** Which keys an edge runs on, from what it has stored of the store's policy. */
function keysOn(state: string): KeyFiles {
  const file = join(perimeter.plan.folder, state, 'replica/current/policy.yaml');
  const { policy } = parse(readFileSync(file, 'utf8')) as {
    policy: {
      mediaCredentials: { keyFile: string; previousKeyFiles?: string[] };
      pool: { flowKeyFile: string; previousFlowKeyFiles?: string[] };
    };
  };
  const { mediaCredentials: media, pool } = policy;
  const others = [...(media.previousKeyFiles ?? []), ...(pool.previousFlowKeyFiles ?? [])];
  return { media: media.keyFile, flow: pool.flowKeyFile, others };
}

const states = ['edge-state', 'edge2-state'] as const;

async function rolled(kinds: string): Promise<void> {
  const { internalSocket } = perimeter.files;
  const { version: from } = (await managed.status()).store;
  await managed.good('keys', 'roll', kinds, '--socket', internalSocket);
  // Known first, used then: two versions from one command.
  await perimeter.until(`${kinds} are used everywhere`, async () => {
    const { edges } = await managed.status();
    return edges.every(({ there, state }) => there === from + 2 && state === 'up-to-date');
  });
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
    assert.equal(keysOn(states[0]).media, keysOn(states[1]).media);
    await dora.write(alice, 'still there');
    await call.flows();
    await call.hangUp();
  } finally {
    await Promise.all(people.map((person) => person.leave()));
  }
});

test('a roll waits for an edge that is away, and is told to be under way', async () => {
  const before = keysOn(states[0]);
  await second.program.stop();
  const { internalSocket } = perimeter.files;
  await managed.good('keys', 'roll', 'flow', '--socket', internalSocket);
  await managed.upToDate();
  const waiting = keysOn(states[0]);
  assert.equal(waiting.flow, before.flow, 'not used');
  assert.equal(waiting.others.length, before.others.length + 1, 'but known');
  const again = await managed.cli('keys', 'roll', 'flow', '--socket', internalSocket);
  assert.equal(again.status, 1);
  assert.match(again.text, /SLP-CFG-0024 .*secrets\/flow-[0-9a-f]{12}\.secret/);
  const status = await managed.cli('config', 'status', '--socket', internalSocket);
  assert.match(status.text, /new keys wait until every edge knows them/);
  await second.program.start();
  await managed.manage('replicate', { author: 'tester' });
  await perimeter.until('the new key is used on both', async () =>
    states.every((state) => keysOn(state).flow !== before.flow),
  );
});
