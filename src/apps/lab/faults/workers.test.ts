import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Perimeter } from '../testing/perimeter.ts';
import { change, edit } from './documents.ts';
import { Person } from './person.ts';
import { eventually, until } from './until.ts';

/*
 * The Access Edge service in two processes, with our own front end as next hop, and one of them is killed while people
 * talk. The tests build on one another, in this order.
 */

/** 127.96.x.y is the addresses of this file. */
const NETWORK = 96;
const run = promisify(execFile);
let perimeter: Perimeter;
/** Alice and carol are served by different workers, bob is inside. */
let alice: Person;
let carol: Person;
let bob: Person;

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  edit(perimeter, 'edge', { 'host.workers.access': 2 });
  await perimeter.start();
  alice = await Person.arrive(perimeter, 'alice');
  bob = await Person.arrive(perimeter, 'bob');
  carol = await Person.arrive(perimeter, 'carol');
  const own = await workerOf(alice);
  await until('the kernel gives carol to the other worker', async () => {
    if ((await workerOf(carol)) !== own) return true;
    await carol.connect();
    await carol.obtainRelay();
    return false;
  });
});
after(async () => {
  await Promise.all([alice, carol, bob].map((person) => person?.leave()));
  await perimeter.stop();
});

interface Connections {
  readonly total: number;
  readonly clients: readonly { readonly worker: number; readonly addresses: readonly string[] }[];
}
async function connections(): Promise<Connections> {
  return (await perimeter.edge.ask('access', 'connections')) as Connections;
}
/** Counted from 1. */
async function workerOf({ address }: Person): Promise<number> {
  const { clients } = await connections();
  const newest = clients.findLast(({ addresses }) => addresses.includes(address.replace('sip:', '')));
  return newest?.worker ?? assert.fail(`${address} is not signed in`);
}
async function access() {
  const status = await perimeter.edge.status();
  return status?.services.find(({ name }) => name === 'access') ?? assert.fail('no Access Edge service');
}

test('people of both workers write to and call one another and somebody inside [setting host.workers.access]', async () => {
  const { workers = [], remaining } = await access();
  assert.equal(new Set(workers.map(({ pid }) => pid)).size, 2);
  assert.equal(remaining, (await connections()).total);
  const cli = join(import.meta.dirname, '../../cli/main.ts');
  const { stdout } = await run(process.execPath, [cli, 'status', '--socket', perimeter.files.edgeSocket]);
  for (const [index, { pid }] of workers.entries())
    assert.match(stdout, new RegExp(`^ +worker ${index + 1} +running +${pid} `, 'm'));
  await alice.write(carol, 'across');
  await carol.write(alice, 'and back');
  await bob.write(alice, 'from inside to one');
  await bob.write(carol, 'from inside to the other');
  for (const [caller, callee] of [
    [alice, carol],
    [carol, bob],
    [bob, alice],
  ] as const) {
    const call = await caller.call(callee);
    await call.flows();
    await call.hangUp();
  }
});

test('a worker is killed: calls and people of the other one go on, its own come back, and all is as before', async () => {
  const call = await alice.call(bob);
  await call.flows();
  const worker = await workerOf(carol);
  const { workers = [] } = await access();
  const victim = workers[worker - 1]?.pid ?? assert.fail('no such worker');
  const other = workers[2 - worker]?.pid;
  process.kill(victim, 'SIGKILL');
  // What is under way on the next hop's connection with the killed one is lost.
  await eventually('a message passes', () => bob.write(alice, 'are you still there?'));
  await alice.write(bob, 'I am');
  await eventually('carol signs in again', () => carol.connect());
  await until('the worker is back', async () => {
    const now = await access();
    return now.health.ok && now.workers?.every(({ state }) => state === 'running') === true;
  });
  const now = await access();
  assert.deepEqual(
    now.workers?.map(({ restarts }) => restarts),
    worker === 1 ? [1, 0] : [0, 1],
  );
  assert.equal(now.workers?.[2 - worker]?.pid, other);
  await alice.write(carol, 'welcome back');
  await bob.write(carol, 'indeed');
  await call.flows();
  assert.equal(call.call.ended, false);
  await call.hangUp();
});

test('a new document reaches both workers, and metrics tell them apart', async () => {
  await change(perimeter, 'edge', { 'policy.remoteAccess.allowed': false });
  for (const person of [alice, carol]) await assert.rejects(person.phone.message(bob.address, 'no'));
  await change(perimeter, 'edge', { 'policy.remoteAccess.allowed': true });
  for (const person of [alice, carol]) await person.write(bob, 'yes');
  const text = await (
    await fetch(`http://${perimeter.plan.metrics.address}:${perimeter.plan.metrics.edge}/metrics`)
  ).text();
  const clients = /^sallyport_access_client_connections\{service="access",worker="\d"\} \d+$/gm;
  assert.equal(text.match(clients)?.length, 2);
});
