import type { Clock } from '#kernel';
import type { EventLevel, ProviderName } from '#protocols/log-query';
import { CAPTURE_FRAME_BYTES, type CapturedProtocol, captureMark, writeCapture } from './event-frames.ts';

/** What is wanted of one provider right now, and the way to give it. */
export interface Tap {
  /** 0 while nobody asks for anything; else the last of `LEVEL` that is wanted. */
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
  /** Made once a connection by `peerLabel`. */
  readonly peer: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Of one message; what is longer is cut, and its length told. */
export const MESSAGE_BYTES = 20_480;

/** Where the taps of a ring write the next message, and how far they may go before they have to ask the ring. */
export class WritePlace {
  octets: Uint8Array = new Uint8Array(0);
  at = 0;
  /** The frame has to end before this offset. */
  limit = 0;
  /** Messages. */
  left = 0;

  allow(octets: Uint8Array, at: number, limit: number, left: number): void {
    this.octets = octets;
    this.at = at;
    this.limit = limit;
    this.left = left;
  }
}

/**
 * A message is kept between others that take a hundred times as long, so that caches hold nothing of this: what counts is how little
 * is touched. Nearly always that is the tap, the place and the octets; the ring is asked when a run begins or is long enough.
 */
export class RingTap implements Tap {
  level = 0;
  readonly #provider: ProviderName;
  readonly #place: WritePlace;
  readonly #clock: Clock;
  readonly #ask: (octets: number) => boolean;
  readonly #stored: () => void;
  /** What the message before was, and its mark. */
  #protocol: CapturedProtocol = 'sip';
  #level: EventLevel = 'info';
  #incoming: number;
  #outgoing: number;

  /**
   * @param ask makes room for a frame of so many octets; false when it must not be kept
   * @param stored called after a message for which room was asked
   */
  constructor(
    provider: ProviderName,
    place: WritePlace,
    clock: Clock,
    ask: (octets: number) => boolean,
    stored: () => void,
  ) {
    this.#provider = provider;
    this.#place = place;
    this.#clock = clock;
    this.#ask = ask;
    this.#stored = stored;
    this.#incoming = this.#markOf('in');
    this.#outgoing = this.#markOf('out');
  }

  message({ protocol, level, direction, peer, bytes }: TappedMessage): void {
    if (protocol !== this.#protocol || level !== this.#level) {
      this.#protocol = protocol;
      this.#level = level;
      this.#incoming = this.#markOf('in');
      this.#outgoing = this.#markOf('out');
    }
    const kept = bytes.length > MESSAGE_BYTES ? bytes.subarray(0, MESSAGE_BYTES) : bytes;
    const octets = CAPTURE_FRAME_BYTES + peer.length + kept.length;
    const place = this.#place;
    const isAsked = place.left === 0 || place.at + octets >= place.limit;
    if (isAsked && !this.#ask(octets)) return;
    const mark = direction === 'in' ? this.#incoming : this.#outgoing;
    place.at = writeCapture(place.octets, place.at, mark, this.#clock.wall(), peer, kept, bytes.length);
    place.left -= 1;
    if (isAsked) this.#stored();
  }

  #markOf(direction: 'in' | 'out'): number {
    return captureMark({
      provider: this.#provider,
      protocol: this.#protocol,
      level: this.#level,
      direction,
    });
  }
}
