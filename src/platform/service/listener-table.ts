import { err, type Failure, ok, type Result } from '#kernel';
import type { ListenerPlan } from '#platform/topology';
import { type BoundSocket, bindListener } from './bound-socket.ts';

interface Entry {
  readonly plan: ListenerPlan;
  socket: BoundSocket;
}

/** Every listening socket of the program, held by the supervisor from before the first service starts. */
export class ListenerTable {
  readonly #entries = new Map<string, Entry>();

  /** Binds what is new in the plan. With any failure nothing is bound, and every failure is reported. */
  extend(plan: readonly ListenerPlan[]): Result<void, Failure[]> {
    const added: Entry[] = [];
    const failures: Failure[] = [];
    for (const listener of plan) {
      if (this.#entries.has(listener.id)) continue;
      const bound = bindListener(listener);
      if (bound.ok) added.push({ plan: listener, socket: bound.value });
      else failures.push(bound.error);
    }
    if (failures.length > 0) {
      for (const entry of added) entry.socket.close();
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
      entry.socket.close();
      this.#entries.delete(id);
    }
  }

  /**
   * The socket for an id. In one process a service adopts the socket itself and closes it when it stops; then it is
   * bound afresh here.
   */
  socket(id: string): Result<BoundSocket> {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error(`no listener ${id} in the table`);
    if (entry.socket.fd >= 0) return ok(entry.socket);
    const bound = bindListener(entry.plan);
    if (bound.ok) entry.socket = bound.value;
    return bound;
  }

  plans(): ListenerPlan[] {
    return Array.from(this.#entries.values(), (entry) => entry.plan);
  }
}
