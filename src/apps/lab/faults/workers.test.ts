import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import type { TcpNetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { promisify } from 'node:util';
import { LabAuthority } from '#platform/pki';
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
  readonly clients: readonly {
    readonly worker: number;
    readonly addresses: readonly string[];
    readonly remote: { readonly port: number };
  }[];
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

/** Answers between one reload and the next, of all who write together. */
const BETWEEN = 12;

test('certificates, partners and limits change again and again while people of both workers write and talk: nothing is lost', async () => {
  const { files, plan } = perimeter;
  const before = await access();
  const authority = await LabAuthority.create({ name: 'Sallyport lab CA, the next one' });
  appendFileSync(files.authority, `\n${authority.certificatePem}`);
  const call = await alice.call(carol);
  let over = false;
  let written = 0;
  const sent = new Map<Person, string[]>([alice, carol, bob].map((person) => [person, []]));
  const writes = async (from: Person, to: Person): Promise<void> => {
    for (let turn = 0; !over; turn++) {
      const text = `${from.user} to ${to.user}, ${turn}`;
      await from.write(to, text);
      sent.get(to)?.push(text);
      written += 1;
    }
  };
  const people = [alice, carol, bob];
  const lanes = people.flatMap((from) => people.filter((to) => to !== from).map((to) => writes(from, to)));
  const goOn = async (): Promise<void> => {
    const goal = written + BETWEEN;
    // One that failed would say why, instead of being waited for.
    await Promise.race([until('people write on', () => written >= goal), Promise.all(lanes)]);
  };
  for (let round = 0; round < 3; round++) {
    await authority.issueTo(files.access, {
      name: plan.names.access,
      hosts: [plan.names.access, plan.domain],
      usages: ['serverAuth'],
    });
    const partner = { domain: `p${round}.example`, proxy: `sip.p${round}.example` };
    await change(perimeter, 'edge', { 'policy.federation.allowed': [partner] });
    await goOn();
    const limits = 'policy.limits.access';
    await change(perimeter, 'edge', { [`${limits}.connectionsPerSource`]: 1, [`${limits}.handshakes`]: 4 });
    await goOn();
    await change(perimeter, 'edge', {
      [`${limits}.connectionsPerSource`]: 500,
      [`${limits}.handshakes`]: 256,
      'policy.federation.allowed': [],
    });
    await goOn();
  }
  over = true;
  await Promise.all(lanes);
  for (const person of people) {
    const read = person.inbox.map(({ text }) => text).filter((text) => / to \w+, \d+$/.test(text));
    assert.deepEqual(read.sort(), sent.get(person)?.sort(), `${person.user} read each message once`);
  }
  await call.flows();
  await call.hangUp();
  const pids = async () => (await access()).workers?.map(({ pid }) => pid);
  assert.deepEqual(
    await pids(),
    before.workers?.map(({ pid }) => pid),
  );
});

test('a client that comes back resumes its TLS session at whichever worker the kernel gives it to', async () => {
  const { plan, files } = perimeter;
  const open = async (session?: Buffer) => {
    const options: ConnectionOptions & TcpNetConnectOpts = {
      host: plan.access.address,
      port: plan.access.port,
      localAddress: plan.clients.alice,
      servername: plan.names.access,
      ca: readFileSync(files.authority),
      ...(session === undefined ? {} : { session }),
    };
    const socket = connect(options);
    const ticket = once(socket, 'session');
    await once(socket, 'secureConnect');
    // Whoever has said something is listed.
    socket.write('\r\n\r\n');
    await once(socket, 'data');
    const { clients } = await connections();
    const { worker } =
      clients.find(({ remote }) => remote.port === socket.localPort) ?? assert.fail('unlisted');
    return { socket, worker, ticket };
  };
  const first = await open();
  const [session] = (await first.ticket) as [Buffer];
  first.socket.destroy();
  const met = new Set<number>();
  for (let turn = 0; met.size < 2; turn++) {
    assert.ok(turn < 60, 'the kernel knows one worker only');
    const { socket, worker } = await open(session);
    assert.equal(socket.isSessionReused(), true, `at worker ${worker}, the first was ${first.worker}`);
    met.add(worker);
    socket.destroy();
  }
});
