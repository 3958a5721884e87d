import type { Monotonic } from '#kernel';
import {
  escapeXml,
  type StreamRoot,
  writeXml,
  type XmlElement,
  type XmlLimits,
  XmlStreamReader,
} from '#protocols/xml';
import { NS } from '../namespaces.ts';
import type { StreamAction } from './actions.ts';
import type { StreamReason } from './drop.ts';
import { conditionFor, conditionOf, type StreamCondition, streamError } from './errors.ts';

export interface StreamTimes {
  /** Milliseconds from the begin until some domain is authorized. */
  readonly establishmentMs: number;
  /** Milliseconds from the first byte of a stanza to its last. */
  readonly stanzaMs: number;
  /** A blank is sent when nothing else was for so long; 0 = never. */
  readonly keepAliveMs: number;
  /** Without a stanza in either direction for so long the stream is closed; 0 = never. */
  readonly inactivityMs: number;
}

/** What a stream does with what its wire has read. */
export interface WireUser {
  handleRoot(root: StreamRoot, now: Monotonic): void;
  handleElement(element: XmlElement, now: Monotonic): void;
}

/** Header attributes that we send. */
export interface HeaderText {
  readonly from?: string;
  readonly to?: string;
  readonly id?: string;
}

/**
 * What every XMPP stream has in common whatever it negotiates (RFC 6120 §4): XML in both directions, restarts, errors,
 * the closing tag, keep-alive and the clocks. Whoever uses it takes the actions after each call.
 */
export class StreamWire {
  readonly #user: WireUser;
  readonly #times: StreamTimes;
  readonly #begun: Monotonic;
  #limits: XmlLimits;
  #reader: XmlStreamReader;
  #actions: StreamAction[] = [];
  #headerSent = false;
  #closed = false;
  #established = false;
  #lastSent: Monotonic;
  #lastStanza: Monotonic;
  #discarded = 0;
  #keepsAlive = true;

  constructor(user: WireUser, times: StreamTimes, limits: XmlLimits, now: Monotonic) {
    this.#user = user;
    this.#times = times;
    this.#limits = limits;
    this.#begun = now;
    this.#lastSent = now;
    this.#lastStanza = now;
    this.#reader = new XmlStreamReader(limits);
  }

  get closed(): boolean {
    return this.#closed;
  }
  get established(): boolean {
    return this.#established;
  }
  /** Bytes that came pipelined before TLS and were thrown away. */
  get discarded(): number {
    return this.#discarded;
  }
  get actions(): StreamAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  receive(bytes: Uint8Array, now: Monotonic): void {
    if (this.#closed) return;
    const reader = this.#reader;
    for (const event of reader.read(bytes, now)) {
      if (this.#closed) return;
      switch (event.type) {
        case 'root':
          this.#user.handleRoot(event.root, now);
          break;
        case 'element':
          this.#handleElement(event.element, now);
          break;
        case 'end':
          this.close('closed');
          break;
        case 'problem':
          this.fail(conditionFor(event.problem), event.problem);
          break;
      }
      // A restart in the middle of the bytes: what was pipelined behind it belongs to nobody (RFC 6120 §5.4.3.3, §6.4.6).
      if (reader !== this.#reader) {
        this.#discarded += 1;
        return;
      }
    }
  }

  #handleElement(element: XmlElement, now: Monotonic): void {
    if (element.namespace === NS.streams && element.name === 'error') {
      this.#push({ type: 'close', reason: 'stream-error-received', detail: conditionOf(element) });
      this.#closed = true;
      return;
    }
    this.#user.handleElement(element, now);
  }

  /** The peer's next bytes begin a new stream; what it sent behind the last element is forgotten. */
  restart(): void {
    this.#reader.stop();
    this.#reader = new XmlStreamReader(this.#limits);
    this.#headerSent = false;
  }
  /** Wider bounds, now that the peer is known. */
  widen(limits: XmlLimits): void {
    this.#limits = limits;
    this.#reader.allow(limits);
  }
  /** Whether blanks are sent where nothing else is. */
  keepAlive(on: boolean): void {
    this.#keepsAlive = on;
  }
  establish(now: Monotonic): void {
    if (!this.#established) this.#lastStanza = now;
    this.#established = true;
  }
  stanzaPassed(now: Monotonic): void {
    this.#lastStanza = now;
  }

  sendHeader(header: HeaderText, now: Monotonic): void {
    this.#headerSent = true;
    this.#send(headerXml(header), now);
  }
  sendElement(element: XmlElement, now: Monotonic): void {
    const isDialback = element.namespace === NS.dialback;
    this.#send(isDialback ? prefixed('db', element) : writeXml(element, NS.server), now);
  }
  /** `<stream:features/>`; its namespace needs the prefix that the header declared. */
  sendFeatures(features: readonly XmlElement[], now: Monotonic): void {
    const inside = features.map((feature) => writeXml(feature, NS.server)).join('');
    this.#send(`<stream:features>${inside}</stream:features>`, now);
  }
  act(action: StreamAction): void {
    if (!this.#closed) this.#push(action);
  }

  /** Ends the stream with an error of ours. */
  fail(condition: StreamCondition, reason: StreamReason, detail?: string): void {
    if (this.#closed) return;
    // An error before our header goes out behind one, since it stands inside a stream (RFC 6120 §4.9.1.2).
    const header = this.#headerSent ? '' : headerXml({});
    const error = prefixed('stream', streamError(condition, detail));
    this.#push({ type: 'send', text: `${header}${error}</stream:stream>` });
    this.#finish(reason, detail);
  }
  /** Ends the stream in order. */
  close(reason: StreamReason, detail?: string): void {
    if (this.#closed) return;
    if (this.#headerSent) this.#push({ type: 'send', text: '</stream:stream>' });
    this.#finish(reason, detail);
  }
  #finish(reason: StreamReason, detail: string | undefined): void {
    this.#push(detail === undefined ? { type: 'close', reason } : { type: 'close', reason, detail });
    this.#reader.stop();
    this.#closed = true;
  }

  /**
   * Call it about once a second.
   * @param paused nothing is read from the peer at present, so that a stanza cannot come to its end
   */
  handleTime(now: Monotonic, paused = false): void {
    if (this.#closed) return;
    if (paused) this.#reader.hold(now);
    const { establishmentMs, stanzaMs, keepAliveMs, inactivityMs } = this.#times;
    const { started } = this.#reader;
    if (!this.#established) {
      if (now - this.#begun >= establishmentMs) this.fail('connection-timeout', 'establishment-timeout');
      return;
    }
    if (started !== undefined && now - started >= stanzaMs) {
      this.fail('connection-timeout', 'stanza-timeout');
    } else if (inactivityMs > 0 && now - this.#lastStanza >= inactivityMs) {
      this.close('inactive');
    } else if (this.#keepsAlive && keepAliveMs > 0 && now - this.#lastSent >= keepAliveMs) {
      this.#send(' ', now);
    }
  }

  #send(text: string, now: Monotonic): void {
    if (this.#closed) return;
    this.#lastSent = now;
    this.#push({ type: 'send', text });
  }
  #push(action: StreamAction): void {
    this.#actions.push(action);
  }
}

function headerXml({ from, to, id }: HeaderText): string {
  const attribute = (name: string, value: string | undefined) =>
    value === undefined ? '' : ` ${name}='${escapeXml(value)}'`;
  return (
    `<?xml version='1.0'?><stream:stream xmlns='${NS.server}' xmlns:stream='${NS.streams}' ` +
    `xmlns:db='${NS.dialback}'${attribute('id', id)}${attribute('from', from)}${attribute('to', to)}` +
    ` xml:lang='en' version='1.0'>`
  );
}

/** Written with a prefix that every header of ours declares, as older servers expect it. */
function prefixed(prefix: string, element: XmlElement): string {
  const text = writeXml(element, element.namespace);
  const closing = `</${element.name}>`;
  const open = `<${prefix}:${text.slice(1)}`;
  if (!open.endsWith(closing)) return open;
  return `${open.slice(0, -closing.length)}</${prefix}:${element.name}>`;
}

/** Whether an opening tag begins a stream between servers (RFC 6120 §4.8). */
export function rootProblem(root: StreamRoot): StreamCondition | undefined {
  if (root.name !== 'stream' || root.namespace !== NS.streams) return 'invalid-namespace';
  if (root.content !== NS.server) return 'invalid-namespace';
  return undefined;
}

/** True for version 1.0 and later minor ones (RFC 6120 §4.7.5). */
export function speaksVersionOne(root: StreamRoot): boolean {
  return /^1(\.\d{1,4})?$/.test(root.attributes.get('version') ?? '');
}
