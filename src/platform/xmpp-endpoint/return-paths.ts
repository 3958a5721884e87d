import type { DomainPair, InboundStream } from '#protocols/xmpp';
import type { PartnerStream } from './partner-stream.ts';
import { type Outgoing, worthAgain } from './route.ts';

export type Directed = Outgoing & { readonly pair: DomainPair };

/** Streams that partners opened and that carry stanzas of ours back to them (XEP-0288). */
export class ReturnPaths {
  readonly #streams: Iterable<PartnerStream<InboundStream>>;
  /** By `from to`, what a search has found; forgotten whenever a stream comes, is proven or goes. */
  readonly #found = new Map<string, PartnerStream<InboundStream> | undefined>();
  /** Sent and not acknowledged yet. */
  readonly #waiting = new Map<PartnerStream<InboundStream>, Directed[]>();

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
    const { managed } = stream.core;
    outgoing.attempts += 1;
    if (managed) {
      const waiting = this.#waiting.get(stream);
      if (waiting === undefined) this.#waiting.set(stream, [outgoing]);
      else waiting.push(outgoing);
    }
    stream.send(outgoing.stanza, now);
    if (!managed) outgoing.settled(undefined);
  }
  acknowledged(stream: PartnerStream<InboundStream>, count: number): void {
    for (const { settled } of this.#waiting.get(stream)?.splice(0, count) ?? []) settled(undefined);
  }
  /** The stream has ended: gives what may be sent on another; the senders of the rest are told. */
  ended(stream: PartnerStream<InboundStream>, again: boolean): Directed[] {
    const waiting = this.#waiting.get(stream) ?? [];
    this.#waiting.delete(stream);
    return worthAgain(waiting, again);
  }
  /** Something that went by it is not acknowledged yet. */
  isBusy(stream: PartnerStream<InboundStream>): boolean {
    return (this.#waiting.get(stream)?.length ?? 0) > 0;
  }
  get pending(): number {
    let count = 0;
    for (const waiting of this.#waiting.values()) count += waiting.length;
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
