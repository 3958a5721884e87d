import type { Monotonic } from '#kernel';
import {
  CHANNEL_HEADER_BYTES,
  channelDataLength,
  channelNumberOf,
  encodeChannelHeader,
  looksLikeChannelData,
} from '#protocols/stun';
import type { DatagramSocket } from '../datagrams.ts';
import {
  ENDS,
  FLOW_WORDS,
  type FlowMemory,
  OCTETS,
  OVER_BUDGET,
  PACKETS,
  refillBudget,
  takeBits,
} from './flow-memory.ts';

/** How a flow is described to the thread that runs it; sockets and budgets by their numbers. */
export interface SlottedFlow {
  readonly slot: number;
  readonly from: SlottedEnd;
  readonly to: SlottedEnd;
  readonly budgets: readonly number[];
}
export interface SlottedEnd {
  readonly place: number;
  readonly address: string;
  readonly port: number;
  readonly channel: number | undefined;
}

/** A flow where it runs. Those that differ in the source's address alone form a chain. */
interface RunningFlow extends Omit<SlottedFlow, 'from' | 'to'> {
  readonly home: FlowPlace;
  readonly key: number;
  /** Data come as ChannelData. */
  readonly isChannel: boolean;
  readonly address: string;
  next: RunningFlow | undefined;
  readonly target: FlowPlace;
  readonly to: SlottedEnd;
}

/** A socket with the flows that come by it. */
export class FlowPlace {
  /** Undefined while it is on its way to this thread. */
  socket: DatagramSocket | undefined;
  /** By {@link channelKey}, or the port alone where there is no channel. */
  readonly #flows = new Map<number, RunningFlow>();
  /** Those of channels; a socket has flows of one kind only, as clients' data have channels and peers' have none. */
  #channels = 0;
  /** The one of the last datagram: with peers, nearly always of the next one too. */
  #latest: RunningFlow | undefined;

  find(bytes: Uint8Array, address: string, port: number): RunningFlow | undefined {
    if (this.#flows.size === 0) return undefined;
    let key = port;
    if (this.#channels > 0) {
      if (bytes.length < CHANNEL_HEADER_BYTES || !looksLikeChannelData(bytes[0] ?? 0)) return undefined;
      key = channelKey(port, channelNumberOf(bytes));
    }
    const latest = this.#latest;
    if (latest !== undefined && latest.key === key && latest.address === address) return latest;
    let flow = this.#flows.get(key);
    while (flow !== undefined && flow.address !== address) flow = flow.next;
    if (flow !== undefined) this.#latest = flow;
    return flow;
  }
  add(flow: RunningFlow): void {
    flow.next = this.#flows.get(flow.key);
    this.#flows.set(flow.key, flow);
    if (flow.isChannel) this.#channels += 1;
  }
  remove(flow: RunningFlow): void {
    if (flow.isChannel) this.#channels -= 1;
    if (this.#latest === flow) this.#latest = undefined;
    const first = this.#flows.get(flow.key);
    if (first === flow) {
      if (flow.next === undefined) this.#flows.delete(flow.key);
      else this.#flows.set(flow.key, flow.next);
      return;
    }
    for (let before = first; before !== undefined; before = before.next) {
      if (before.next === flow) before.next = flow.next;
    }
  }
}

/** In 32 bits, which a table takes without a box. */
function channelKey(port: number, channel: number): number {
  return (port << 16) | channel;
}

/** Moves the datagrams of flows, in the thread whose sockets they come by. Nothing is allocated for one but its views. */
export class FlowRelay {
  readonly #memory: FlowMemory;
  readonly #now: () => Monotonic;
  readonly #frame: (size: number) => Buffer;
  readonly #running = new Map<number, RunningFlow>();

  /** @param frame as of `DatagramNetwork` */
  constructor(memory: FlowMemory, now: () => Monotonic, frame: (size: number) => Buffer) {
    this.#memory = memory;
    this.#now = now;
    this.#frame = frame;
  }

  open(plan: SlottedFlow, home: FlowPlace, target: FlowPlace): void {
    const { slot, from, to, budgets } = plan;
    const isChannel = from.channel !== undefined;
    const key = from.channel === undefined ? from.port : channelKey(from.port, from.channel);
    const { address } = from;
    const flow = { slot, budgets, home, key, isChannel, address, next: undefined, target, to };
    home.add(flow);
    this.#running.set(slot, flow);
  }
  close(slot: number): void {
    const flow = this.#running.get(slot);
    this.#running.delete(slot);
    flow?.home.remove(flow);
  }

  /** Whether that was all there is to do with a datagram: it was relayed, or dropped for want of budget. */
  take(place: FlowPlace, bytes: Buffer, address: string, port: number): boolean {
    const flow = place.find(bytes, address, port);
    if (flow === undefined) return false;
    const { flows, budgets } = this.#memory;
    const { slot, target } = flow;
    const at = slot * FLOW_WORDS;
    const now = this.#now();
    const { socket } = target;
    if (!((flows[at + ENDS] ?? 0) > now) || socket === undefined) return false;
    let start = 0;
    let end = bytes.length;
    if (flow.isChannel) {
      const length = channelDataLength(bytes);
      if (length < 0) return false;
      start = CHANNEL_HEADER_BYTES;
      end = start + length;
    }
    const bits = (end - start) * 8;
    for (const budget of flow.budgets) {
      if (bits <= refillBudget(budgets, budget, now)) continue;
      flows[at + OVER_BUDGET] = (flows[at + OVER_BUDGET] ?? 0) + 1;
      return true;
    }
    for (const budget of flow.budgets) takeBits(budgets, budget, bits);
    flows[at + PACKETS] = (flows[at + PACKETS] ?? 0) + 1;
    flows[at + OCTETS] = (flows[at + OCTETS] ?? 0) + end - start;
    const { to } = flow;
    if (to.channel === undefined) socket.send(bytes, start, end, to.address, to.port);
    else this.#sendChannelData(socket, to, to.channel, bytes, start, end);
    return true;
  }

  #sendChannelData(
    socket: DatagramSocket,
    { address, port }: SlottedEnd,
    channel: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const length = end - start;
    const frame = this.#frame(CHANNEL_HEADER_BYTES + length);
    encodeChannelHeader(frame, 0, channel, length);
    // Media datagrams are small: a loop is as fast as `set`, and makes no view.
    for (let at = start; at < end; at++) frame[CHANNEL_HEADER_BYTES + at - start] = bytes[at] ?? 0;
    socket.send(frame, 0, CHANNEL_HEADER_BYTES + length, address, port);
  }
}
