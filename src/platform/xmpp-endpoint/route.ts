import type { DomainPair, OutboundStream } from '#protocols/xmpp';
import type { Undelivered } from './partner.ts';
import type { OwnerAction, PartnerStream } from './partner-stream.ts';
import { type Outgoing, Unsettled } from './unsettled.ts';

/** For so long after its partner could not be reached nothing waits for another attempt. */
const FAILED_MS = 5000;

/** Stanzas of one pair of domains, in order, over one stream after another. */
export class Route {
  readonly pair: DomainPair;
  readonly #capacity: number;
  readonly #open: () => void;
  #queue: Outgoing[] = [];
  readonly #unsettled = new Unsettled<Outgoing>();
  #stream: PartnerStream<OutboundStream> | undefined;
  #opening = false;
  #failed: { readonly until: number; readonly why: Undelivered } | undefined;

  /** @param open asked for when there is no stream; answered by `use` or `fail` */
  constructor(pair: DomainPair, capacity: number, open: () => void) {
    this.pair = pair;
    this.#capacity = capacity;
    this.#open = open;
  }
  /** Nothing of it need be remembered. */
  isIdle(now: number): boolean {
    return this.waiting === 0 && this.#stream === undefined && !this.#hasFailed(now);
  }
  get waiting(): number {
    return this.#queue.length + this.#unsettled.size;
  }
  get stream(): PartnerStream<OutboundStream> | undefined {
    return this.#stream;
  }

  send(outgoing: Outgoing, now: number): void {
    if (this.#failed !== undefined && this.#hasFailed(now)) {
      outgoing.settled(this.#failed.why);
      return;
    }
    if (this.waiting >= this.#capacity) {
      outgoing.settled('resource-constraint');
      return;
    }
    this.#queue.push(outgoing);
    this.#flush(now);
  }
  use(stream: PartnerStream<OutboundStream>): void {
    this.#stream = stream;
  }
  /** What the stream of this route said. */
  handle(action: OwnerAction, now: number): void {
    if (action.type === 'authorized' && action.by !== 'bidi') {
      this.#opening = false;
      this.#failed = undefined;
      this.#flush(now);
    } else if (action.type === 'acknowledged') {
      this.#unsettled.acknowledged(action.stanzas.length);
      this.#flush(now);
    } else if (action.type === 'close') this.#handleEnd(now);
  }
  /** There is no stream to be had. */
  fail(why: Undelivered, now: number): void {
    this.#failed = { until: now + FAILED_MS, why };
    this.#opening = false;
    this.#stream = undefined;
    const lost = [...this.#unsettled.ended(true), ...this.#queue];
    this.#queue = [];
    for (const outgoing of lost) outgoing.settled(why);
  }

  /** The next stanza is worth an attempt, whatever became of the last one. */
  forgetFailure(): void {
    this.#failed = undefined;
  }

  #hasFailed(now: number): boolean {
    return this.#failed !== undefined && now < this.#failed.until;
  }
  #handleEnd(now: number): void {
    const wasOpening = this.#opening;
    this.#stream = undefined;
    if (wasOpening) {
      this.fail('remote-server-timeout', now);
      return;
    }
    this.#queue = [...this.#unsettled.ended(true), ...this.#queue];
    this.#flush(now);
  }

  #flush(now: number): void {
    if (this.#queue.length === 0) return;
    const stream = this.#stream;
    if (stream === undefined || stream.ended) {
      if (this.#opening) return;
      this.#opening = true;
      this.#open();
      return;
    }
    while (stream.core.ready && !stream.core.full && !stream.ended) {
      const outgoing = this.#queue.shift();
      if (outgoing === undefined) return;
      this.#unsettled.send(stream, outgoing, now);
    }
  }
}
