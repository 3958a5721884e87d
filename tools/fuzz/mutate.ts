import type { SeededRandom } from '#kernel';

const INTERESTING = [0, 1, 9, 10, 13, 32, 34, 44, 47, 58, 59, 60, 62, 64, 92, 0x7f, 0x80, 0xff];
const LARGEST_INPUT = 70_000;

type Mutation = (input: Buffer, random: SeededRandom, other: Buffer) => Buffer;

function at(random: SeededRandom, length: number): number {
  return length === 0 ? 0 : random.integer(length);
}

const flipBit: Mutation = (input, random) => {
  const copy = Buffer.from(input);
  const index = at(random, copy.length);
  if (copy.length > 0) copy[index] = (copy[index] ?? 0) ^ (1 << random.integer(8));
  return copy;
};
const setByte: Mutation = (input, random) => {
  const copy = Buffer.from(input);
  const value = INTERESTING[random.integer(INTERESTING.length)] ?? 0;
  if (copy.length > 0) copy[at(random, copy.length)] = random.integer(2) === 0 ? value : random.integer(256);
  return copy;
};
const erase: Mutation = (input, random) => {
  const from = at(random, input.length);
  const to = Math.min(input.length, from + 1 + random.integer(16));
  return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
};
const insert: Mutation = (input, random) => {
  const from = at(random, input.length + 1);
  return Buffer.concat([input.subarray(0, from), random.bytes(1 + random.integer(8)), input.subarray(from)]);
};
const repeat: Mutation = (input, random) => {
  const from = at(random, input.length);
  const piece = input.subarray(from, from + 1 + random.integer(64));
  const times = 1 + random.integer(8);
  return Buffer.concat([input.subarray(0, from), ...Array<Buffer>(times).fill(piece), input.subarray(from)]);
};
const truncate: Mutation = (input, random) => input.subarray(0, at(random, input.length + 1));
const splice: Mutation = (input, random, other) =>
  Buffer.concat([
    input.subarray(0, at(random, input.length + 1)),
    other.subarray(at(random, other.length + 1)),
  ]);
const number: Mutation = (input, random) => {
  const text = ['0', '-1', '65536', '4294967295', '4294967296', '999999999999999999999'];
  const from = at(random, input.length + 1);
  const value = Buffer.from(text[random.integer(text.length)] ?? '0');
  return Buffer.concat([input.subarray(0, from), value, input.subarray(from + value.length)]);
};

const MUTATIONS: readonly Mutation[] = [flipBit, setByte, erase, insert, repeat, truncate, splice, number];

/** One to four stacked mutations of an input; never longer than 70,000 bytes. */
export function mutate(input: Buffer, random: SeededRandom, other: Buffer): Buffer {
  let result = input;
  const rounds = 1 + random.integer(4);
  for (let round = 0; round < rounds; round++) {
    const mutation = MUTATIONS[random.integer(MUTATIONS.length)] ?? flipBit;
    result = mutation(result, random, other);
  }
  return result.length > LARGEST_INPUT ? result.subarray(0, LARGEST_INPUT) : result;
}
