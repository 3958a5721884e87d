import type { FlowId } from '#protocols/sip';
import type { Flow } from './flow.ts';
import { Parties } from './parties.ts';

/**
 * The open flows of an endpoint. The one that was asked for last is at hand: a message asks for its flow several times in a row,
 * as it is matched, answered and sent.
 */
export class FlowTable {
  readonly #flows = new Map<FlowId, Flow>();
  #last: Flow | undefined;
  readonly parties = new Parties();

  get size(): number {
    return this.#flows.size;
  }
  get(id: FlowId): Flow | undefined {
    if (this.#last?.id === id) return this.#last;
    const flow = this.#flows.get(id);
    if (flow !== undefined) this.#last = flow;
    return flow;
  }
  has(id: FlowId): boolean {
    return this.get(id) !== undefined;
  }
  add(flow: Flow): void {
    this.#flows.set(flow.id, flow);
  }
  remove({ id, requests }: Flow): void {
    this.#flows.delete(id);
    requests.attribute(undefined);
    if (this.#last?.id === id) this.#last = undefined;
  }
  /** Those that leave meanwhile are not told, those that come are. */
  values(): IterableIterator<Flow> {
    return this.#flows.values();
  }
}
