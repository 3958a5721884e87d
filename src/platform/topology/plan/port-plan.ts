import { addressFamily, hostNetwork } from '../address.ts';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import { valueAt } from '../value-at.ts';
import { type FeatureState, featureState } from './features.ts';
import { type EdgeAddress, edgeAddresses, nodes } from './nodes.ts';
import { rowDefinitions } from './rows/index.ts';
import type { InternalPeers, PeerKind, PortRange, PortSource, RowDefinition } from './rows/row-definition.ts';

/** `single` is one edge, `dns` and `hardware` are pools; `nat` says whether the external firewall translates. */
export interface Scenario {
  /** The scenario's id among the five that the field knows. */
  readonly id: 'S1' | 'S2' | 'S3' | 'S4' | 'S5';
  readonly balancing: 'none' | 'dns' | 'hardware';
  readonly nat: boolean;
  /** Every external service has the same address. */
  readonly singleAddress: boolean;
  readonly families: readonly (4 | 6)[];
  /** host.name of every edge. */
  readonly nodes: readonly string[];
}

/** What passes for a row: from or to which addresses of the edge's side, with whom, on which ports. */
export interface Flow {
  readonly edge: readonly EdgeAddress[];
  /** Networks in CIDR form on the other side. */
  readonly peers: readonly string[] | 'any';
  /** Where connections go to. */
  readonly ports: readonly PortRange[];
  /** Where they come from; absent when it may be any port. */
  readonly sourcePorts?: readonly PortRange[];
}

/** One row of the summary. */
export interface PlannedRow extends Omit<RowDefinition, 'port' | 'sourcePort' | 'feature' | 'peers'> {
  readonly peerKind: PeerKind;
  readonly feature: FeatureState;
  readonly on: boolean;
  /** One, but for next hop members that listen on different ports. What it would be, for a row that is off. */
  readonly flows: readonly Flow[];
}

export interface PortPlan {
  readonly scenario: Scenario;
  /** Every row, in the order of the tables, whether on or off. */
  readonly rows: readonly PlannedRow[];
}

/**
 * The port plan, a pure function of the document: as the firewalls around the perimeter see it, with the addresses of
 * every edge of the pool and of its load balancer.
 */
export function portPlan(document: EdgeDocument): PortPlan {
  return plan(document, {
    edge: (row) => edgeAddresses(document, row.edge, row.reach),
    poolMember: ({ address }) => address,
  });
}

/** The same as this host alone sees it: the other members by the addresses that the firewall shows of them. */
export function hostPortPlan(document: EdgeDocument): PortPlan {
  const { name } = document.host;
  return plan(document, {
    edge: (row) =>
      row.service === 'reverse-proxy'
        ? []
        : edgeAddresses(document, row.edge, 'node').filter(({ node }) => node === name),
    poolMember: ({ address, publicAddress }) => publicAddress ?? address,
  });
}

/** From where the plan is seen. */
interface View {
  edge(row: RowDefinition): readonly EdgeAddress[];
  /** The address of a pool member's relay as another member's relay meets it. */
  poolMember(member: EdgeAddress): string;
}

function plan(document: EdgeDocument, view: View): PortPlan {
  const rows = rowDefinitions.map((definition): PlannedRow => {
    const { port: _, sourcePort: __, feature: name, peers: peerKind, ...rest } = definition;
    const feature = featureState(name, document);
    return {
      ...rest,
      peerKind,
      feature,
      on: feature.on,
      flows: flowsOf(definition, document, view),
    };
  });
  return { scenario: scenarioOf(document), rows };
}

function flowsOf(row: RowDefinition, document: EdgeDocument, view: View): Flow[] {
  const edge = view.edge(row);
  const sourcePorts = row.sourcePort && portsOf(row.sourcePort, document);
  const source = sourcePorts === undefined ? {} : { sourcePorts };
  if (row.peers === 'next-hop') return nextHopFlows(edge, document);
  return [{ edge, peers: peersOf(row.peers, document, view), ports: portsOf(row.port, document), ...source }];
}

/** Members on the same port are one flow. */
function nextHopFlows(edge: readonly EdgeAddress[], document: EdgeDocument): Flow[] {
  const byPort = new Map<number, string[]>();
  for (const member of document.policy?.nextHop?.members ?? []) {
    if (member?.address === undefined || member.port === undefined) continue;
    const peers = byPort.get(member.port) ?? [];
    byPort.set(member.port, [...peers, hostNetwork(member.address)]);
  }
  return [...byPort].map(([port, peers]) => ({ edge, peers, ports: [{ first: port, last: port }] }));
}

function portsOf(source: PortSource, document: EdgeDocument): PortRange[] {
  if ('ranges' in source) return [...source.ranges];
  if ('relayRange' in source) {
    const { first, last } = document.policy?.relay?.ports ?? {};
    return first === undefined || last === undefined ? [] : [{ first, last }];
  }
  const port = valueAt(document, source.setting);
  if (typeof port !== 'number') return [];
  return [{ first: port + (source.plus ?? 0), last: port + (source.plus ?? 0) }];
}

function peersOf(kind: PeerKind, document: EdgeDocument, view: View): readonly string[] | 'any' {
  const policy = document.policy;
  switch (kind) {
    case 'any':
    case 'public-provider':
    case 'client':
      return 'any';
    case 'resolvers': {
      const resolvers = hosts(document.host?.resolvers);
      return resolvers.length === 0 ? 'any' : resolvers;
    }
    case 'time-servers':
      return hosts(document.host?.timeServers);
    case 'next-hop':
      return hosts(policy?.nextHop?.members?.map((member) => member?.address));
    case 'pool':
      if (nodes(document).length < 2) return [];
      return hosts(edgeAddresses(document, 'av', 'node').map((member) => view.poolMember(member)));
    case 'administrators':
      return present(document.host?.administration?.remote?.networks);
    case 'web-services':
      return hosts(policy?.reverseProxy?.webServices);
    case 'office-web-apps':
      return hosts(policy?.reverseProxy?.officeWebApps);
    case 'this-host':
      return hosts([document.host?.administration?.metrics?.address]);
    default:
      return present(policy?.internalPeers?.[kind.slice('internal:'.length) as InternalPeers]);
  }
}

function present(texts: readonly (string | undefined)[] | undefined): string[] {
  return [...new Set((texts ?? []).filter((text) => text !== undefined))];
}

function hosts(addresses: readonly (string | undefined)[] | undefined): string[] {
  return present(addresses).map(hostNetwork);
}

function scenarioOf(document: EdgeDocument): Scenario {
  const { balancing } = document.policy.pool;
  const { access, webConferencing, av, public: shown } = document.host.addresses;
  const nat = [...shown.access, ...shown.webConferencing, ...shown.av].length > 0;
  const families = ([4, 6] as const).filter((family) =>
    [...access, ...webConferencing, ...av].some((address) => addressFamily(address) === family),
  );
  const id = balancing === 'hardware' ? 'S5' : balancing === 'dns' ? (nat ? 'S4' : 'S3') : nat ? 'S2' : 'S1';
  const singleAddress = [webConferencing, av].every((other) => other.join() === access.join());
  const names = nodes(document).map(({ name }) => name ?? '');
  return { id, balancing, nat, singleAddress, families, nodes: names };
}
