import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { LabProgram } from '../program.ts';
import { Perimeter } from '../testing/perimeter.ts';
import { isAlive, marked, processesOf, socketsOf } from './leftovers.ts';
import { type Conversation, Person } from './person.ts';
import { eventually, until } from './until.ts';

/*
 * Every service of a running perimeter is killed in turn while two calls run: alice with carol, both outside, and
 * alice with bob, who is inside. The tests build on one another, in this order.
 */

/** 127.72.x.y is the addresses of this file. */
const NETWORK = 72;
const mark = randomUUID();
let perimeter: Perimeter;
let alice: Person;
let carol: Person;
let bob: Person;

before(async () => {
  Object.assign(process.env, marked(mark));
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  await perimeter.start();
  [alice, carol, bob] = [
    await Person.arrive(perimeter, 'alice'),
    await Person.arrive(perimeter, 'carol'),
    await Person.arrive(perimeter, 'bob'),
  ];
});
after(async () => {
  await Promise.all([alice, carol, bob].map((person) => person?.leave()));
  await perimeter.stop();
  for (const pid of processesOf(mark)) process.kill(pid, 'SIGKILL');
});

async function pids(program: LabProgram): Promise<Map<string, number>> {
  const status = await program.status();
  assert.ok(status);
  return new Map(
    status.services.map(({ name, pid }) => [name, pid ?? assert.fail(`${name} has no process`)]),
  );
}

/** Kills one service; resolves when another process has taken its place and says that it is healthy. */
async function kill(program: LabProgram, name: string): Promise<void> {
  const before = await pids(program);
  const victim = before.get(name) ?? assert.fail(name);
  process.kill(victim, 'SIGKILL');
  await until(`${name} is back`, async () => {
    const service = (await program.status())?.services.find((one) => one.name === name);
    return service?.pid !== undefined && service.pid !== victim && service.health.ok;
  });
  assert.ok(!isAlive(victim));
  const now = await pids(program);
  for (const [other, pid] of before)
    if (other !== name) assert.equal(now.get(other), pid, `${other} goes on`);
}

/** Two calls with audio in all four directions. */
async function startCalls(): Promise<readonly Conversation[]> {
  const calls = [await alice.call(carol), await alice.call(bob)];
  await flow(calls);
  return calls;
}
async function flow(calls: readonly Conversation[]): Promise<void> {
  await Promise.all(calls.map((call) => call.flows()));
}
async function hangUp(calls: readonly Conversation[]): Promise<void> {
  for (const call of calls) await call.hangUp();
}

test('the Access Edge service is killed: audio goes on, phones come back, new calls work', async () => {
  const calls = await startCalls();
  const switched = await perimeter.switched();
  await kill(perimeter.edge, 'access');
  await flow(calls);
  assert.ok((await perimeter.switched()) > switched, 'the relay still counts');
  assert.deepEqual(
    calls.map(({ lost }) => lost),
    [0, 0],
  );
  for (const person of [alice, carol]) {
    await eventually(`${person.user} signs in again`, () => person.connect());
  }
  await alice.write(carol, 'back outside');
  await alice.write(bob, 'back inside');
  await flow(calls);
  for (const call of calls) call.silence();
  const more = await startCalls();
  await hangUp(more);
});

test('the A/V Edge service is killed: signalling goes on, new allocations and new calls work', async () => {
  const calls = await startCalls();
  await kill(perimeter.edge, 'av');
  assert.equal(await perimeter.allocations(), 0);
  await alice.write(carol, 'you sound like nothing at all');
  await bob.write(alice, 'so do you');
  for (const call of calls) {
    call.silence();
    assert.equal(call.call.ended, false);
    await call.call.hangUp();
  }
  // The credentials of before hold: they need no memory of the process that issued them or of the one that saw them.
  const more = await startCalls();
  assert.equal(await perimeter.allocations(), 4);
  await hangUp(more);
});

test('the A/V Authentication service is killed: calls go on, new credentials and new calls work', async () => {
  const calls = await startCalls();
  await kill(perimeter.edge, 'av-authentication');
  await flow(calls);
  assert.deepEqual(
    calls.map(({ lost }) => lost),
    [0, 0],
  );
  await alice.write(carol, 'still here');
  for (const person of [alice, carol, bob]) {
    const before = person.relay;
    await eventually(`${person.user} gets credentials`, () => person.obtainRelay());
    assert.notEqual(person.relay?.password, before?.password);
  }
  await hangUp(calls);
  await hangUp(await startCalls());
});

test('the front end is killed: calls go on, who signed in through the edge stays so, new calls work', async () => {
  const calls = await startCalls();
  const bindings = () => perimeter.internal.ask('front-end', 'bindings', { address: alice.address });
  const before = (await bindings()) as { contact: string }[];
  await kill(perimeter.internal, 'front-end');
  await flow(calls);
  assert.deepEqual(
    calls.map(({ lost }) => lost),
    [0, 0],
  );
  const kept = (await bindings()) as { contact: string }[];
  assert.deepEqual(
    kept.map(({ contact }) => contact),
    before.map(({ contact }) => contact),
  );
  // Nobody of those outside signs in again: the front end's database and the edge's own connections are enough.
  await eventually('a message passes', () => alice.write(carol, 'is the office still there?'));
  await calls[0]?.hangUp();
  calls[1]?.silence();
  const outside = await alice.call(carol);
  await outside.flows();
  await outside.hangUp();
  await eventually('bob signs in again', () => bob.connect());
  const inside = await carol.call(bob);
  await inside.flows();
  await inside.hangUp();
});

test('the supervisor of the edge is killed: no orphan, no port held, and a new start works', async () => {
  const { edge } = perimeter;
  const { pid } = edge;
  assert.ok(pid !== undefined);
  const services = [...(await pids(edge)).values()];
  const edgeSockets = () => socketsOf(NETWORK).filter((socket) => /\.(1|2)\.\d+:|:19436$/.test(socket));
  assert.ok(edgeSockets().length >= 6, `${edgeSockets()}`);
  process.kill(pid, 'SIGKILL');
  await until('every service has followed', () => ![pid, ...services].some(isAlive));
  await until('no port is held', () => edgeSockets().length === 0);
  assert.ok(existsSync(perimeter.files.edgeSocket), 'the socket file of the killed one is in the way');
  await edge.start();
  for (const person of [alice, carol]) {
    await eventually(`${person.user} signs in again`, () => person.connect());
    await eventually(`${person.user} gets credentials`, () => person.obtainRelay());
  }
  await hangUp(await startCalls());
});

test('the supervisor of the internal program is killed: the same', async () => {
  const { internal } = perimeter;
  const { pid } = internal;
  assert.ok(pid !== undefined);
  const services = [...(await pids(internal)).values()];
  process.kill(pid, 'SIGKILL');
  await until('every service has followed', () => ![pid, ...services].some(isAlive));
  const held = () => socketsOf(NETWORK).filter((socket) => /\.4\.10:|:19437$/.test(socket));
  await until('no port is held', () => held().length === 0);
  await internal.start();
  await eventually('bob signs in again', () => bob.connect());
  await eventually('a message passes', () => alice.write(bob, 'good morning'));
  await hangUp(await startCalls());
});
