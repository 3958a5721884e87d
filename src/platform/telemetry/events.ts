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
import { encodeFrames, type FramedItem } from './event-frames.ts';
import { RingTap, type Tap, WritePlace } from './tap.ts';

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
  /** The last of the items, while it is a run; the taps go on with it by themselves. */
  #open: CaptureRun | undefined;
  readonly #place = new WritePlace();
  /** Messages that the taps may write before they ask again, as they were told. */
  #allowed = 0;
  #enough: { readonly items: number; readonly bytes: number } | undefined;
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
    return this.#size + this.#allowed - this.#place.left;
  }
  /** Octets of the messages among them, as they leave, and of the texts of events. */
  get waitingBytes(): number {
    return this.#open === undefined ? this.#waiting : this.#waiting + this.#place.at - this.#open.end;
  }
  /** Refused since the start because the ring was full. */
  get dropped(): number {
    return this.#dropped;
  }
  /**
   * Called after an item that was stored: whether it is a warning or an error. Not after messages that came right behind another
   * one, while there is not {@link enough}.
   */
  set onItem(listener: (matters: boolean) => void) {
    this.#onItem = listener;
  }
  /** What is worth telling of, as soon as it waits; until it is set everything is. */
  set enough(enough: { readonly items: number; readonly bytes: number }) {
    this.#enough = enough;
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
    this.#endRun();
    if (!this.#admits(octets)) return;
    this.#items.push({ type: 'event', event, time: this.#clock.wall(), isAsked, octets });
    this.#size += 1;
    this.#waiting += octets;
    this.#onItem(event.level === 'error' || event.level === 'warning');
  }

  tap(provider: ProviderName): Tap {
    const known = this.#taps.get(provider);
    if (known !== undefined) return known;
    const tap = new RingTap(
      provider,
      this.#place,
      this.#clock,
      (octets) => this.#makeRoom(octets),
      () => this.#handleStored(),
    );
    tap.level = levelOf(this.#asked[provider]?.level);
    this.#taps.set(provider, tap);
    return tap;
  }

  /** Leaves when everything before it has left, and before all that comes after it. */
  mark(number: number): void {
    this.#endRun();
    this.#items.push({ type: 'mark', number });
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

  /** For one message; false when there is none. */
  #makeRoom(octets: number): boolean {
    this.#countRun();
    if (!this.#admits(octets)) return false;
    if (this.#open === undefined || this.#open.room < octets) {
      this.#endRun();
      this.#open = this.#runs.open(octets);
      this.#items.push(this.#open);
    }
    const { slab, end } = this.#open;
    this.#allowed = 1;
    this.#place.allow(slab.octets, end, end + octets, 1);
    return true;
  }
  /** One for which room was made. What comes right behind it may be written until there is enough, or no more room. */
  #handleStored(): void {
    this.#countRun();
    this.#onItem(false);
    const run = this.#open;
    if (run === undefined || this.#enough === undefined) return;
    const { items, bytes } = this.#enough;
    const untold = this.#size < items && this.#waiting < bytes;
    const most = untold ? Math.min(bytes, this.#bytes) : this.#bytes;
    const limit = Math.min(run.end + run.room, run.end + most - this.#waiting);
    this.#allowed = Math.max(0, Math.min(untold ? items - 1 : this.#capacity, this.#capacity) - this.#size);
    this.#place.allow(run.slab.octets, run.end, limit, this.#allowed);
  }
  /** What the taps have written since they were last told how much they may. */
  #countRun(): void {
    const run = this.#open;
    const { at, left } = this.#place;
    if (run === undefined) return;
    const count = this.#allowed - left;
    this.#allowed = left;
    this.#size += count;
    this.#waiting += at - run.end;
    run.grow(count, at);
  }
  #endRun(): void {
    this.#countRun();
    this.#open = undefined;
    this.#allowed = 0;
    this.#place.left = 0;
  }
  #admits(octets: number): boolean {
    const isRoom = this.#size < this.#capacity && this.#waiting + octets <= this.#bytes;
    if (!isRoom) this.#dropped += 1;
    return isRoom;
  }
  #shift(): RingItem | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#first += 1;
    if (item === this.#open) this.#endRun();
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
