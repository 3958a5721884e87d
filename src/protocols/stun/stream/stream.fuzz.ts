import type { FuzzTarget } from '#tools/fuzz';
import { openingOf } from './first-bytes.ts';
import { StunFramer } from './stun-framer.ts';

const LIMIT = 512;

/** The same frames and the same fault, whether the stream comes whole or an octet at a time; its first bytes stay judged. */
function fuzzStream(input: Uint8Array): void {
  const whole = framesOf([Buffer.from(input)]);
  const single = framesOf(Array.from(input, (octet) => Buffer.from([octet])));
  if (whole.join() !== single.join()) throw new Error(`${whole.join()} is not ${single.join()}`);
  let judged = 'more';
  for (let length = 0; length <= Math.min(input.length, 64); length++) {
    const opening = openingOf(input.subarray(0, length));
    if (judged !== 'more' && opening !== judged) throw new Error(`${judged} became ${opening}`);
    judged = opening;
  }
}

function framesOf(chunks: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const framer = new StunFramer(LIMIT, (frame) => {
    if (frame.length < 4 || frame.length > LIMIT || frame.length % 4 !== 0)
      throw new Error(`a frame of ${frame.length} octets`);
    seen.push(frame.toString('hex'));
  });
  for (const chunk of chunks) {
    const fault = framer.push(chunk);
    if (fault === undefined) continue;
    seen.push(fault);
    break;
  }
  return seen;
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'stun-stream',
    seeds: [
      Buffer.from('000100042112a4420000000000000000000000008022000040000003616263004fff0000', 'hex'),
      Buffer.from('16030100c8', 'hex'),
      Buffer.from(`160301002d010000290301${'5a'.repeat(32)}00000200180100`, 'hex'),
      Buffer.from('0200001400010000', 'hex'),
    ],
    run: fuzzStream,
  },
];
