import type { DomainPair, InboundStream } from '#protocols/xmpp';
import type { PartnerStream } from './partner-stream.ts';
import { type Outgoing, Unsettled } from './unsettled.ts';

export type Directed = Outgoing & { readonly pair: DomainPair };

/** Streams that partners opened and that carry stanzas of ours back to them (XEP-0288). */
export class ReturnPaths {
  readonly #streams: Iterable<PartnerStream<InboundStream>>;
  /** By `from to`, what a search has found; forgotten whenever a stream comes, is proven or goes. */
  readonly #found = new Map<string, PartnerStream<InboundStream> | undefined>();
  readonly #unsettled = new Map<PartnerStream<InboundStream>, Unsettled<Directed>>();

  constructor(streams: Iterable<PartnerStream<InboundStream>>) {
    this.#streams = streams;
  }

  forget(): void {
    this.#found.clear();
  }
  /** A stream on which stanzas of this pair may go back now. */
  find(key: string, pair: DomainPair): PartnerStream<InboundStream> | undefined {
    const known = this.#found.get(key);
    if (known !== undefined && isUsable(known, pair)) return known;
    if (known === undefined && this.#found.has(key)) return undefined;
    let found: PartnerStream<InboundStream> | undefined;
    for (const stream of this.#streams) if (isUsable(stream, pair)) found ??= stream;
    // One that is full now may be usable soon.
    if (found !== undefined || !this.#carried(pair)) this.#found.set(key, found);
    return found;
  }
  send(stream: PartnerStream<InboundStream>, outgoing: Directed, now: number): void {
    let unsettled = this.#unsettled.get(stream);
    if (unsettled === undefined) {
      unsettled = new Unsettled();
      this.#unsettled.set(stream, unsettled);
    }
    unsettled.send(stream, outgoing, now);
  }
  acknowledged(stream: PartnerStream<InboundStream>, count: number): void {
    this.#unsettled.get(stream)?.acknowledged(count);
  }
  /** The stream has ended: gives what may be sent on another; the senders of the rest are told. */
  ended(stream: PartnerStream<InboundStream>, again: boolean): Directed[] {
    const unsettled = this.#unsettled.get(stream);
    this.#unsettled.delete(stream);
    return unsettled?.ended(again) ?? [];
  }
  /** Something that went by it is not settled yet. */
  isBusy(stream: PartnerStream<InboundStream>): boolean {
    return (this.#unsettled.get(stream)?.size ?? 0) > 0;
  }
  get pending(): number {
    let count = 0;
    for (const { size } of this.#unsettled.values()) count += size;
    return count;
  }

  #carried(pair: DomainPair): boolean {
    for (const stream of this.#streams) if (stream.core.carries(pair)) return true;
    return false;
  }
}

function isUsable(stream: PartnerStream<InboundStream>, pair: DomainPair): boolean {
  return !stream.ended && stream.core.carries(pair) && !stream.core.full;
}
