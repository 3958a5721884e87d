import type { EdgeDocument } from '#platform/topology';
import { type Flow, networkContains, type PlannedRow, type PortRange, portPlan } from '#platform/topology';
import { type EdgeName, internalNetworks } from '../network/addresses.ts';
import { addRange, type PortsByTarget, targetText } from '../observe/ports.ts';
import { names } from '../programs/documents.ts';

/** One sender of a sweep. */
export interface Sender {
  readonly address: string;
  readonly port: number;
}

/** What the plan lets in from this sender, by way of one side of the edges. */
export function plannedInbound(
  document: EdgeDocument,
  side: 'external' | 'internal',
  sender: Sender,
): PortsByTarget {
  const planned = new Map<string, Set<number>>();
  for (const { row, flow } of flowsOf(document, 'inbound', side)) {
    if (!isPeer(flow, sender.address) || !inRanges(flow.sourcePorts, sender.port)) continue;
    for (const { address } of flow.edge) {
      if (!sameFamily(address, sender.address)) continue;
      for (const ports of flow.ports) addRange(planned, targetText(address, row.transport), ports);
    }
  }
  return planned;
}

/** What the plan lets out of one address of an edge, to one address on the other side. */
export function plannedOutbound(
  document: EdgeDocument,
  edge: EdgeName,
  sender: Sender,
  destination: string,
): PortsByTarget {
  const planned = new Map<string, Set<number>>();
  for (const side of ['external', 'internal'] as const) {
    for (const { row, flow } of flowsOf(document, 'outbound', side)) {
      const ours = flow.edge.some(({ address, node }) => address === sender.address && node === names[edge]);
      if (!ours || !isPeer(flow, destination) || !inRanges(flow.sourcePorts, sender.port)) continue;
      for (const ports of flow.ports) addRange(planned, targetText(destination, row.transport), ports);
    }
  }
  return planned;
}

function flowsOf(document: EdgeDocument, direction: 'inbound' | 'outbound', side: 'external' | 'internal') {
  const rows: readonly PlannedRow[] = portPlan(document).rows.filter(
    (row) =>
      row.on && row.direction === direction && row.interface === side && row.service !== 'reverse-proxy',
  );
  return rows.flatMap((row) => row.flows.map((flow) => ({ row, flow })));
}

/** "Any" is everybody outside. */
function isPeer({ peers }: Flow, address: string): boolean {
  const holds = (network: string) => networkContains(network, address);
  return peers === 'any' ? !internalNetworks.some(holds) : peers.some(holds);
}

function inRanges(ranges: readonly PortRange[] | undefined, port: number): boolean {
  return ranges === undefined || ranges.some(({ first, last }) => first <= port && port <= last);
}

function sameFamily(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':');
}
