import { addressFamily, hostNetwork, networkWithin, type PortRange } from '#platform/topology';

/** The networks of one family, without those that lie in another of them: a set of ranges holds no range twice. */
export function networksOf(family: 4 | 6, networks: readonly string[]): string[] {
  const ofFamily = [...new Set(networks)].filter((network) => addressFamily(network) === family);
  return ofFamily.filter(
    (network) => !ofFamily.some((other) => other !== network && networkWithin(network, other)),
  );
}

/** The networks that hold one address each. */
export function hosts(addresses: readonly string[]): string[] {
  return addresses.map(hostNetwork);
}

/** The same ports in ascending order, ranges that touch or overlap made one. */
export function mergedRanges(ranges: readonly PortRange[]): PortRange[] {
  const merged: PortRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const last = merged.at(-1);
    if (last === undefined || range.first > last.last + 1) merged.push(range);
    else merged[merged.length - 1] = { first: last.first, last: Math.max(last.last, range.last) };
  }
  return merged;
}

/** `443`, `50000-59999` */
export function rangeText({ first, last }: PortRange, dash = '-'): string {
  return first === last ? `${first}` : `${first}${dash}${last}`;
}
