/** The main module of a thread that moves datagrams: flows in it, everything else up to whoever started it. */
import { parentPort, workerData } from 'node:worker_threads';
import { ALIVE, FlowMemory, FOLLOWED, WAITING } from '../flows/flow-memory.ts';
import { FlowPlace, FlowRelay } from '../flows/flow-relay.ts';
import { FlowingNetwork } from '../flows/flowing-network.ts';
import type { UnboundHandle } from '../runtime-handle.ts';
import { BatchWriter } from './batch.ts';
import { receiveDescriptors } from './descriptor-pipe.ts';
import {
  readWord,
  type Side,
  systemMilliseconds,
  type ThreadCommand,
  type ThreadCommands,
  type ThreadStart,
} from './messages.ts';
import { sharedCounters } from './shared-counters.ts';

const start = workerData as ThreadStart;
const port = parentPort;
if (port === null) throw new Error('this is a part of sallyport and runs in a thread of it');

const memory = new FlowMemory(start.room, start.memory);
const state = memory.thread(start.index);
// All clocks count milliseconds that nobody sets; only their beginnings differ. Whoever has to wait between two
// readings, here or there, makes this one run ahead: rather end a flow too early than too late.
const own = performance.now();
const ahead = start.clock.now + (systemMilliseconds() - start.clock.system) - own;
const relay = new FlowRelay(
  memory,
  () => performance.now() + ahead,
  (size) => networks.clients.frame(size),
);
const counters = {
  clients: sharedCounters(memory.counters(start.index, 'clients')),
  peers: sharedCounters(memory.counters(start.index, 'peers')),
};
const networks: Record<Side, FlowingNetwork> = {
  clients: new FlowingNetwork(start.limits.clients, relay, () => {}, counters.clients),
  peers: new FlowingNetwork(start.limits.peers, relay, () => {}, counters.peers),
};
/** By number, from when one is first heard of: flows and descriptors come by different ways. */
const places = new Map<number, FlowPlace>();
/** Closed before their descriptor came. */
const closedEarly = new Set<number>();
const upward = new BatchWriter();

function placeOf(id: number): FlowPlace {
  const known = places.get(id);
  if (known !== undefined) return known;
  const place = new FlowPlace();
  places.set(id, place);
  return place;
}

function adopt(word: string, handle: UnboundHandle): void {
  const { id, side } = readWord(word);
  if (closedEarly.delete(id)) {
    handle.close();
    return;
  }
  networks[side].adoptHandle(handle, placeOf(id), (bytes, address, from) => {
    if (Atomics.load(state, WAITING) >= start.waitingBytes) {
      counters[side].unread += 1;
      return;
    }
    if (upward.isEmpty) setImmediate(sendUp);
    Atomics.add(state, WAITING, upward.add(id, bytes, address, from));
  });
}

function sendUp(): void {
  const batch = upward.take();
  port?.postMessage({ batch }, [batch]);
}

function follow(command: ThreadCommand): void {
  switch (command.kind) {
    case 'open-flow': {
      const { flow } = command;
      relay.open(flow, placeOf(flow.from.place), placeOf(flow.to.place));
      return;
    }
    case 'close-flow':
      relay.close(command.slot);
      return;
    case 'close-socket': {
      const socket = places.get(command.id)?.socket;
      places.delete(command.id);
      if (socket === undefined) closedEarly.add(command.id);
      else socket.close();
    }
  }
}

port.on('message', ({ commands, last }: ThreadCommands) => {
  for (const command of commands) follow(command);
  Atomics.store(state, FOLLOWED, last);
});
receiveDescriptors(start.pipe, adopt, () => process.exit(0));
setInterval(() => Atomics.add(state, ALIVE, 1), start.lifeSignMs).unref();
