import type { EdgeAddress, Flow, PlannedRow, PortPlan } from '#platform/topology';
import type { Side, SideAddress, SummaryFlow } from './model.ts';
import type { Texts } from './texts/texts.ts';

/** The flows of a row as source and destination. */
export function flowsOf(row: PlannedRow, { scenario }: PortPlan, texts: Texts): SummaryFlow[] {
  return row.flows.map((flow) => {
    const outward = row.direction === 'outbound';
    const from = flow.sourcePorts ?? 'any';
    const edge = edgeSide(row, flow, scenario.nat, texts);
    const peer = peerSide(row, flow, texts);
    return outward
      ? { source: { ...edge, ports: from }, destination: { ...peer, ports: flow.ports } }
      : { source: { ...peer, ports: from }, destination: { ...edge, ports: flow.ports } };
  });
}

type Ported = Omit<Side, 'ports'>;

function edgeSide(row: PlannedRow, flow: Flow, nat: boolean, texts: Texts): Ported {
  const { shown, translated } = texts.edge[row.edge];
  const ours = row.edge !== 'proxy' && row.edge !== 'proxyInside';
  return {
    term: nat ? translated : shown,
    addresses: flow.edge.map((one) => sideAddress(one, ours && one.node === undefined)),
  };
}

export function sideAddress({ node, address, publicAddress }: EdgeAddress, virtual: boolean): SideAddress {
  return { address, node: node ?? null, publicAddress: publicAddress ?? null, virtual };
}

function peerSide(row: PlannedRow, { peers }: Flow, texts: Texts): Ported {
  const term = texts.peers[row.peerKind];
  if (peers === 'any') return { term, addresses: peers };
  return {
    term,
    addresses: peers.map((address) => ({ address, node: null, publicAddress: null, virtual: false })),
  };
}
