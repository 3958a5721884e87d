import type {
  Direction,
  Interface,
  MediaProfile,
  PlannedService,
  PortRange,
  Reach,
  Scenario,
  Section,
  Transport,
} from '#platform/topology';
import type { NoteId } from './texts/notes.ts';
import type { AddressColumn, Language, RowState } from './texts/texts.ts';

/*
 * What is rendered. `--format json` prints it as it stands, so its keys are a promise to those who read it: new ones may
 * come, none goes or changes its meaning while `version` is 1.
 */

export interface PortSummary {
  readonly version: 1;
  readonly language: Language;
  /** policy.site */
  readonly site: string;
  readonly scenario: Scenario & { readonly title: string };
  /** The addresses of every edge, and of the hardware load balancer if there is one. */
  readonly addresses: readonly NodeAddresses[];
  readonly relayRange: RelayRange;
  /** What stands above the tables: the scenario, the media of partners, how many rows. */
  readonly sentences: readonly string[];
  /** Numbers of the notes that belong to the scenario as a whole. */
  readonly scenarioNotes: readonly number[];
  /** All six, even without rows. */
  readonly tables: readonly SummaryTable[];
  readonly notes: readonly Note[];
}

export interface NodeAddresses {
  /** host.name of the edge; null for the load balancer. */
  readonly node: string | null;
  readonly places: Readonly<Record<Exclude<AddressColumn, 'node'>, readonly SideAddress[]>>;
}

/** What the media profiles of all partners together ask of the relay range. */
export interface RelayRange {
  readonly ports: PortRange;
  readonly profiles: readonly MediaProfile[];
  /** Whether media with users of public providers asks for it too. */
  readonly publicProviders: boolean;
  readonly open: 'closed' | 'outbound' | 'both';
}

export interface SummaryTable {
  readonly section: Section;
  readonly title: string;
  readonly rows: readonly SummaryRow[];
}

export interface SummaryRow {
  readonly id: string;
  readonly state: RowState;
  readonly service: PlannedService;
  readonly role: string;
  readonly protocol: string;
  /** The registry's word: TLS, MTLS, none, SRTP, message-integrity, ... */
  readonly security: string;
  readonly transport: Transport;
  readonly direction: Direction;
  readonly interface: Interface;
  /** One; several where members of the next hop listen on different ports. */
  readonly flows: readonly SummaryFlow[];
  readonly purpose: string;
  /** Which setting asks for it, or what would. */
  readonly why: string;
  readonly settings: readonly string[];
  readonly profiles: readonly MediaProfile[];
  /** How a hardware load balancer takes it; null in the other scenarios. */
  readonly reach: Reach | null;
  readonly sameAs: string | null;
  readonly notes: readonly number[];
}

export interface SummaryFlow {
  readonly source: Side;
  readonly destination: Side;
}

export interface Side {
  readonly term: string;
  /** Of the edge single addresses, of its peers networks in CIDR form. */
  readonly addresses: readonly SideAddress[] | 'any';
  readonly ports: readonly PortRange[] | 'any';
}

export interface SideAddress {
  readonly address: string;
  /** host.name of the edge that has it. */
  readonly node: string | null;
  /** What the outside sees in its place. */
  readonly publicAddress: string | null;
  /** Whether it is an address of the hardware load balancer. */
  readonly virtual: boolean;
}

export interface Note {
  readonly number: number;
  readonly id: NoteId;
  readonly text: string;
}
