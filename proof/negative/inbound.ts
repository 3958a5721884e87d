import { type AddressPair, addresses, type EdgeName, edgeNames, edgeSides } from '../network/addresses.ts';
import type { HostName } from '../network/perimeter-network.ts';
import { observing, type Watch } from '../observe/observer.ts';
import { differences, merged, type PortsByTarget } from '../observe/ports.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import type { NegativeCheck } from './finding.ts';
import { plannedInbound } from './planned.ts';
import { newSourcePort, sweep } from './sweep.ts';

/** How a sweep comes to the edges: from which side, through which firewall, as whom. */
interface Approach {
  readonly side: 'external' | 'internal';
  readonly sender: HostName;
  readonly source: AddressPair;
  readonly firewall: 'externalFirewall' | 'internalFirewall';
  /** The firewall's interface towards the sender. */
  readonly towardsSender: string;
}

const fromInternet: Approach = {
  side: 'external',
  sender: 'alice',
  source: addresses.alice,
  firewall: 'externalFirewall',
  towardsSender: 'out',
};
const inside = { side: 'internal', firewall: 'internalFirewall', towardsSender: 'in' } as const;
const fromFrontEnd: Approach = { ...inside, sender: 'frontEnd', source: addresses.frontEnd };
const fromCounterparts: Approach = { ...inside, sender: 'counterparts', source: addresses.counterparts };
const fromBob: Approach = { ...inside, sender: 'bob', source: addresses.bob };

const everything = edgeNames.flatMap((edge) => allAddresses(edge));
const innerAddresses = edgeNames.flatMap((edge) => both(addresses[edge].internal));

/** From outside: by the external firewall with its rules, and past it, as if it let everything through. */
export const outsideChecks: readonly NegativeCheck[] = [
  throughFirewall('from the Internet, every port of every address', fromInternet, everything),
  pastFirewall('outside, with the rules of the edge alone', fromInternet),
];

/** From inside, likewise. */
export const insideChecks: readonly NegativeCheck[] = [
  throughFirewall('from the next hop, every port of every address', fromFrontEnd, everything),
  throughFirewall('from the other counterparts, every port inside', fromCounterparts, innerAddresses),
  throughFirewall('from a client inside, every port inside', fromBob, innerAddresses),
  pastFirewall('inside, with the rules of the edge alone', fromFrontEnd),
];

/** What comes through to the wire of the edges is what the plan says, and gets past their own rules. */
function throughFirewall(name: string, approach: Approach, destinations: readonly string[]): NegativeCheck {
  return { name, run: (perimeter) => sweepThrough(perimeter, approach, destinations) };
}

/** One address, from the Internet: what the experiments of `injected.ts` look at. */
export function sweepFromInternet(perimeter: Perimeter, destination: string): Promise<string[]> {
  return sweepThrough(perimeter, fromInternet, [destination]);
}

async function sweepThrough(
  perimeter: Perimeter,
  approach: Approach,
  destinations: readonly string[],
): Promise<string[]> {
  const sourcePort = newSourcePort();
  const firewall = perimeter.host(approach.firewall);
  const atEdges: Watch[] = [
    { point: 'wire', what: 'ports', sourcePort },
    { point: 'delivered', what: 'ports', sourcePort, swallow: true },
  ];
  const order = {
    from: { host: perimeter.host(approach.sender), interface: 'eth' },
    to: { host: firewall, interface: approach.towardsSender },
    source: approach.source,
    destinations,
    sourcePort,
  };
  const planned = plannedOf(perimeter, approach, destinations, sourcePort);
  return observing(
    [
      [firewall, [{ point: 'wire', what: 'packets', sourcePort }]],
      ...edgeNames.map((edge) => [perimeter.host(edge), atEdges] as const),
    ],
    async ([witness, ...edges]) => {
      await sweep(perimeter, order, witness);
      const findings: string[] = [];
      for (const [watch, where] of ['at the interface', 'past the rules of the edge'].entries()) {
        const seen = merged(await Promise.all(edges.map((edge) => edge.ports(watch))));
        findings.push(...differences(seen, planned).map((line) => `${where}: ${line}`));
      }
      return findings;
    },
  );
}

function pastFirewall(name: string, approach: Approach): NegativeCheck {
  return {
    name,
    async run(perimeter) {
      const findings: string[] = [];
      for (const edge of edgeNames)
        findings.push(...(await sweepPast(perimeter, edge, allAddresses(edge), approach)));
      return findings;
    },
  };
}

/** Frames put on the edge's own wire by the firewall's interface: its rules never see them. */
export async function sweepPast(
  perimeter: Perimeter,
  edge: EdgeName,
  destinations: readonly string[],
  approach: Approach = fromFrontEnd,
): Promise<string[]> {
  const sourcePort = newSourcePort();
  const watches: Watch[] = [
    { point: 'wire', what: 'packets', sourcePort },
    { point: 'delivered', what: 'ports', sourcePort, swallow: true },
  ];
  const order = {
    from: { host: perimeter.host(approach.firewall), interface: 'edges' },
    to: { host: perimeter.host(edge), interface: approach.side === 'external' ? 'ext' : 'int' },
    source: approach.source,
    destinations,
    sourcePort,
  };
  const planned = plannedOf(perimeter, approach, destinations, sourcePort);
  return observing([[perimeter.host(edge), watches]], async ([observer]) => {
    await sweep(perimeter, order, observer);
    const seen = (await observer?.ports(1)) ?? new Map();
    return differences(seen, planned).map((line) => `past the rules of ${edge}: ${line}`);
  });
}

function plannedOf(
  perimeter: Perimeter,
  { side, source }: Approach,
  destinations: readonly string[],
  port: number,
): PortsByTarget {
  const asked = new Set(destinations.flatMap((address) => [`${address} tcp`, `${address} udp`]));
  const ofFamily = both(source).map((address) =>
    plannedInbound(perimeter.document('edge1'), side, { address, port }),
  );
  return new Map([...merged(ofFamily)].filter(([target]) => asked.has(target)));
}

function allAddresses(edge: EdgeName): string[] {
  return edgeSides.flatMap((side) => both(addresses[edge][side]));
}

function both({ v4, v6 }: AddressPair): string[] {
  return [v4, v6];
}
