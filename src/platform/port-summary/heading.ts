import {
  type EdgeDocument,
  type EdgeSide,
  edgeAddresses,
  type PlannedRow,
  type PortPlan,
} from '#platform/topology';
import type { NodeAddresses, RelayRange, SideAddress } from './model.ts';
import { overlap, portProse } from './ports.ts';
import { sideAddress } from './sides.ts';
import { fill, type Language, textsOf } from './texts/texts.ts';

type Place = keyof NodeAddresses['places'] & EdgeSide;
const PLACES: readonly Place[] = ['access', 'webConferencing', 'av', 'internal'];

/** Every edge with its addresses, then those of the load balancer. */
export function addressesOf(document: EdgeDocument): NodeAddresses[] {
  const all = PLACES.map((place) => [place, edgeAddresses(document, place, 'both')] as const);
  const names = new Set(all.flatMap(([, addresses]) => addresses.map(({ node }) => node)));
  const lines = [...names].map((name): NodeAddresses => {
    const at = (place: Place): SideAddress[] =>
      (all.find(([other]) => other === place)?.[1] ?? [])
        .filter(({ node }) => node === name)
        .map((one) => sideAddress(one, name === undefined));
    const [access, webConferencing, av, internal] = [
      at('access'),
      at('webConferencing'),
      at('av'),
      at('internal'),
    ];
    return { node: name ?? null, places: { access, webConferencing, av, internal } };
  });
  return [...lines.filter(({ node }) => node !== null), ...lines.filter(({ node }) => node === null)];
}

/** What all rows together ask of the relay range towards the outside; the other edges of a pool are not outside. */
export function relayRangeOf({ policy }: EdgeDocument, { rows }: PortPlan): RelayRange {
  const ports = policy.relay.ports;
  const touches = (row: PlannedRow): boolean =>
    row.on &&
    row.service === 'av' &&
    row.interface === 'external' &&
    row.peerKind !== 'pool' &&
    row.flows.some(({ ports: to, sourcePorts: from }) =>
      (row.direction === 'inbound' ? to : (from ?? [])).some((range) => overlap(range, ports)),
    );
  const open = rows.filter(touches).map(({ direction }) => direction);
  const { media, federation } = policy.features;
  return {
    ports,
    profiles: media && federation ? policy.federation.mediaProfiles : [],
    publicProviders: rows.some(({ feature }) => feature.name === 'publicProviderMedia' && feature.on),
    open: open.includes('inbound') ? 'both' : open.includes('outbound') ? 'outbound' : 'closed',
  };
}

interface Heading {
  readonly document: EdgeDocument;
  readonly plan: PortPlan;
  readonly relayRange: RelayRange;
  readonly language: Language;
  readonly all: boolean;
}

/** What stands above the tables, a sentence or two each. */
export function sentencesOf({ document, plan, relayRange, language, all }: Heading): string[] {
  const { heading, scenarios } = textsOf(language);
  const { id, families, nodes, singleAddress } = plan.scenario;
  const count =
    nodes.length === 1 ? heading.oneNode : fill(heading.manyNodes, { number: String(nodes.length) });
  const on = plan.rows.filter((row) => row.on);
  const sentences = [
    fill(heading.scenario, {
      id,
      title: scenarios[id],
      families: families.map((family) => `IPv${family}`).join(', '),
    }),
    fill(heading.nodes, { count, names: nodes.join(', ') }),
  ];
  if (singleAddress) sentences.push(fill(heading.singleAddress, servicePorts(document)));
  sentences.push(mediaSentence(relayRange, language));
  sentences.push(fill(heading.rows, { on: String(on.length) }));
  const off = plan.rows.length - on.length;
  if (all && off > 0) sentences.push(fill(heading.allRows, { off: String(off) }));
  return sentences;
}

function mediaSentence({ profiles, publicProviders, ports, open }: RelayRange, language: Language): string {
  const { heading } = textsOf(language);
  const askers = [...profiles, ...(publicProviders ? ['policy.features.publicProviderMedia'] : [])];
  if (askers.length === 0) return heading.noMedia;
  const verdict = { closed: heading.rangeClosed, outbound: heading.rangeOut, both: heading.rangeBoth }[open];
  const range = portProse([ports], language);
  return fill(heading.media, { profiles: askers.join(', '), verdict: fill(verdict, { range }) });
}

function servicePorts({ policy: { ports } }: EdgeDocument): Record<string, string> {
  return {
    clients: String(ports.accessClients),
    partners: String(ports.accessFederation),
    conferencing: String(ports.webConferencing),
    av: String(ports.avTcp),
  };
}
