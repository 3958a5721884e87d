import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { SystemClock, until } from '#kernel';
import { testDatagrams } from '../datagrams.conformance.ts';
import type { DatagramLimits, DatagramNetwork } from '../datagrams.ts';
import { channelData, type Outsider, Stage, testFlows, turn } from '../flows/flows.conformance.ts';
import { ThreadedRelayDatagrams } from './threaded-relay-datagrams.ts';

const room = { flows: 8, budgets: 8 };
const limits: DatagramLimits = { queuedBytes: 1 << 20, receiveBuffer: 1 << 20 };
const clock = new SystemClock();
/** Those that were started, and not ended by a test. */
const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));

function threaded(
  limits: DatagramLimits,
  threads = 2,
  waitingBytes = 4 << 20,
  folder = tmpdir(),
): ThreadedRelayDatagrams {
  workers.length = 0;
  return new ThreadedRelayDatagrams({
    clock,
    now: () => clock.now(),
    clients: limits,
    peers: limits,
    room,
    threads,
    waitingBytes,
    relayed: 16,
    folder,
    running: () => {},
    ended: () => {},
  });
}

/** One side of it, every socket in one of the threads in turn. */
function inThreads(limits: DatagramLimits): DatagramNetwork {
  const relay = threaded(limits);
  let last = 0;
  let isClosed = false;
  const placed = <Value>(task: () => Value): Value => {
    let value: Value | undefined;
    last += 1;
    relay.within(last % 2, () => {
      value = task();
    });
    return value as Value;
  };
  const { peers } = relay;
  return {
    counters: peers.counters,
    get open() {
      return peers.open;
    },
    frame: (size) => peers.frame(size),
    adopt: (socket, receiver) => placed(() => peers.adopt(socket, receiver)),
    bind: (endpoint, receiver, done) =>
      void until(() => isClosed || relay.threads.running === 2).then(() =>
        placed(() => peers.bind(endpoint, receiver, done)),
      ),
    close: () => {
      isClosed = true;
      return relay.close();
    },
  };
}

testDatagrams('in threads', inThreads);

testFlows('in threads', async () => {
  const relay = threaded(limits);
  await until(() => relay.threads.running === 2);
  return { relay, now: () => clock.now() };
});

/** A relay with one client whose data go through a flow, and back. */
async function playing(): Promise<{ stage: Stage; relay: ThreadedRelayDatagrams; client: Outsider }> {
  const relay = threaded(limits);
  await until(() => relay.threads.running === 2);
  const stage = await Stage.set(async () => ({ relay, now: () => clock.now() }));
  const client = await stage.client();
  stage.channel(client);
  return { stage, relay, client };
}
/** Sends until it comes by a flow: what the receiver gets meanwhile is right, too. */
async function flowsAgain({ stage, client }: { stage: Stage; client: Outsider }): Promise<void> {
  while (stage.peer.heard.length === 0) {
    client.send(channelData(0x4001, 'again'));
    await until(() => stage.unclaimed.length > 0 || stage.peer.heard.length > 0);
    stage.unclaimed.length = 0;
  }
  stage.peer.heard.length = 0;
  stage.peer.send(Buffer.from('and back'), stage.relayed.local);
  assert.deepEqual((await client.hear()).bytes, channelData(0x4001, 'and back'));
}

test('the sockets of a thread that has ended are read here until another has taken them', async () => {
  const { stage, relay, client } = await playing();
  await using _ = stage;
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  client.send(channelData(0x4001, 'meanwhile'));
  stage.peer.send(Buffer.from('to the relayed address'), stage.relayed.local);
  await until(() => stage.unclaimed.length + stage.peer.heard.length + client.heard.length >= 2);
  stage.peer.heard.length = 0;
  client.heard.length = 0;
  await until(() => relay.threads.running === 2);
  assert.equal(relay.threads.ends, 2);
  await flowsAgain({ stage, client });
  // Who binds while a thread is away has a socket all the same, and the thread has it afterwards.
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  const bound = await stage.bindRelayed();
  stage.peer.send(Buffer.from('read here'), bound.local);
  assert.equal((await stage.next()).text, 'read here');
  await until(() => relay.threads.running === 2);
  assert.equal(relay.threads.ends, 4);
});

test('a relayed address is read here until its first flow, and from then on by its thread', async () => {
  const relay = threaded(limits);
  await until(() => relay.threads.running === 2);
  await using stage = await Stage.set(async () => ({ relay, now: () => clock.now() }));
  const client = await stage.client();
  const [used, unused] = [await stage.bindRelayed(), await stage.bindRelayed()];
  const before = openDescriptors();
  stage.peer.send(Buffer.from('read here'), used.local);
  assert.equal((await stage.next()).text, 'read here');
  assert.equal(openDescriptors(), before);
  stage.open({
    from: { ...stage.peerEnd(), socket: used },
    to: stage.clientEnd(client),
    beside: used,
  });
  await until(() => openDescriptors() === before + 1, 'its thread has a descriptor of its own');
  stage.peer.send(Buffer.from('by a flow'), used.local);
  assert.deepEqual((await client.hear()).bytes, channelData(0x4001, 'by a flow'));
  for (const socket of [used, unused]) socket.close();
  await until(() => openDescriptors() === before - 2);
});

test('what waits for receivers that are busy is bounded; what is too much is dropped and counted', async () => {
  const relay = threaded(limits, 2, 10_000);
  await until(() => relay.threads.running === 2);
  await using stage = await Stage.set(async () => ({ relay, now: () => clock.now() }));
  const client = await stage.client();
  for (let n = 0; n < 200; n += 1) client.send(Buffer.alloc(1_000));
  await turn();
  // Busy, while the thread goes on.
  while (relay.clients.counters.received < 100) Atomics.wait(pause, 0, 0, 10);
  await until(() => stage.unclaimed.length + relay.clients.counters.unread >= 200);
  assert.ok(relay.clients.counters.unread > 0);
  stage.unclaimed.length = 0;
  client.send(Buffer.from('there is room again'));
  assert.equal((await stage.next()).text, 'there is room again');
});

test('threads that cannot be started are done without, and tried again', async () => {
  const relay = threaded(limits, 2, 1 << 20, join(tmpdir(), 'sallyport-no-such-folder'));
  await using stage = await Stage.set(async () => ({ relay, now: () => clock.now() }));
  stage.peer.send(Buffer.from('read here'), stage.relayed.local);
  assert.equal((await stage.next()).text, 'read here');
  const { count, running, ends } = relay.threads;
  assert.deepEqual([count, running], [2, 0]);
  assert.ok(ends >= 2);
});

test('nothing is left of it: descriptors, threads, folders', async () => {
  const before = openDescriptors();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-threads-'));
  const relay = threaded(limits, 2, 1 << 20, folder);
  await until(() => relay.threads.running === 2);
  const stage = await Stage.set(async () => ({ relay, now: () => clock.now() }));
  await stage.client();
  await workers.splice(0)[1]?.terminate();
  await until(() => relay.threads.running === 2);
  await stage[Symbol.asyncDispose]();
  await until(() => openDescriptors() <= before);
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
});

const pause = new Int32Array(new SharedArrayBuffer(4));
function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
