import {
  type EdgeDocument,
  type PlannedRow,
  type PortPlan,
  portPlan,
  type Section,
} from '#platform/topology';
import { addressesOf, relayRangeOf, sentencesOf } from './heading.ts';
import type { PortSummary, SummaryRow } from './model.ts';
import { type Notes, notesTo } from './notes.ts';
import { reason } from './reasons.ts';
import { flowsOf } from './sides.ts';
import { rowText } from './texts/row-text.ts';
import { type Language, type RowState, type Texts, textsOf } from './texts/texts.ts';

export interface SummaryOptions {
  /** Default: English. */
  readonly language?: Language;
  /** Show rows that are off too, with what would open them. */
  readonly all?: boolean;
}

const SECTIONS: readonly Section[] = ['external', 'internal', 'federation', 'pic', 'xmpp', 'more'];

/**
 * The port summary of a document, a pure function of it: the five tables of the original, and a sixth with the rows
 * beyond. `all` adds rows that are off.
 */
export function portSummary(document: EdgeDocument, options: SummaryOptions = {}): PortSummary {
  const { language = 'en', all = false } = options;
  const texts = textsOf(language);
  const plan = portPlan(document);
  const shown = plan.rows.filter((row) => row.on || all);
  const notes = notesTo(shown, plan, texts);
  const context: Context = { document, plan, notes, texts };
  const relayRange = relayRangeOf(document, plan);
  return {
    version: 1,
    language,
    site: harmless(document.policy.site),
    scenario: { ...plan.scenario, title: texts.scenarios[plan.scenario.id] },
    addresses: addressesOf(document),
    relayRange,
    sentences: sentencesOf({ document, plan, relayRange, language, all }),
    scenarioNotes: notes.ofScenario,
    tables: SECTIONS.map((section) => ({
      section,
      title: texts.sections[section],
      rows: shown.filter((row) => row.section === section).map((row) => summaryRow(row, context)),
    })),
    notes: notes.all,
  };
}

interface Context {
  readonly document: EdgeDocument;
  readonly plan: PortPlan;
  readonly notes: Notes;
  readonly texts: Texts;
}

function summaryRow(row: PlannedRow, context: Context): SummaryRow {
  const { document, plan, notes, texts } = context;
  const hardware = plan.scenario.balancing === 'hardware' && onAnEdge(row);
  const why = reason(row, document, texts);
  return {
    id: row.id,
    state: stateOf(row),
    service: row.service,
    role: texts.roles[row.service],
    protocol: row.protocol,
    security: row.security,
    transport: row.transport,
    direction: row.direction,
    interface: row.interface,
    flows: flowsOf(row, plan, texts),
    purpose: rowText(texts, row.id).purpose,
    why: hardware ? `${why} ${reachText(row, texts)}` : why,
    settings: row.feature.settings,
    profiles: row.feature.profiles ?? [],
    reach: hardware ? row.reach : null,
    sameAs: row.sameAs ?? null,
    notes: notes.ofRow(row.id),
  };
}

function stateOf({ on }: PlannedRow): RowState {
  return on ? 'on' : 'off';
}

/** Whether a load balancer in front of the edges could see the row at all. */
function onAnEdge({ edge }: PlannedRow): boolean {
  return edge !== 'loopback' && edge !== 'proxy' && edge !== 'proxyInside';
}

function reachText({ reach, direction }: PlannedRow, texts: Texts): string {
  if (reach === 'both') return texts.reach['both-inbound'];
  return texts.reach[`${reach}-${direction}`];
}

/** Line and paragraph separators, which a name may hold, would break a table. */
function harmless(text: string): string {
  return text.replace(/[\p{Zl}\p{Zp}]/gu, ' ');
}
