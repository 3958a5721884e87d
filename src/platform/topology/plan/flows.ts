import { addressFamily } from '../address.ts';
import type { EdgeAddress } from './nodes.ts';
import type { Flow, PlannedRow, PortPlan } from './port-plan.ts';
import type { Direction, Interface, PortRange, Transport } from './rows/row-definition.ts';
import type { PlannedService } from './service-names.ts';

/** What one firewall rule lets pass: rows that are the same flow are one. */
export interface DistinctFlow {
  /** Ids of the rows that it carries, in the order of the tables. */
  readonly rows: readonly string[];
  readonly family: 4 | 6;
  readonly transport: Transport;
  readonly direction: Direction;
  readonly interface: Interface;
  readonly service: PlannedService;
  readonly edge: readonly EdgeAddress[];
  readonly peers: readonly string[] | 'any';
  readonly ports: readonly PortRange[];
  readonly sourcePorts?: readonly PortRange[];
}

/**
 * The distinct flows of the rows that are on, narrower ones first, so that a counter of its own sees what a wider
 * flow would take as well. IPv4 and IPv6 are flows of their own; a row without addresses in a family has none there.
 */
export function distinctFlows(plan: PortPlan): DistinctFlow[] {
  const flows = new Map<string, DistinctFlow>();
  for (const row of plan.rows) {
    if (!row.on) continue;
    for (const flow of row.flows) for (const family of [4, 6] as const) add(flows, row, flow, family);
  }
  return [...flows.values()].sort((a, b) => width(a) - width(b));
}

function add(flows: Map<string, DistinctFlow>, row: PlannedRow, flow: Flow, family: 4 | 6): void {
  const edge = flow.edge.filter(({ address }) => addressFamily(address) === family);
  const peers =
    flow.peers === 'any' ? flow.peers : flow.peers.filter((peer) => addressFamily(peer) === family);
  if (edge.length === 0 || peers.length === 0 || flow.ports.length === 0) return;
  const { transport, direction, interface: side, service } = row;
  const rest = { ...flow, family, transport, direction, interface: side, edge, peers };
  const addresses = edge.map(({ address }) => address);
  const key = JSON.stringify([transport, direction, side, addresses, peers, flow.ports, flow.sourcePorts]);
  const known = flows.get(key);
  const rows = [...(known?.rows ?? []), row.id];
  flows.set(key, { ...rest, service: known?.service ?? service, rows });
}

const MOST_PORTS = 65536;

/** Named peers before everybody, few ports before many. */
function width({ peers, ports, sourcePorts }: DistinctFlow): number {
  const count = (ranges: readonly PortRange[]): number =>
    ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const from = sourcePorts === undefined ? MOST_PORTS : count(sourcePorts);
  return (peers === 'any' ? 2 * MOST_PORTS * MOST_PORTS : 0) + count(ports) * from;
}
