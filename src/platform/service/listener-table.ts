import { err, type Failure, ok, type Result } from '#kernel';
import type { ListenerPlan } from '#platform/topology';
import { type BoundSocket, bindAgain, bindListener, bindShared } from './bound-socket.ts';

interface Entry {
  readonly plan: ListenerPlan;
  /** One for each process that serves it; of UDP, one for each thread of the process that does. */
  readonly sockets: BoundSocket[];
}

/** Every listening socket of the program, held by the supervisor from before the first service starts. */
export class ListenerTable {
  readonly #entries = new Map<string, Entry>();
  readonly #processes: (plan: ListenerPlan) => number;

  /** @param processes how many processes, or threads, serve a listener, each with a socket of its own; one by default */
  constructor(processes: (plan: ListenerPlan) => number = () => 1) {
    this.#processes = processes;
  }

  /** Binds what is new in the plan. With any failure nothing is bound, and every failure is reported. */
  extend(plan: readonly ListenerPlan[]): Result<void, Failure[]> {
    const added: Entry[] = [];
    const failures: Failure[] = [];
    for (const listener of plan) {
      if (this.#entries.has(listener.id)) continue;
      const bound = this.#bind(listener);
      if (bound.ok) added.push({ plan: listener, sockets: bound.value });
      else failures.push(bound.error);
    }
    if (failures.length > 0) {
      for (const entry of added) close(entry);
      return err(failures);
    }
    for (const entry of added) this.#entries.set(entry.plan.id, entry);
    return ok(undefined);
  }

  /** Closes what the plan does not list. */
  reduceTo(plan: readonly ListenerPlan[]): void {
    const kept = new Set(plan.map((listener) => listener.id));
    for (const [id, entry] of this.#entries) {
      if (kept.has(id)) continue;
      close(entry);
      this.#entries.delete(id);
    }
  }

  /**
   * The socket for an id. In one process a service adopts the socket itself and closes it when it stops; then it is
   * bound afresh here.
   * @param process which of those that serve the listener, or of the threads that do
   */
  socket(id: string, process = 0): Result<BoundSocket> {
    const entry = this.#entries.get(id);
    const socket = entry?.sockets[process];
    if (entry === undefined || socket === undefined) throw new Error(`no listener ${id} in the table`);
    if (socket.fd >= 0) return ok(socket);
    const bound = entry.sockets.length > 1 ? bindAgain(entry.plan) : bindListener(entry.plan);
    if (bound.ok) entry.sockets[process] = bound.value;
    return bound;
  }
  /** Those that a process gets: its own, or, of UDP, those of all its threads. */
  socketsOf(id: string, process: number): Result<BoundSocket[]> {
    const entry = this.#entries.get(id);
    const shares = entry?.plan.transport === 'udp' ? [...entry.sockets.keys()] : [process];
    const sockets: BoundSocket[] = [];
    for (const share of shares) {
      const socket = this.socket(id, share);
      if (!socket.ok) return socket;
      sockets.push(socket.value);
    }
    return ok(sockets);
  }

  plans(): ListenerPlan[] {
    return Array.from(this.#entries.values(), (entry) => entry.plan);
  }

  #bind(plan: ListenerPlan): Result<BoundSocket[]> {
    const count = this.#processes(plan);
    if (count > 1) return bindShared(plan, count);
    const bound = bindListener(plan);
    return bound.ok ? ok([bound.value]) : bound;
  }
}

function close({ sockets }: Entry): void {
  for (const socket of sockets) socket.close();
}
