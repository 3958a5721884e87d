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
import { type Capture, type CapturedProtocol, encodeFrames, type FramedItem } from './event-frames.ts';

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
   * be seen and finds its keys. `bytes` must not change afterwards.
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
  #items: RingItem[] = [];
  #first = 0;
  #waiting = 0;
  #dropped = 0;
  #told = 0;
  #onItem: () => void = () => {};

  /** @param limits items and octets that may wait, each at least 1 */
  constructor(clock: Clock, limits: { readonly items: number; readonly bytes: number }) {
    if (!(limits.items >= 1 && limits.bytes >= 1)) throw new RangeError('a ring holds something');
    this.#clock = clock;
    this.#capacity = limits.items;
    this.#bytes = limits.bytes;
  }

  get size(): number {
    return this.#items.length - this.#first;
  }
  /** Octets of messages that wait. */
  get waitingBytes(): number {
    return this.#waiting;
  }
  /** Refused since the start because the ring was full. */
  get dropped(): number {
    return this.#dropped;
  }
  /** Called after each item that was stored. */
  set onItem(listener: () => void) {
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
    this.#store({ type: 'event', event, time: this.#clock.wall(), isAsked }, 0);
  }

  tap(provider: ProviderName): Tap {
    const known = this.#taps.get(provider);
    if (known !== undefined) return known;
    const tap = new RingTap((message) => this.#keep(provider, message));
    tap.level = levelOf(this.#asked[provider]?.level);
    this.#taps.set(provider, tap);
    return tap;
  }

  /** Removes and returns what was told, oldest first, at most `limit`; messages are left behind. */
  take(limit: number): EmittedRecord[] {
    const records: EmittedRecord[] = [];
    while (this.size > 0 && records.length < limit) {
      const item = this.#shift();
      if (item?.type !== 'event') continue;
      const record = recordOf(item.event, item.time);
      records.push({ ...record, fields: record.fields ?? {} });
    }
    return records;
  }

  /** Removes the oldest items and returns them as frames: about so many octets, and always a whole number of frames. */
  drain(bytes: number): Buffer | undefined {
    const items: FramedItem[] = [];
    if (this.#dropped > this.#told) {
      items.push({ type: 'lost', count: this.#dropped - this.#told });
      this.#told = this.#dropped;
    }
    let length = 0;
    while (this.size > 0 && length < bytes) {
      const item = this.#shift();
      if (item === undefined) break;
      items.push(item.type === 'event' ? framed(item) : item);
      length += item.type === 'capture' ? item.capture.bytes.length : 512;
    }
    return items.length === 0 ? undefined : encodeFrames(items);
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
    this.#store({ type: 'capture', capture }, kept.length);
  }
  #store(item: RingItem, bytes: number): void {
    if (this.size >= this.#capacity || this.#waiting + bytes > this.#bytes) {
      this.#dropped += 1;
      return;
    }
    this.#items.push(item);
    this.#waiting += bytes;
    this.#onItem();
  }
  #shift(): RingItem | undefined {
    const item = this.#items[this.#first];
    this.#first += 1;
    if (item?.type === 'capture') this.#waiting -= item.capture.bytes.length;
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

/** An event as it was told: most are only ever noted, so that a record is made of it when it leaves. */
interface ToldEvent {
  readonly type: 'event';
  readonly event: EventDraft;
  readonly time: number;
  /** A scenario wants it; else it is only notable. */
  readonly isAsked: boolean;
}
type RingItem = ToldEvent | Extract<FramedItem, { type: 'capture' }>;

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
