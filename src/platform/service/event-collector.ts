import { type FramedItem, FrameReader, readFrame } from '#platform/telemetry';
import type { Demand } from '#protocols/log-query';
import type { EventPipe } from './event-pipe.ts';

/** For the one service that collects the events of all; to others nothing comes. */
export interface EventCollector {
  /** Says what services should emit from now on; with the end of this process they stop. */
  demand(demand: Demand): void;
  /** Gets what the services emit, in order; set it before the first demand. */
  onItem: (service: string, item: CollectedItem) => void;
  /** Fulfilled when everything that was emitted before has been given to `onItem`. */
  sync(): Promise<void>;
}
export type CollectedItem = Exclude<FramedItem, { type: 'mark' | 'service' | 'note' }>;

/** What the collector asks of the supervisor. */
export interface CollectorRequests {
  demand(demand: Demand): void;
  sync(number: number): void;
}

/** The collector's end of the pipe. */
export class PipeCollector implements EventCollector {
  onItem: EventCollector['onItem'] = () => {};
  readonly #requests: CollectorRequests;
  readonly #reader = new FrameReader();
  readonly #syncs = new Map<number, () => void>();
  #service = '';
  #lastSync = 0;

  constructor(pipe: EventPipe, requests: CollectorRequests) {
    this.#requests = requests;
    pipe.onData = (bytes) => {
      for (const frame of this.#reader.push(bytes)) {
        const item = readFrame(frame);
        if (item !== undefined) this.#take(item);
      }
    };
  }

  demand(demand: Demand): void {
    this.#requests.demand(demand);
  }
  sync(): Promise<void> {
    this.#lastSync += 1;
    const number = this.#lastSync;
    return new Promise((resolve) => {
      this.#syncs.set(number, resolve);
      this.#requests.sync(number);
    });
  }

  #take(item: FramedItem): void {
    if (item.type === 'service') this.#service = item.name;
    else if (item.type === 'mark') {
      this.#syncs.get(item.number)?.();
      this.#syncs.delete(item.number);
    } else if (item.type !== 'note') this.onItem(this.#service, item);
  }
}
