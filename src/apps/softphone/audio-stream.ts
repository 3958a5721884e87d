import type { Cancel, Clock, Monotonic, Random } from '#kernel';
import { SAMPLES_PER_PACKET, Tone, toneShare } from './g711.ts';
import { decodeRtp, encodeRtp } from './rtp.ts';

/** Where media leaves and arrives: a relayed path in the lab, a plain socket in tests. */
export interface MediaPath {
  send(packet: Buffer): void;
  onPacket: (packet: Buffer) => void;
}

export interface AudioStatistics {
  readonly sent: number;
  readonly received: number;
  /** Sequence numbers between the first and the last received that never came. */
  readonly lost: number;
  /** Arrived twice. */
  readonly duplicates: number;
  /** Share of the received energy at the tone that was listened for, 0..1. */
  readonly tone: number;
}

export interface AudioStreamOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly path: MediaPath;
  /** The tone to send, in hertz. */
  readonly tone: number;
  /** The tone to listen for, in hertz. */
  readonly expect: number;
}

const PACKET_MS = 20;
const SEQUENCES = 65_536;

/** G.711 both ways, 50 packets a second, with an account of what arrived. */
export class AudioStream {
  readonly #options: AudioStreamOptions;
  readonly #tone: Tone;
  readonly #ssrc: number;
  #sequence: number;
  #timestamp: number;
  #sent = 0;
  #started: Monotonic = 0;
  #timer: Cancel | undefined;
  readonly #received = new Set<number>();
  #first: number | undefined;
  #highest = 0;
  #duplicates = 0;
  #toneSum = 0;

  constructor(options: AudioStreamOptions) {
    this.#options = options;
    this.#tone = new Tone(options.tone);
    const seed = Buffer.from(options.random.bytes(10));
    this.#ssrc = seed.readUInt32BE(0);
    this.#timestamp = seed.readUInt32BE(4);
    this.#sequence = seed.readUInt16BE(8);
    options.path.onPacket = (packet) => this.#handlePacket(packet);
  }

  start(): void {
    this.#started = this.#options.clock.now();
    this.#tick();
  }
  /** Sends no more; what is still under way is received. */
  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }
  statistics(): AudioStatistics {
    const span = this.#first === undefined ? 0 : this.#highest - this.#first + 1;
    return {
      sent: this.#sent,
      received: this.#received.size + this.#duplicates,
      lost: span - this.#received.size,
      duplicates: this.#duplicates,
      tone: this.#received.size === 0 ? 0 : this.#toneSum / this.#received.size,
    };
  }

  /** Keeps to the schedule of the start, so that a late timer is made up for and the rate stays 50/s. */
  #tick(): void {
    const { clock, path } = this.#options;
    const due = Math.floor((clock.now() - this.#started) / PACKET_MS) + 1;
    while (this.#sent < due) {
      path.send(
        encodeRtp(
          {
            payloadType: 0,
            marker: this.#sent === 0,
            sequence: this.#sequence,
            timestamp: this.#timestamp,
            ssrc: this.#ssrc,
          },
          this.#tone.next(),
        ),
      );
      this.#sent += 1;
      this.#sequence = (this.#sequence + 1) % SEQUENCES;
      this.#timestamp = (this.#timestamp + SAMPLES_PER_PACKET) % 2 ** 32;
    }
    const next = this.#started + this.#sent * PACKET_MS;
    this.#timer = clock.after(next - clock.now(), () => this.#tick());
  }

  #handlePacket(packet: Buffer): void {
    const decoded = decodeRtp(packet);
    if (decoded === undefined) return;
    const extended = this.#extend(decoded.header.sequence);
    if (this.#received.has(extended)) {
      this.#duplicates += 1;
      return;
    }
    this.#received.add(extended);
    this.#toneSum += toneShare(decoded.payload, this.#options.expect);
  }

  /** The sequence number without its wrap (RFC 3550 §A.1, simplified: nearest to the highest so far). */
  #extend(sequence: number): number {
    if (this.#first === undefined) {
      // Room below for packets that arrive before the first one in order.
      const extended = SEQUENCES + sequence;
      this.#first = extended;
      this.#highest = extended;
      return extended;
    }
    let extended = this.#highest - (this.#highest % SEQUENCES) + sequence;
    if (extended - this.#highest > SEQUENCES / 2) extended -= SEQUENCES;
    else if (this.#highest - extended > SEQUENCES / 2) extended += SEQUENCES;
    this.#first = Math.min(this.#first, extended);
    this.#highest = Math.max(this.#highest, extended);
    return extended;
  }
}
