import type { Random } from '#kernel';
import type { ServiceRecord } from '../resolver/index.ts';

/**
 * SRV records in the order in which they are to be tried: by priority, and within one by chance, in proportion to
 * weight; weight 0 has a small chance beside others (RFC 2782, "Usage rules").
 */
export function orderServices(records: readonly ServiceRecord[], random: Random): ServiceRecord[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((one, other) => one - other);
  return priorities.flatMap((priority) =>
    orderByWeight(
      records.filter((record) => record.priority === priority),
      random,
    ),
  );
}

function orderByWeight(records: readonly ServiceRecord[], random: Random): ServiceRecord[] {
  const left = [...records].sort((one, other) => Number(one.weight > 0) - Number(other.weight > 0));
  const ordered: ServiceRecord[] = [];
  while (left.length > 0) {
    const sum = left.reduce((total, { weight }) => total + weight, 0);
    const chosen = integerUpTo(sum, random);
    let running = 0;
    const index = left.findIndex(({ weight }) => {
      running += weight;
      return running >= chosen;
    });
    ordered.push(...left.splice(index, 1));
  }
  return ordered;
}

/** An integer in 0..most, all equally likely but for a part in 2^16 of 2^48. */
function integerUpTo(most: number, random: Random): number {
  const bytes = random.bytes(6);
  let number = 0;
  for (const byte of bytes) number = number * 256 + byte;
  return Math.floor((number / 2 ** 48) * (most + 1));
}
