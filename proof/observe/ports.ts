import type { PortRange } from '#platform/topology';

/** Ports by who was asked for them: `198.51.100.11 tcp` to its ports. */
export type PortsByTarget = ReadonlyMap<string, ReadonlySet<number>>;

/** A target as the sets of ports name it. */
export function targetText(address: string, transport: 'tcp' | 'udp'): string {
  return `${address} ${transport}`;
}

export function addPort(ports: Map<string, Set<number>>, target: string, port: number): void {
  const known = ports.get(target) ?? new Set();
  known.add(port);
  ports.set(target, known);
}
export function addRange(ports: Map<string, Set<number>>, target: string, { first, last }: PortRange): void {
  for (let port = first; port <= last; port += 1) addPort(ports, target, port);
}

/** What is in one and not in the other, one line for each target; empty when they are the same. */
export function differences(arrived: PortsByTarget, planned: PortsByTarget): string[] {
  const missing = without(planned, arrived).map((line) => `${line} did not arrive, and the plan opens it`);
  return [...unplanned(arrived, planned), ...missing];
}

/** What arrived although it is not in the plan, one line for each target. */
export function unplanned(arrived: PortsByTarget, planned: PortsByTarget): string[] {
  return without(arrived, planned).map((line) => `${line} arrived, and no row of the plan opens it`);
}

function without(ports: PortsByTarget, others: PortsByTarget): string[] {
  return [...ports].flatMap(([target, here]) => {
    const left = [...here].filter((port) => others.get(target)?.has(port) !== true);
    return left.length === 0 ? [] : [`${target} ${portsText(left)}`];
  });
}

/** `443, 5061, 50000-59999` */
export function portsText(ports: Iterable<number>): string {
  const ranges: { first: number; last: number }[] = [];
  for (const port of [...ports].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && range.last === port - 1) range.last = port;
    else ranges.push({ first: port, last: port });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}

/** All of them together. */
export function merged(all: readonly PortsByTarget[]): PortsByTarget {
  const sum = new Map<string, Set<number>>();
  for (const [target, ports] of all.flatMap((one) => [...one])) {
    const known = sum.get(target) ?? new Set();
    for (const port of ports) known.add(port);
    sum.set(target, known);
  }
  return sum;
}
