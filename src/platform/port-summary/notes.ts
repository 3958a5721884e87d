import type { PlannedRow, PortPlan, Scenario } from '#platform/topology';
import type { Note } from './model.ts';
import { portList } from './ports.ts';
import { type NoteId, notedRows, noteIds } from './texts/notes.ts';
import { fill, type Texts } from './texts/texts.ts';

/** The notes of a summary, numbered as a reader meets them. */
export interface Notes {
  readonly ofScenario: readonly number[];
  readonly ofRow: (id: string) => readonly number[];
  readonly all: readonly Note[];
}

/** Notes to what is shown, first those to the scenario, then row by row. */
export function notesTo(shown: readonly PlannedRow[], { scenario }: PortPlan, texts: Texts): Notes {
  const nodeOnly = nodeOnlyPorts(shown);
  const applies = (id: NoteId): boolean =>
    notedRows[id].length === 0 && scenarioNote(id, scenario, nodeOnly !== '');
  const ofScenario = noteIds.filter(applies);
  const ofRows = shown.flatMap(({ id }) => noteIds.filter((note) => notedRows[note].includes(id)));
  const ids = [...new Set([...ofScenario, ...ofRows])];
  return {
    ofScenario: ofScenario.map((_, index) => index + 1),
    ofRow: (id) => ids.flatMap((note, index) => (notedRows[note].includes(id) ? [index + 1] : [])),
    all: ids.map((id, index) => ({
      number: index + 1,
      id,
      text: fill(texts.notes[id], { ports: nodeOnly }),
    })),
  };
}

function scenarioNote(id: NoteId, scenario: Scenario, nodeOnly: boolean): boolean {
  const hardware = scenario.balancing === 'hardware';
  switch (id) {
    case 'routed':
      return !scenario.nat && !hardware;
    case 'translated':
      return scenario.nat;
    case 'hairpin':
      return scenario.nat && scenario.balancing === 'dns';
    case 'balancer':
    case 'balancer-443-out':
      return hardware;
    case 'balancer-node-only':
      return hardware && nodeOnly;
    case 'single-address':
      return scenario.singleAddress;
    case 'both-families':
      return scenario.families.includes(6);
    default:
      return false;
  }
}

/** The ports inside that each node listens on for itself. */
function nodeOnlyPorts(rows: readonly PlannedRow[]): string {
  const ranges = rows
    .filter((row) => row.section === 'internal' && row.direction === 'inbound' && row.reach === 'node')
    .flatMap(({ flows }) => flows.flatMap(({ ports }) => ports));
  return portList(ranges);
}
