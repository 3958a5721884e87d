import type { XmlElement } from '#protocols/xml';
import { type InboundStream, isReadOnce, type OutboundStream } from '#protocols/xmpp';
import type { Undelivered } from './partner.ts';
import type { PartnerStream } from './partner-stream.ts';

/** A stanza on its way to a partner. */
export interface Outgoing {
  readonly stanza: XmlElement;
  readonly settled: (failed: Undelivered | undefined) => void;
  attempts: number;
}

/** Presence is sent on so many streams before it counts as lost. */
const MOST_ATTEMPTS = 2;

/**
 * What one stream was given and is not settled. Where the peer acknowledges (XEP-0198) it is settled by that. Where it does
 * not, when this machine's network has it: no more can be known, and a message that still waits here when the stream or
 * this process ends was not accepted for its sender.
 */
export class Unsettled<T extends Outgoing> {
  #acknowledging: T[] = [];
  readonly #leaving = new Set<T>();

  get size(): number {
    return this.#acknowledging.length + this.#leaving.size;
  }
  send(stream: PartnerStream<InboundStream> | PartnerStream<OutboundStream>, outgoing: T, now: number): void {
    outgoing.attempts += 1;
    if (stream.core.managed) {
      this.#acknowledging.push(outgoing);
      stream.send(outgoing.stanza, now);
      return;
    }
    this.#leaving.add(outgoing);
    stream.send(outgoing.stanza, now, () => {
      if (this.#leaving.delete(outgoing)) outgoing.settled(undefined);
    });
  }
  acknowledged(count: number): void {
    for (const { settled } of this.#acknowledging.splice(0, count)) settled(undefined);
  }
  /**
   * The stream has ended: gives what may go on another one, and tells the senders of the rest. A message may have arrived,
   * and is not sent again.
   */
  ended(again: boolean): T[] {
    const all = [...this.#leaving, ...this.#acknowledging];
    this.#leaving.clear();
    this.#acknowledging = [];
    const worth: T[] = [];
    for (const outgoing of all) {
      if (isReadOnce(outgoing.stanza)) outgoing.settled('delivery-unknown');
      else if (again && outgoing.attempts < MOST_ATTEMPTS) worth.push(outgoing);
      else outgoing.settled('remote-server-timeout');
    }
    return worth;
  }
}
