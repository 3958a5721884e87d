import type { Monotonic } from '#kernel';
import { element, type XmlElement } from '#protocols/xml';
import { HandledCount, SentQueue } from '../management/acknowledgements.ts';
import { NS } from '../namespaces.ts';
import type { StreamWire } from './wire.ts';

/**
 * Stanzas in both directions of one stream, with acknowledgements where both sides want them (XEP-0198, without
 * resumption: what is not acknowledged when a stream ends is sent again on the next one by whoever holds it).
 */
export class StanzaChannel {
  readonly #wire: StreamWire;
  readonly #handled = new HandledCount();
  readonly #sent: SentQueue;
  #enabled = false;
  #asked = false;
  #waiting = false;
  #reported = 0;

  constructor(wire: StreamWire, capacity: number) {
    this.#wire = wire;
    this.#sent = new SentQueue(capacity);
  }

  get enabled(): boolean {
    return this.#enabled;
  }
  /** Stanzas that arrived and are not safe yet. */
  get open(): number {
    return this.#handled.open;
  }
  get full(): boolean {
    return this.#sent.full;
  }
  /** Everything sent and not acknowledged. */
  takeUnacknowledged(): XmlElement[] {
    return this.#sent.takeAll();
  }

  enable(now: Monotonic): void {
    this.#wire.sendElement(element(NS.management, 'enable'), now);
  }
  arrive(now: Monotonic): number {
    this.#wire.stanzaPassed(now);
    return this.#handled.arrive();
  }
  handled(number: number, now: Monotonic): void {
    if (this.#handled.handle(number) && this.#waiting && !this.#wire.closed) this.#report(now);
  }
  send(stanza: XmlElement, now: Monotonic): void {
    this.#wire.sendElement(stanza, now);
    this.#wire.stanzaPassed(now);
    if (!this.#enabled) return;
    this.#sent.push(stanza);
    this.#ask(now);
  }

  /** False when the element is none of XEP-0198 or out of place. */
  handleElement({ name, attributes }: XmlElement, now: Monotonic): boolean {
    switch (name) {
      case 'enable':
        if (this.#enabled) return false;
        this.#begin();
        this.#wire.sendElement(element(NS.management, 'enabled'), now);
        return true;
      case 'enabled':
        if (this.#enabled) return false;
        this.#begin();
        return true;
      case 'failed':
        return !this.#enabled;
      case 'resume':
        this.#wire.sendElement(
          element(NS.management, 'failed', {}, [element(NS.stanzaErrors, 'item-not-found')]),
          now,
        );
        return true;
      case 'r':
        if (!this.#enabled) return false;
        this.#report(now);
        return true;
      case 'a':
        return this.#enabled && this.#handleAnswer(attributes.get('h'), now);
      default:
        return false;
    }
  }

  #begin(): void {
    this.#enabled = true;
    this.#handled.begin();
  }
  #report(now: Monotonic): void {
    this.#reported = this.#handled.h;
    this.#waiting = this.#handled.open > 0;
    this.#wire.sendElement(element(NS.management, 'a', { h: String(this.#reported) }), now);
  }
  #ask(now: Monotonic): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#wire.sendElement(element(NS.management, 'r'), now);
  }
  #handleAnswer(text: string | undefined, now: Monotonic): boolean {
    const h = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : 2 ** 32;
    const stanzas = h < 2 ** 32 ? this.#sent.acknowledge(h) : undefined;
    if (stanzas === undefined) {
      this.#wire.fail('undefined-condition', 'acknowledgement-impossible');
      return true;
    }
    this.#asked = false;
    if (stanzas.length > 0) this.#wire.act({ type: 'acknowledged', stanzas });
    // An answer that took nothing over is no reason to ask again at once: the peer answers when it has.
    if (this.#sent.size > 0 && stanzas.length > 0) this.#ask(now);
    return true;
  }
}
