import type { Monotonic } from '#kernel';
import type { DatagramSocket } from '../datagrams.ts';
import {
  ENDS,
  FLOW_WORDS,
  type FlowMemory,
  fillBudget,
  OCTETS,
  OVER_BUDGET,
  PACKETS,
  rateBudget,
  refillBudget,
  takeBits,
} from './flow-memory.ts';
import type { SlottedEnd, SlottedFlow } from './flow-relay.ts';
import type { Flow, FlowBudget, FlowCounts, FlowEnd, FlowPlan, FlowTable } from './flows.ts';
import { Slots } from './slots.ts';

/** Where flows run, for the table. */
export interface FlowRunner {
  /** The thread whose socket it is, with its number there; undefined: flows cannot have it. */
  placeOf(socket: DatagramSocket, beside: DatagramSocket): { thread: number; id: number } | undefined;
  open(thread: number, flow: SlottedFlow, plan: FlowPlan): void;
  /** @returns the number of this command */
  close(thread: number, slot: number): number;
  /** Whether a command, and all before it, were followed. */
  hasFollowed(thread: number, command: number): boolean;
}

/** What is over once a thread has followed a command, or, without one, once everything before it is. */
interface Leaving {
  readonly command?: { readonly thread: number; readonly number: number };
  readonly done: () => void;
}

/** The flow table of one relay: flows and budgets in shared memory, run by whichever threads have their sockets. */
export class SlotTable implements FlowTable {
  readonly #memory: FlowMemory;
  readonly #runner: FlowRunner;
  readonly #flows: Slots;
  readonly #budgets: Slots;
  readonly #open = new Map<number, SlottedFlowOf>();
  /** In the order in which they were let go: a budget comes behind the flows that take from it. */
  readonly #leaving: Leaving[] = [];
  readonly #now: () => Monotonic;

  constructor(memory: FlowMemory, runner: FlowRunner, now: () => Monotonic) {
    this.#memory = memory;
    this.#runner = runner;
    this.#now = now;
    this.#flows = new Slots(memory.room.flows);
    this.#budgets = new Slots(memory.room.budgets);
  }

  get size(): number {
    return this.#open.size;
  }

  open(plan: FlowPlan, closed: (counts: FlowCounts) => void = () => {}): Flow | undefined {
    const { beside, budgets, ends } = plan;
    const from = this.#end(plan.from, beside);
    const to = this.#end(plan.to, beside);
    if (from === undefined || to === undefined || from.thread !== to.thread) return undefined;
    const slots = slotsOf(budgets);
    if (slots === undefined) return undefined;
    const slot = this.#flows.take();
    if (slot === undefined) return undefined;
    this.#memory.clearFlow(slot);
    const flow = new SlotFlow(this.#memory, slot, () => this.#close(flow, closed));
    flow.renew(ends);
    const slotted = { thread: from.thread, slot, from: from.end, to: to.end, budgets: slots };
    this.#open.set(slot, slotted);
    this.#runner.open(from.thread, slotted, plan);
    return flow;
  }

  budget(rate: number, burst: number): FlowBudget | undefined {
    const slot = this.#budgets.take();
    if (slot === undefined) return undefined;
    fillBudget(this.#memory.budgets, slot, this.#now(), rate, burst);
    return new SlotBudget(this.#memory.budgets, slot, () =>
      this.#leave({ done: () => this.#budgets.free(slot) }),
    );
  }

  /** Those that run in a thread, for one that takes its place. */
  of(thread: number): SlottedFlow[] {
    return [...this.#open.values()].filter((flow) => flow.thread === thread);
  }

  /** Frees what has ended everywhere. Called with every end, and about once a second. */
  sweep(): void {
    const stays = this.#leaving.findIndex(
      ({ command }) => command !== undefined && !this.#runner.hasFollowed(command.thread, command.number),
    );
    const over = this.#leaving.splice(0, stays < 0 ? this.#leaving.length : stays);
    for (const one of over) one.done();
  }
  #leave(one: Leaving): void {
    this.#leaving.push(one);
    this.sweep();
  }

  #close(flow: SlotFlow, closed: (counts: FlowCounts) => void): void {
    const { slot } = flow;
    const open = this.#open.get(slot);
    if (open === undefined) return;
    this.#open.delete(slot);
    const done = () => {
      closed({ packets: flow.packets, octets: flow.octets, overBudget: flow.overBudget });
      this.#flows.free(slot);
    };
    const { thread } = open;
    this.#leave({ command: { thread, number: this.#runner.close(thread, slot) }, done });
  }
  #end({ socket, address, port, channel }: FlowEnd, beside: DatagramSocket) {
    const place = this.#runner.placeOf(socket, beside);
    if (place === undefined) return undefined;
    const end: SlottedEnd = { place: place.id, address, port, channel };
    return { thread: place.thread, end };
  }
}

/** Undefined when one is not of a table. */
function slotsOf(budgets: FlowPlan['budgets']): number[] | undefined {
  const slots = budgets.flatMap((budget) => (budget instanceof SlotBudget ? [budget.slot] : []));
  return slots.length === budgets.length ? slots : undefined;
}

interface SlottedFlowOf extends SlottedFlow {
  readonly thread: number;
}

class SlotFlow implements Flow {
  readonly slot: number;
  readonly #words: Float64Array;
  readonly #at: number;
  readonly #closed: () => void;

  constructor({ flows }: FlowMemory, slot: number, closed: () => void) {
    this.slot = slot;
    this.#words = flows;
    this.#at = slot * FLOW_WORDS;
    this.#closed = closed;
  }
  get packets(): number {
    return this.#words[this.#at + PACKETS] ?? 0;
  }
  get octets(): number {
    return this.#words[this.#at + OCTETS] ?? 0;
  }
  get overBudget(): number {
    return this.#words[this.#at + OVER_BUDGET] ?? 0;
  }
  renew(ends: Monotonic): void {
    this.#words[this.#at + ENDS] = ends;
  }
  close(): void {
    this.renew(0);
    this.#closed();
  }
}

class SlotBudget implements FlowBudget {
  readonly slot: number;
  readonly #words: Int32Array;
  readonly #released: () => void;

  constructor(words: Int32Array, slot: number, released: () => void) {
    this.slot = slot;
    this.#words = words;
    this.#released = released;
  }
  refill(now: Monotonic, rate: number, burst: number): number {
    rateBudget(this.#words, this.slot, rate, burst);
    return refillBudget(this.#words, this.slot, now) / 8;
  }
  take(octets: number): void {
    takeBits(this.#words, this.slot, octets * 8);
  }
  release(): void {
    this.#released();
  }
}
