import type { Clock } from '#kernel';
import {
  type EventDraft,
  EventRing,
  encodeFrames,
  type Frame,
  type FramedItem,
  FrameReader,
  isNotable,
  noteText,
  readFrame,
} from '#platform/telemetry';
import type { Demand } from '#protocols/log-query';
import { EventJournal } from './event-journal.ts';
import type { EventPipe } from './event-pipe.ts';

const KEPT = 10_000;
/** Octets that may wait for whoever collects events; beyond them events are counted instead. */
const QUEUED_BYTES = 8 << 20;
/** How long a service may take to say that its events have left. Milliseconds. */
const MARK_MS = 2000;
const NO_DEMAND: Demand = { providers: {} };

export interface EventHubOptions {
  readonly clock: Clock;
  /** The service that collects the events of all. */
  readonly collector: string | undefined;
  /** Tells a running service what is asked for. */
  readonly tell: (demand: Demand) => void;
  /** Asks all running services to say when what they emitted has left; their names. */
  readonly mark: (number: number) => string[];
}

/** Where the events of all services meet: the notable ones are kept for the operator, all go on to whoever collects them. */
export class EventHub {
  readonly journal = new EventJournal(KEPT);
  readonly #options: EventHubOptions;
  /** The supervisor's own. */
  readonly #own: EventRing;
  readonly #lost = new Map<string, number>();
  /** Marks under way: who has not answered, and what the collector calls it. */
  readonly #marks = new Map<number, { readonly waiting: Set<string>; readonly number: number }>();
  #demand: Demand = NO_DEMAND;
  #collector: EventPipe | undefined;
  /** Whose frames the collector has been getting. */
  #speaker = '';
  #lastMark = 0;

  constructor(options: EventHubOptions) {
    this.#options = options;
    this.#own = new EventRing(options.clock, { items: 1024, bytes: 1 << 20 });
    this.#own.onItem = () => this.#takeOwn();
  }

  get demand(): Demand {
    return this.#demand;
  }
  emit(event: EventDraft): void {
    this.#own.emit(event);
  }

  /**
   * A process of a service has been started.
   * @param name of the process
   * @param service whose events they are; the same by default
   */
  attach(name: string, pipe: EventPipe, service = name): void {
    const reader = new FrameReader();
    pipe.onData = (bytes) => this.#take(service, reader.push(bytes), name);
    if (name !== this.#options.collector) return;
    this.#collector = pipe;
    this.#speaker = '';
  }
  /** It has ended. */
  detach(name: string): void {
    for (const mark of [...this.#marks.keys()]) this.#handleMark(name, mark);
    if (name !== this.#options.collector) return;
    this.#collector = undefined;
    this.#ask(NO_DEMAND);
  }

  /** What the collector asks for; nobody else is listened to. */
  handleDemand(service: string, demand: Demand): void {
    if (service === this.#options.collector) this.#ask(demand);
  }
  #ask(demand: Demand): void {
    this.#demand = demand;
    this.#own.demand(demand);
    this.#options.tell(demand);
  }

  /** The collector wants everything that was emitted so far; it gets a mark behind it. */
  handleSync(service: string, number: number): void {
    if (service !== this.#options.collector) return;
    this.#lastMark += 1;
    const mark = this.#lastMark;
    const waiting = new Set(this.#options.mark(mark));
    this.#marks.set(mark, { waiting, number });
    if (waiting.size === 0) this.#marked(mark);
    else this.#options.clock.after(MARK_MS, () => this.#marked(mark));
  }
  #handleMark(name: string, mark: number): void {
    const waiting = this.#marks.get(mark)?.waiting;
    if (waiting?.delete(name) === true && waiting.size === 0) this.#marked(mark);
  }
  #marked(mark: number): void {
    const number = this.#marks.get(mark)?.number;
    this.#marks.delete(mark);
    if (number !== undefined) this.#pass('', [encodeFrames([{ type: 'mark', number }])]);
  }

  #takeOwn(): void {
    const frames = this.#own.drain(Number.POSITIVE_INFINITY);
    if (frames !== undefined) this.#take('supervisor', new FrameReader().push(frames));
  }

  #take(service: string, frames: readonly Frame[], name = service): void {
    const passed: Buffer[] = [];
    for (const frame of frames) {
      if (frame.type === 'service') continue;
      const note = noteText(frame);
      if (note !== undefined) {
        this.journal.add(service, note);
        continue;
      }
      const item = frame.type === 'capture' ? undefined : readFrame(frame);
      if (item?.type === 'mark') {
        // What came before it is passed on first.
        this.#pass(service, passed.splice(0));
        this.#handleMark(name, item.number);
      } else {
        if (item !== undefined) this.#note(service, item);
        // A note is for nobody else.
        if (frame.type === 'capture' || (item !== undefined && item.type !== 'note'))
          passed.push(frame.bytes);
      }
    }
    this.#pass(service, passed);
  }
  #note(service: string, item: FramedItem): void {
    if (item.type === 'note') this.journal.add(service, item.note);
    if (item.type === 'record' && isNotable(item.record)) this.journal.add(service, item.record);
    if (item.type === 'lost') this.journal.lose(item.count);
  }

  #pass(service: string, frames: readonly Buffer[]): void {
    const pipe = this.#collector;
    if (pipe === undefined || frames.length === 0) return;
    if (pipe.queued > QUEUED_BYTES && service !== '') {
      this.#lost.set(service, (this.#lost.get(service) ?? 0) + frames.length);
      return;
    }
    const head: FramedItem[] = [];
    if (service !== '' && service !== this.#speaker) {
      head.push({ type: 'service', name: service });
      this.#speaker = service;
    }
    const count = this.#lost.get(service);
    if (count !== undefined) {
      head.push({ type: 'lost', count });
      this.#lost.delete(service);
    }
    const parts = head.length === 0 ? frames : [encodeFrames(head), ...frames];
    pipe.write(Buffer.concat(parts), () => {});
  }
}
