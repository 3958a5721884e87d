import { type AddressPair, addresses, type EdgeName, edgeNames } from '../network/addresses.ts';
import type { HostName } from '../network/perimeter-network.ts';
import { observing, type Watch } from '../observe/observer.ts';
import { differences, merged, type PortsByTarget, targetText, unplanned } from '../observe/ports.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import type { NegativeCheck } from './finding.ts';
import { PORTS } from './packets.ts';
import { plannedOutbound } from './planned.ts';
import { newSourcePort, sweep } from './sweep.ts';

/** Whom an intruder on an edge asks, from which of its addresses. */
export interface Attempt {
  readonly edge: EdgeName;
  readonly source: AddressPair;
  readonly target: HostName;
  readonly destination: AddressPair;
  /** Instead of a port of the sweep's own. */
  readonly sourcePort?: number;
}

const { edge1, edge2, frontEnd, counterparts, bob, partner, resolver } = addresses;
const RELAY = 3478;
const RELAYED = 50_123;
const fromEdge1 = { edge: 'edge1' } as const;
const toNextHop = { target: 'frontEnd', destination: frontEnd } as const;
const toPartner = { target: 'partner', destination: partner } as const;

const inward: readonly Attempt[] = [
  { ...fromEdge1, ...toNextHop, source: edge1.internal },
  { ...fromEdge1, source: edge1.internal, target: 'counterparts', destination: counterparts },
  { ...fromEdge1, source: edge1.internal, target: 'bob', destination: bob },
  { edge: 'edge2', ...toNextHop, source: edge2.internal },
];
/** The next hop's 5061, asked by addresses that have no business there. */
const inwardAsOthers: readonly Attempt[] = [
  { ...fromEdge1, ...toNextHop, source: edge1.access },
  { ...fromEdge1, ...toNextHop, source: partner },
  { ...fromEdge1, ...toNextHop, source: bob },
];
const outward: readonly Attempt[] = [
  { ...fromEdge1, ...toPartner, source: edge1.access },
  { ...fromEdge1, ...toPartner, source: edge1.webConferencing },
  { ...fromEdge1, ...toPartner, source: edge1.av },
  { ...fromEdge1, ...toPartner, source: edge1.av, sourcePort: RELAY },
  { ...fromEdge1, ...toPartner, source: edge1.av, sourcePort: RELAYED },
  { ...fromEdge1, ...toPartner, source: edge1.internal },
  { ...fromEdge1, source: edge1.access, target: 'outsideServers', destination: resolver },
];

/**
 * What an intruder who is root on an edge can reach. First with the edge's own rules in force, then without them, since
 * root takes them away: frames of the intruder's making, stopped by the firewalls alone.
 */
export const inwardChecks: readonly NegativeCheck[] = [
  { name: 'root on an edge, its rules in force, every port of hosts inside and outside', run: withRules },
  intruder('root on an edge without its rules, every port inside', inward),
  intruder('the same with the addresses of others', inwardAsOthers),
];
export const outwardChecks: readonly NegativeCheck[] = [
  intruder('root on an edge without its rules, every port outside', outward),
];

function intruder(name: string, attempts: readonly Attempt[]): NegativeCheck {
  return {
    name,
    async run(perimeter) {
      const findings: string[] = [];
      for (const attempt of attempts) findings.push(...(await tryFrames(perimeter, attempt)));
      return findings;
    },
  };
}

/** Frames bypass the rules of the host that sends them: what arrives is what the firewall lets pass. */
export async function tryFrames(perimeter: Perimeter, attempt: Attempt): Promise<string[]> {
  const sourcePort = attempt.sourcePort ?? newSourcePort();
  const isInside = ['frontEnd', 'counterparts', 'bob'].includes(attempt.target);
  const firewall = perimeter.host(isInside ? 'internalFirewall' : 'externalFirewall');
  const destinations = [attempt.destination.v4, attempt.destination.v6];
  const order = {
    from: { host: perimeter.host(attempt.edge), interface: isInside ? 'int' : 'ext' },
    to: { host: firewall, interface: 'edges' },
    source: attempt.source,
    destinations,
    sourcePort,
  };
  const planned = plannedOf(perimeter, attempt, sourcePort);
  const as = `from ${attempt.source.v4} / ${attempt.source.v6}`;
  return observing(
    [
      [firewall, [{ point: 'wire', what: 'packets', sourcePort }]],
      [perimeter.host(attempt.target), [{ point: 'wire', what: 'ports', sourcePort, swallow: true }]],
    ],
    async ([witness, target]) => {
      await sweep(perimeter, order, witness);
      const seen = (await target?.ports()) ?? new Map();
      return differences(seen, planned).map((line) => `${attempt.edge} to ${attempt.target}, ${as}: ${line}`);
    },
  );
}

function plannedOf(perimeter: Perimeter, attempt: Attempt, port: number): PortsByTarget {
  const document = perimeter.document(attempt.edge);
  const { source, destination, edge } = attempt;
  return new Map(
    (['v4', 'v6'] as const).flatMap((family) => [
      ...plannedOutbound(document, edge, { address: source[family], port }, destination[family]),
    ]),
  );
}

/**
 * Packets of root that do pass the edge's own rules, as every program's do: nothing leaves that the plan does not name,
 * and little of that, since most flows are for the services' account only.
 */
async function withRules(perimeter: Perimeter): Promise<string[]> {
  const findings = await Promise.all(
    edgeNames.flatMap((edge) => (['v4', 'v6'] as const).map((family) => scan(perimeter, edge, family))),
  );
  return findings.flat();
}

const SCAN = ['-n', '-Pn', '-sS', '-sU', '-T5', '--min-rate', '100000', '--max-retries', '0', '--send-ip'];
const targets = [frontEnd, bob, partner];

async function scan(perimeter: Perimeter, edge: EdgeName, family: 'v4' | 'v6'): Promise<string[]> {
  const sourcePort = newSourcePort();
  const host = perimeter.host(edge);
  const destinations = targets.map((target) => target[family]);
  const version = family === 'v6' ? ['-6'] : [];
  const asked = destinations.flatMap((address) => [targetText(address, 'tcp'), targetText(address, 'udp')]);
  const planned = plannedFor(perimeter, edge, family, sourcePort);
  const atFirewall: Watch[] = [{ point: 'wire', what: 'ports', sourcePort }];
  return observing(
    [
      [host, [{ point: 'sent', what: 'packets', sourcePort }]],
      [perimeter.host('internalFirewall'), atFirewall],
      [perimeter.host('externalFirewall'), atFirewall],
    ],
    async ([witness, ...firewalls]) => {
      await host.run('nmap', [...version, ...SCAN, '-g', `${sourcePort}`, '-p', '1-65535', ...destinations]);
      const packets = (await witness?.packets()) ?? new Map<string, number>();
      const unasked = asked.filter((target) => (packets.get(target) ?? 0) < PORTS);
      const seen = merged(await Promise.all(firewalls.map((firewall) => firewall.ports())));
      return [
        ...unasked.map((target) => `${edge}: not every port of ${target} was asked`),
        ...unplanned(seen, planned).map((line) => `root on ${edge}: ${line}`),
      ];
    },
  );
}

/** What the plan lets out of the addresses that the kernel chooses for root. */
function plannedFor(perimeter: Perimeter, edge: EdgeName, family: 'v4' | 'v6', port: number): PortsByTarget {
  const document = perimeter.document(edge);
  const own = [addresses[edge].access[family], addresses[edge].internal[family]];
  return merged(
    own.flatMap((address) =>
      targets.map((target) => plannedOutbound(document, edge, { address, port }, target[family])),
    ),
  );
}
