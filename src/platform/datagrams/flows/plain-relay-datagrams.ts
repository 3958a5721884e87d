import type { Socket } from 'node:dgram';
import type { Monotonic } from '#kernel';
import type { DatagramLimits, DatagramNetwork, DatagramReceiver, DatagramSocket } from '../datagrams.ts';
import { NodeDatagrams } from '../node-datagrams.ts';
import { FlowMemory, type FlowRoom } from './flow-memory.ts';
import { type FlowPlace, FlowRelay } from './flow-relay.ts';
import { FlowingNetwork } from './flowing-network.ts';
import type { FlowTable, RelayDatagrams, RelayThreads } from './flows.ts';
import { SlotTable } from './slot-table.ts';

export interface RelayDatagramsOptions {
  readonly clients: DatagramLimits;
  readonly peers: DatagramLimits;
  /** Flows and budgets at once; without flows no datagram is looked at for one. */
  readonly room: Omit<FlowRoom, 'threads'>;
  readonly now: () => Monotonic;
}

/** The relay's datagrams in the thread that uses them. */
export class PlainRelayDatagrams implements RelayDatagrams {
  readonly clients: DatagramNetwork;
  readonly peers: DatagramNetwork;
  readonly flows: FlowTable;
  readonly threads: RelayThreads = { count: 0, running: 0, ends: 0 };

  constructor({ clients, peers, room, now }: RelayDatagramsOptions) {
    const memory = new FlowMemory({ ...room, threads: 0 });
    const places = new WeakMap<DatagramSocket, FlowPlace>();
    const relay = new FlowRelay(memory, now, (size) => this.clients.frame(size));
    const network = (limits: DatagramLimits) =>
      room.flows === 0
        ? new NodeDatagrams(limits)
        : new FlowingNetwork(limits, relay, (socket, place) => void places.set(socket, place));
    this.clients = network(clients);
    this.peers = network(peers);
    const runner = {
      placeOf: (socket: DatagramSocket) => (places.has(socket) ? { thread: 0, id: 0 } : undefined),
      close: (_thread: number, slot: number) => {
        relay.close(slot);
        return 0;
      },
      hasFollowed: () => true,
    };
    this.flows = new SlotTable(
      memory,
      {
        ...runner,
        open: (_thread, flow, { from, to }) => {
          const [home, target] = [places.get(from.socket), places.get(to.socket)];
          if (home !== undefined && target !== undefined) relay.open(flow, home, target);
        },
      },
      now,
    );
  }

  listen(sockets: readonly Socket[], receiver: DatagramReceiver): DatagramSocket {
    const [socket] = sockets;
    if (socket === undefined || sockets.length > 1) throw new RangeError('one socket for one thread');
    return this.clients.adopt(socket, receiver);
  }

  expect(): void {}
  async close(): Promise<void> {
    await Promise.all([this.clients.close(), this.peers.close()]);
  }
}
