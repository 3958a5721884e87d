/** G.711 as RTP carries it: 8000 samples a second, one byte a sample. */
export const SAMPLE_RATE = 8000;
/** 20 ms, the usual packet (RFC 3551 §4.5.14). */
export const SAMPLES_PER_PACKET = 160;

const BIAS = 0x84;
const CLIP = 32_635;

/** One 16-bit sample as µ-law (payload type 0). */
export function encodeUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), CLIP) + BIAS;
  const exponent = 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

/** The 16-bit sample that a µ-law byte stands for. */
export function decodeUlaw(byte: number): number {
  const value = ~byte & 0xff;
  const exponent = (value >> 4) & 0x07;
  const magnitude = (((value & 0x0f) << 3) + BIAS) << exponent;
  return (value & 0x80) !== 0 ? BIAS - magnitude : magnitude - BIAS;
}

/** A sine tone as an endless source of µ-law packets. */
export class Tone {
  readonly #step: number;
  #phase = 0;

  /** @param hertz 1..4000 */
  constructor(hertz: number) {
    this.#step = (2 * Math.PI * hertz) / SAMPLE_RATE;
  }
  next(): Buffer {
    const packet = Buffer.allocUnsafe(SAMPLES_PER_PACKET);
    for (let index = 0; index < SAMPLES_PER_PACKET; index++) {
      packet[index] = encodeUlaw(Math.round(Math.sin(this.#phase) * 8000));
      this.#phase = (this.#phase + this.#step) % (2 * Math.PI);
    }
    return packet;
  }
}

/** How much of `hertz` is in the samples, 0..1 of their whole energy (Goertzel's filter). */
export function toneShare(payload: Uint8Array, hertz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / SAMPLE_RATE);
  let previous = 0;
  let beforeThat = 0;
  let energy = 0;
  for (const byte of payload) {
    const sample = decodeUlaw(byte);
    energy += sample * sample;
    const current = sample + coefficient * previous - beforeThat;
    beforeThat = previous;
    previous = current;
  }
  if (energy === 0) return 0;
  const power = previous ** 2 + beforeThat ** 2 - coefficient * previous * beforeThat;
  return Math.min(1, (2 * power) / (payload.length * energy));
}
