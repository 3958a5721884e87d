import type { Monotonic } from '#kernel';
import type { DatagramSocket, Flow, FlowCounts, FlowEnd, RelayDatagrams } from '#platform/datagrams';
import {
  type Allocation,
  type Budget,
  type BudgetRate,
  type Flowed,
  newByteBudget,
  type TurnRelay,
} from '#protocols/turn';
import { UdpPath } from './client-path.ts';
import { socketOf } from './relay-binder.ts';

/** One direction of a channel, as it runs. */
interface OpenFlow {
  readonly flow: Flow;
  readonly sender: Allocation | undefined;
  readonly receiver: Allocation | undefined;
  /** Where it leads to, to see whether another flow is needed. */
  readonly to: FlowEnd;
  /** What the relay was told of already. */
  told: FlowCounts;
}
interface Wanted extends Pick<OpenFlow, 'sender' | 'receiver' | 'to'> {
  readonly from: FlowEnd;
  readonly beside: DatagramSocket;
  readonly ends: Monotonic;
}

const nothing: FlowCounts = { packets: 0, octets: 0, overBudget: 0 };

/**
 * Keeps the flow table as the relay has it: whatever a channel may do without being looked at runs in the threads that
 * have its sockets, and what passed there is told to the relay.
 */
export class FlowBook {
  readonly #datagrams: RelayDatagrams;
  readonly #relay: () => TurnRelay;
  /** Of an allocation whose client sends or hears by them, by direction and channel. */
  readonly #flows = new Map<Allocation, Map<string, OpenFlow>>();
  /** Those whose data reach a client, of others. */
  readonly #reaching = new Map<Allocation, Set<Allocation>>();

  constructor(datagrams: RelayDatagrams, relay: () => TurnRelay) {
    this.#datagrams = datagrams;
    this.#relay = relay;
  }

  /** One that flows can take from, as long as there is room. */
  newBudget({ rate, burst }: BudgetRate): Budget {
    return this.#datagrams.flows.budget(rate, burst) ?? newByteBudget();
  }
  /** Rights of this allocation have changed, and so what others may send to it. */
  handleRights(allocation: Allocation): void {
    const others = new Set(this.#reaching.get(allocation));
    for (const { own, address, port } of allocation.channels) {
      const other = own ? this.#relay().relayAt(address, port)?.allocation : undefined;
      if (other !== undefined) others.add(other);
    }
    this.#match(allocation);
    for (const other of others) if (other !== allocation) this.#match(other);
  }
  /** Tells the relay what has passed since the last time. */
  settle(): void {
    for (const flows of this.#flows.values()) for (const open of flows.values()) this.#settle(open);
  }

  #match(allocation: Allocation): void {
    const wanted = this.#wanted(allocation);
    const open = this.#flows.get(allocation) ?? new Map<string, OpenFlow>();
    for (const [key, one] of open) {
      const still = wanted.get(key);
      if (still !== undefined && isSame(one, still)) {
        one.flow.renew(still.ends);
        wanted.delete(key);
        continue;
      }
      open.delete(key);
      one.flow.close();
      this.#settle(one);
    }
    for (const [key, one] of wanted) {
      const flow = this.#open(one);
      if (flow !== undefined) open.set(key, flow);
    }
    if (open.size > 0) this.#flows.set(allocation, open);
    else this.#flows.delete(allocation);
    this.#note(allocation, open);
  }

  #wanted(allocation: Allocation): Map<string, Wanted> {
    const wanted = new Map<string, Wanted>();
    for (const { channel, outwardEnds, inwardEnds, reaches } of this.#relay().flowsOf(allocation)) {
      const { number, relay, address, port } = channel;
      const beside = socketOf(relay);
      const client = endOfClient(allocation, number);
      if (beside === undefined || client === undefined) continue;
      const peer = { socket: beside, address, port, channel: undefined };
      const to = reaches === undefined ? peer : endOfClient(reaches.allocation, reaches.channel);
      if (outwardEnds > 0 && to !== undefined) {
        const who = { sender: allocation, receiver: reaches?.allocation };
        wanted.set(`to ${number}`, { from: client, to, beside, ends: outwardEnds, ...who });
      }
      if (inwardEnds > 0) {
        const who = { sender: undefined, receiver: allocation };
        wanted.set(`from ${number}`, { from: peer, to: client, beside, ends: inwardEnds, ...who });
      }
    }
    return wanted;
  }

  #open({ from, to, beside, sender, receiver, ends }: Wanted): OpenFlow | undefined {
    const budgets = [];
    if (sender !== undefined) budgets.push(sender.sentToll.port, sender.sentToll.user);
    if (receiver !== undefined) budgets.push(receiver.receivedToll.port, receiver.receivedToll.user);
    let open: OpenFlow | undefined;
    const flow = this.#datagrams.flows.open({ from, to, beside, budgets, ends }, (last) => {
      if (open !== undefined) this.#tell(open, last);
    });
    if (flow === undefined) return undefined;
    open = { flow, sender, receiver, to, told: nothing };
    return open;
  }
  #note(allocation: Allocation, open: ReadonlyMap<string, OpenFlow>): void {
    for (const { sender, receiver } of open.values()) {
      if (sender === undefined || receiver === undefined) continue;
      const reaching = this.#reaching.get(receiver) ?? new Set<Allocation>();
      this.#reaching.set(receiver, reaching.add(allocation));
    }
    if (!this.#relay().allocations.has(allocation)) this.#reaching.delete(allocation);
  }

  #settle(open: OpenFlow): void {
    const { packets, octets, overBudget } = open.flow;
    this.#tell(open, { packets, octets, overBudget });
  }
  #tell(open: OpenFlow, total: FlowCounts): void {
    const { told, sender, receiver } = open;
    const flowed: Flowed = {
      sender,
      receiver,
      packets: total.packets - told.packets,
      octets: total.octets - told.octets,
      overBudget: total.overBudget - told.overBudget,
    };
    if (flowed.packets === 0 && flowed.overBudget === 0) return;
    open.told = total;
    this.#relay().handleFlowed(flowed);
  }
}

function isSame({ to, sender, receiver }: OpenFlow, wanted: Wanted): boolean {
  return (
    to.socket === wanted.to.socket &&
    to.address === wanted.to.address &&
    to.port === wanted.to.port &&
    to.channel === wanted.to.channel &&
    sender === wanted.sender &&
    receiver === wanted.receiver
  );
}

function endOfClient(
  { listener, clientAddress, clientPort }: Allocation,
  channel: number,
): FlowEnd | undefined {
  const socket = listener instanceof UdpPath ? listener.socket : undefined;
  return socket && { socket, address: clientAddress, port: clientPort, channel };
}
