import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock, SystemClock, until } from '#kernel';
import type { DatagramLimits } from '../datagrams.ts';
import { channelData, Stage } from '../flows/flows.conformance.ts';
import { PlacedSocket } from './placed-socket.ts';
import { Hangs, type WayToHang } from './testing/hangs.ts';
import { ThreadedRelayDatagrams } from './threaded-relay-datagrams.ts';

const limits: DatagramLimits = { queuedBytes: 1 << 20, receiveBuffer: 1 << 20 };
const LIFE_SIGN_MS = 20;
const CHANNEL = 0x4001;
/** Without so many signs of life a thread is ended. */
const SIGNS = 10;

for (const way of ['waiting', 'spinning'] as const)
  void test(`a thread that hangs, ${way}, is ended and another takes its place, with its flows; the other one stays`, () =>
    play(way));

async function play(way: WayToHang): Promise<void> {
  const descriptors = openDescriptors();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-hanging-'));
  const clock = new SystemClock();
  const looks = new ManualClock();
  const hangs = new Hangs();
  const told: (string | number)[][] = [];
  const relay = new ThreadedRelayDatagrams({
    ...{ clients: limits, peers: limits, room: { flows: 8, budgets: 8 }, relayed: 16, waitingBytes: 1 << 20 },
    now: () => clock.now(),
    ...{ clock: looks, threads: 2, folder, lifeSignMs: LIFE_SIGN_MS, main: Hangs.main },
    running: (thread) => told.push(['running', thread]),
    ended: (thread, cause) => told.push(['ended', thread, cause]),
  });
  await until(() => relay.threads.running === 2);
  const stage = await Stage.set(async () => ({ relay, now: () => clock.now() }));
  const client = await stage.client();
  const { out, back } = stage.channel(client);
  const index =
    stage.relayed instanceof PlacedSocket ? stage.relayed.thread.index : assert.fail('in no thread');
  client.send(channelData(CHANNEL, 'well'));
  assert.equal((await stage.peer.hear()).text, 'well');

  await hangs.hang(index, way);
  client.send(channelData(CHANNEL, 'who hears?'));
  stage.peer.send(Buffer.from('who answers?'), stage.relayed.local);
  for (let look = 1; look < SIGNS; look += 1) {
    await hangs.lives(1 - index);
    looks.advance(LIFE_SIGN_MS);
  }
  await hangs.lives(1 - index);
  assert.deepEqual(relay.threads, { count: 2, running: 2, ends: 0 }, 'a pause is no end');
  assert.deepEqual([stage.unclaimed.length, out.packets, back.packets], [0, 1, 0]);
  // The first look may have found a sign from before.
  for (let look = 0; look < 2; look += 1) {
    looks.advance(LIFE_SIGN_MS);
    await hangs.lives(1 - index);
  }
  // What has waited may be lost: the runtime reads once more while it ends a thread, and gives it to nobody.
  const unclaimed = (bytes: Buffer) => stage.unclaimed.some((one) => one.bytes.equals(bytes));
  await until(() => {
    client.send(channelData(CHANNEL, 'read here'));
    stage.peer.send(Buffer.from('this, too'), stage.relayed.local);
    return unclaimed(channelData(CHANNEL, 'read here')) && unclaimed(Buffer.from('this, too'));
  });
  assert.deepEqual(relay.threads, { count: 2, running: 1, ends: 1 });

  looks.advance(0);
  await until(() => relay.threads.running === 2);
  await until(() => {
    client.send(channelData(CHANNEL, 'by a flow'));
    stage.peer.send(Buffer.from('and back'), stage.relayed.local);
    return out.packets > 1 && back.packets > 0;
  });
  await until(() => stage.peer.heard.some(({ text }) => text === 'by a flow'));
  await until(() => client.heard.some(({ bytes }) => bytes.equals(channelData(CHANNEL, 'and back'))));
  assert.deepEqual([relay.flows.size, relay.threads.ends], [2, 1]);
  const number = index + 1;
  assert.deepEqual(told.slice(2), [
    ['ended', number, 'it gave no sign of life for 0.2 s'],
    ['running', number],
  ]);

  await stage[Symbol.asyncDispose]();
  await until(() => openDescriptors() <= descriptors);
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
