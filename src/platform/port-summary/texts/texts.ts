import type {
  Direction,
  EdgeSide,
  Interface,
  MediaProfile,
  PeerKind,
  PlannedService,
  Scenario,
  Section,
} from '#platform/topology';
import { en } from './en.ts';
import { fr } from './fr.ts';
import type { NoteId } from './notes.ts';
import type { RowTexts } from './rows.ts';

export type Language = 'en' | 'fr';

/** Whether a row stands open, stands in the plan for a service to come, or is left out. */
export type RowState = 'on' | 'off';

export type ColumnName = 'id' | 'role' | 'protocol' | 'port' | 'source' | 'destination' | 'direction' | 'why';

/** A place of the heading's table of addresses. */
export type AddressColumn = 'node' | Exclude<EdgeSide, 'loopback' | 'proxy' | 'proxyInside'>;

/** How a hardware load balancer treats a row, as it is told. */
export type ReachText =
  | 'node-inbound'
  | 'node-outbound'
  | 'virtual-inbound'
  | 'virtual-outbound'
  | 'both-inbound';

/**
 * Everything that is said, in one language. Plain data: `{name}` stands for a value, the same ones in every language.
 */
export interface Texts {
  readonly sections: Readonly<Record<Section, string>>;
  readonly columns: Readonly<Record<ColumnName, string>>;
  readonly addressColumns: Readonly<Record<AddressColumn, string>>;
  readonly roles: Readonly<Record<PlannedService, string>>;
  /** By the registry's word; a word that is not here (TLS, MTLS, SRTP) is the same in every language. */
  readonly securities: Readonly<Record<'none' | 'message-integrity' | 'none|STARTTLS' | 'SRTP|none', string>>;
  readonly directions: Readonly<Record<Direction, string>>;
  readonly interfaces: Readonly<Record<Interface, string>>;
  /** The edge's side of a row, with addresses that the outside sees and with ones that it does not. */
  readonly edge: Readonly<Record<EdgeSide, { readonly shown: string; readonly translated: string }>>;
  readonly peers: Readonly<Record<PeerKind, string>>;
  readonly scenarios: Readonly<Record<Scenario['id'], string>>;
  readonly states: Readonly<Record<RowState, string>>;
  readonly reach: Readonly<Record<ReachText, string>>;
  readonly profiles: Readonly<Record<MediaProfile, string>>;
  readonly heading: HeadingTexts;
  readonly why: WhyTexts;
  readonly cells: CellTexts;
  readonly explain: ExplainTexts;
  readonly notes: Readonly<Record<NoteId, string>>;
  readonly rows: RowTexts;
}

interface HeadingTexts {
  readonly title: string;
  readonly scenario: string;
  readonly nodes: string;
  readonly oneNode: string;
  readonly manyNodes: string;
  readonly singleAddress: string;
  readonly media: string;
  readonly noMedia: string;
  readonly rangeClosed: string;
  readonly rangeOut: string;
  readonly rangeBoth: string;
  readonly rows: string;
  readonly allRows: string;
  readonly noRows: string;
  readonly notes: string;
  readonly virtual: string;
}

interface WhyTexts {
  readonly always: string;
  readonly asked: string;
  readonly profiles: string;
  readonly same: string;
  readonly off: string;
  readonly set: string;
  readonly add: string;
  readonly name: string;
  readonly and: string;
  readonly or: string;
}

interface CellTexts {
  readonly fromTo: string;
  readonly translated: string;
  readonly virtual: string;
  readonly nodes: string;
  readonly nobody: string;
  readonly everybody: string;
  readonly list: string;
}

interface ExplainTexts {
  readonly directions: Readonly<Record<Direction, string>>;
  readonly head: string;
  readonly closed: string;
  readonly open: string;
  readonly same: string;
  readonly on: string;
  readonly off: string;
  readonly flow: string;
  readonly count: string;
  readonly internalRow: string;
  readonly unknownRow: string;
  readonly unknownPort: string;
  readonly noSuchPort: string;
}

const NO_BREAK_SPACE = '\u00a0';
const languages: Readonly<Record<Language, Texts>> = { en, fr: typeset(fr) };

/** Every language that the summary can be written in. */
export const languageNames = Object.keys(languages) as readonly Language[];

export function textsOf(language: Language): Texts {
  return languages[language];
}

/** The text with its values in place. A text that names a value which is not given is a bug. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`the text "${text}" has no value for ${name}`);
    return value;
  });
}

/** French spacing: no line break before `:`, `;`, `?`, inside quotation marks and between thousands. */
function typeset<Node>(node: Node): Node {
  if (typeof node === 'string') {
    return node
      .replace(/ (?=[:;?!»])/g, NO_BREAK_SPACE)
      .replace(/(?<=«) /g, NO_BREAK_SPACE)
      .replace(/(?<=\d) (?=\d{3}(?!\d))/g, NO_BREAK_SPACE) as Node;
  }
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, typeset(value)])) as Node;
}
