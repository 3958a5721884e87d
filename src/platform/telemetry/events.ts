import type { Clock } from '#kernel';
import {
  boundFields,
  boundRecord,
  type Demand,
  EVENT_BOUNDS,
  type EventField,
  type EventFlag,
  type EventKeys,
  type EventKind,
  type EventLevel,
  type LogRecord,
  logLevels,
  type ProviderName,
} from '#protocols/log-query';
import { type CaptureRun, CaptureRuns } from './capture-runs.ts';
import {
  type Capture,
  type CapturedProtocol,
  captureFrameBytes,
  encodeFrames,
  type FramedItem,
} from './event-frames.ts';

/** One thing that happened, as a service tells it. Small: no bodies, no secrets. The ring adds the time. */
export interface EventDraft {
  readonly provider: ProviderName;
  /** The part of the service that tells it, kebab-case. */
  readonly component: string;
  readonly level: EventLevel;
  readonly kind: EventKind;
  /** A stable kebab-case name, for example `partner-not-reached`. */
  readonly name: string;
  readonly fields?: Readonly<Record<string, EventField>> | undefined;
  readonly keys?: EventKeys | undefined;
  readonly flags?: readonly EventFlag[] | undefined;
  /** One sentence; made of name and fields when left out. */
  readonly text?: string | undefined;
  readonly direction?: 'in' | 'out' | undefined;
  readonly connection?: string | undefined;
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
}

/** The one stream on which a service tells what happens. Nothing of it ever blocks or throws. */
export interface EventStream {
  /** What an operator may ask about. Left out when nobody asks for its provider and level and it is of no consequence. */
  emit(event: EventDraft): void;
  /** Where messages of a protocol are kept for whoever asks for them; one for life. */
  tap(provider: ProviderName): Tap;
}

/** What was emitted, as it waits. */
export interface EmittedRecord extends LogRecord {
  readonly fields: Readonly<Record<string, EventField>>;
}

/** Levels as numbers, so that the question on a hot path is one comparison: `tap.level >= LEVEL.info`. */
export const LEVEL = { error: 1, warning: 2, info: 3, verbose: 4 } as const satisfies Record<
  EventLevel,
  number
>;

/** What is wanted of one provider right now, and the way to give it. */
export interface Tap {
  /** 0 while nobody asks for anything; else the last of {@link LEVEL} that is wanted. */
  readonly level: number;
  /**
   * Keeps a message as it is. Nothing of it is looked at here: whoever collects events reads it, takes out what must not
   * be seen and finds its keys. `bytes` are copied.
   */
  message(message: TappedMessage): void;
}

export interface TappedMessage {
  readonly protocol: CapturedProtocol;
  readonly level: EventLevel;
  readonly direction: 'in' | 'out';
  /** Made once a connection by {@link peerLabel}. */
  readonly peer: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Of one message; what is longer is cut, and its length told. */
const MESSAGE_BYTES = 20_480;

/**
 * What waits to leave the process: bounded in number and octets. Whatever comes while it is full is counted, and its
 * number leaves in its place.
 */
export class EventRing implements EventStream {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #bytes: number;
  readonly #taps = new Map<ProviderName, RingTap>();
  /** Oldest first: events, and between them messages that came one after the other. */
  #items: RingItem[] = [];
  #first = 0;
  #size = 0;
  #waiting = 0;
  #dropped = 0;
  #told = 0;
  readonly #runs = new CaptureRuns();
  /** The last of the items, while it is a run. */
  #open: CaptureRun | undefined;
  /** What {@link drain} gave away last. */
  #leaving: CaptureRun | undefined;
  #onItem: (matters: boolean) => void = () => {};

  /** @param limits items and octets that may wait, each at least 1 */
  constructor(clock: Clock, limits: { readonly items: number; readonly bytes: number }) {
    if (!(limits.items >= 1 && limits.bytes >= 1)) throw new RangeError('a ring holds something');
    this.#clock = clock;
    this.#capacity = limits.items;
    this.#bytes = limits.bytes;
  }

  /** Whether nothing at all waits, not even a mark. */
  get isEmpty(): boolean {
    return this.#first === this.#items.length;
  }
  /** Events and messages that wait. */
  get size(): number {
    return this.#size;
  }
  /** Octets of the messages among them, as they leave, and of the texts of events. */
  get waitingBytes(): number {
    return this.#waiting;
  }
  /** Refused since the start because the ring was full. */
  get dropped(): number {
    return this.#dropped;
  }
  /** Called after each item that was stored: whether it is a warning or an error. */
  set onItem(listener: (matters: boolean) => void) {
    this.#onItem = listener;
  }

  /** What is asked for from now on. */
  demand({ providers }: Demand): void {
    for (const [name, tap] of this.#taps) tap.level = levelOf(providers[name]?.level);
    this.#asked = providers;
  }
  #asked: Demand['providers'] = {};

  emit(event: EventDraft): void {
    const isAsked = this.tap(event.provider).level >= LEVEL[event.level];
    if (!isAsked && !isNotable(event)) return;
    const octets = lettersOf(event);
    if (!this.#admits(octets)) return;
    this.#items.push({ type: 'event', event, time: this.#clock.wall(), isAsked, octets });
    this.#open = undefined;
    this.#handleStored(octets, event.level === 'error' || event.level === 'warning');
  }

  tap(provider: ProviderName): Tap {
    const known = this.#taps.get(provider);
    if (known !== undefined) return known;
    const tap = new RingTap((message) => this.#keep(provider, message));
    tap.level = levelOf(this.#asked[provider]?.level);
    this.#taps.set(provider, tap);
    return tap;
  }

  /** Leaves when everything before it has left, and before all that comes after it. */
  mark(number: number): void {
    this.#items.push({ type: 'mark', number });
    this.#open = undefined;
  }

  /** Removes and returns what was told, oldest first, at most `limit`; messages are left behind. */
  take(limit: number): EmittedRecord[] {
    const records: EmittedRecord[] = [];
    while (!this.isEmpty && records.length < limit) {
      const item = this.#shift();
      if (item?.type === 'run') this.#runs.close(item);
      if (item?.type !== 'event') continue;
      const record = recordOf(item.event, item.time);
      records.push({ ...record, fields: record.fields ?? {} });
    }
    return records;
  }

  /**
   * Removes the oldest items and returns them as frames: about so many octets, and always a whole number of frames. They
   * may be the ring's own memory, which is used for others after {@link handleLeft}.
   */
  drain(bytes: number): Buffer | undefined {
    const batch = new Batch();
    if (this.#dropped > this.#told) {
      batch.add({ type: 'lost', count: this.#dropped - this.#told });
      this.#told = this.#dropped;
    }
    const enough = batch.length + bytes;
    while (batch.length < enough) {
      const item = this.#shift();
      if (item === undefined) break;
      if (item.type === 'run') batch.addRun(item);
      else batch.add(item.type === 'event' ? framed(item) : item);
    }
    this.#leaving = batch.only;
    const frames = batch.bytes;
    for (const run of batch.copied) this.#runs.close(run);
    return frames;
  }
  /** The frames that {@link drain} gave last are where they were to go. */
  handleLeft(): void {
    if (this.#leaving !== undefined) this.#runs.close(this.#leaving);
    this.#leaving = undefined;
  }

  #keep(provider: ProviderName, { protocol, level, direction, peer, bytes }: TappedMessage): void {
    const kept = bytes.length > MESSAGE_BYTES ? bytes.subarray(0, MESSAGE_BYTES) : bytes;
    const capture: Capture = {
      time: this.#clock.wall(),
      provider,
      protocol,
      level,
      direction,
      peer,
      bytes: kept,
      length: bytes.length,
    };
    const octets = captureFrameBytes(capture);
    if (!this.#admits(octets)) return;
    if (this.#open === undefined || this.#open.room < octets) {
      this.#open = this.#runs.open(octets);
      this.#items.push(this.#open);
    }
    this.#open.add(capture);
    this.#handleStored(octets, false);
  }
  #admits(octets: number): boolean {
    const isRoom = this.#size < this.#capacity && this.#waiting + octets <= this.#bytes;
    if (!isRoom) this.#dropped += 1;
    return isRoom;
  }
  #handleStored(octets: number, matters: boolean): void {
    this.#size += 1;
    this.#waiting += octets;
    this.#onItem(matters);
  }
  #shift(): RingItem | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#first += 1;
    if (item === this.#open) this.#open = undefined;
    if (item.type === 'event') {
      this.#size -= 1;
      this.#waiting -= item.octets;
    } else if (item.type === 'run') {
      this.#size -= item.count;
      this.#waiting -= item.length;
    }
    if (this.#first === this.#items.length) {
      this.#items = [];
      this.#first = 0;
    } else if (this.#first >= this.#capacity) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}

/** What leaves together. */
class Batch {
  length = 0;
  readonly #pieces: Buffer[] = [];
  readonly #runs: CaptureRun[] = [];
  #told: FramedItem[] = [];

  add(item: FramedItem): void {
    this.#told.push(item);
    this.length += TOLD_BYTES;
  }
  addRun(run: CaptureRun): void {
    this.#flush();
    this.#pieces.push(run.bytes);
    this.#runs.push(run);
    this.length += run.length;
  }
  /** Undefined when there is nothing. */
  get bytes(): Buffer | undefined {
    this.#flush();
    return this.#pieces.length > 1 ? Buffer.concat(this.#pieces) : this.#pieces[0];
  }
  /** The run that leaves as it is. */
  get only(): CaptureRun | undefined {
    return this.#runs.length === 1 && this.#pieces.length === 1 && this.#told.length === 0
      ? this.#runs[0]
      : undefined;
  }
  get copied(): readonly CaptureRun[] {
    return this.only === undefined ? this.#runs : [];
  }
  #flush(): void {
    if (this.#told.length === 0) return;
    this.#pieces.push(encodeFrames(this.#told));
    this.#told = [];
  }
}
/** About what an event takes as a frame. */
const TOLD_BYTES = 512;

/** An event as it was told: most are only ever noted, so that a record is made of it when it leaves. */
interface ToldEvent {
  readonly type: 'event';
  readonly event: EventDraft;
  readonly time: number;
  /** A scenario wants it; else it is only notable. */
  readonly isAsked: boolean;
  /** See {@link lettersOf}. */
  readonly octets: number;
}
type RingItem = ToldEvent | CaptureRun | Extract<FramedItem, { type: 'mark' }>;

/** About how much an event holds of what a peer may have said. */
function lettersOf({ text = '', fields }: EventDraft): number {
  let letters = text.length;
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === 'string') letters += value.length;
  }
  return letters;
}

function framed({ event, time, isAsked }: ToldEvent): FramedItem {
  if (isAsked) return { type: 'record', record: recordOf(event, time) };
  const { name, fields = {} } = event;
  return {
    type: 'note',
    note: { time, name: name.slice(0, EVENT_BOUNDS.word), fields: boundFields(fields) },
  };
}

class RingTap implements Tap {
  level = 0;
  readonly message: (message: TappedMessage) => void;
  constructor(message: (message: TappedMessage) => void) {
    this.message = message;
  }
}

/** What is kept for the operator whether a scenario asks for it or not. */
export function isNotable({ level, kind }: Pick<EventDraft, 'level' | 'kind'>): boolean {
  return level === 'error' || level === 'warning' || (kind === 'state' && level === 'info');
}

function levelOf(level: EventLevel | undefined): number {
  return level === undefined ? 0 : logLevels.indexOf(level) + 1;
}

function recordOf(event: EventDraft, time: number): LogRecord {
  const { fields = {}, flags = [], keys = {}, text = sentence(event.name, fields) } = event;
  return boundRecord({ ...event, time, fields, flags, keys, text });
}

/** `partner-not-reached domain=contoso.example rule=partner-unreachable` */
function sentence(name: string, fields: Readonly<Record<string, EventField>>): string {
  const words = Object.entries(fields).map(([key, value]) => ` ${key}=${String(value)}`);
  return `${name}${words.join('')}`;
}
