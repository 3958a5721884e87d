import { err, ok, type Result } from '#kernel';
import { type EdgeDocument, portPlan } from '#platform/topology';
import type { Side, SummaryFlow, SummaryRow } from '../model.ts';
import { portList, portProse } from '../ports.ts';
import { portCell, protocolCell, sideCell } from '../render/cells.ts';
import { wrapped } from '../render/columns.ts';
import { portSummary } from '../summary.ts';
import { consequences } from '../texts/row-text.ts';
import { fill, type Language, type Texts, textsOf } from '../texts/texts.ts';
import { type KnownRow, plannedRow, rowsWith, tellingPorts, usualRows } from './known-rows.ts';
import { parseQuery, type Query } from './query.ts';

export interface ExplainOptions {
  /** Default: English. */
  readonly language?: Language;
  /** Says of each row whether it is on there, and with which addresses; ports are those of the document. */
  readonly document?: { readonly file: string; readonly value: EdgeDocument };
}

/** Columns of a paragraph. */
const WIDTH = 100;
const INTERNAL_ROW = 'more-02';

/**
 * Tells a row, or every row with a port, in a paragraph each. The error says what is not known and what is; both come
 * without a final line feed.
 */
export function explain(asked: string, options: ExplainOptions = {}): Result<string, string> {
  const teller = new Teller(options);
  const query = parseQuery(asked);
  const outcome =
    query === undefined
      ? err(fill(teller.texts.explain.unknownPort, { query: asked }))
      : teller.answer(asked, query);
  return outcome.ok ? ok(paragraphs(outcome.value)) : err(outcome.error);
}

function paragraphs(texts: readonly string[]): string {
  return texts.map((text) => wrapped(text, WIDTH).join('\n')).join('\n\n');
}

class Teller {
  readonly language: Language;
  readonly texts: Texts;
  readonly #rows: readonly KnownRow[];
  readonly #file: string;
  readonly #inDocument: ReadonlyMap<string, SummaryRow>;

  constructor({ language = 'en', document }: ExplainOptions) {
    this.language = language;
    this.texts = textsOf(language);
    this.#file = document?.file ?? '';
    this.#rows = document === undefined ? usualRows() : portPlan(document.value).rows.map(plannedRow);
    const tables = document === undefined ? [] : portSummary(document.value, { language, all: true }).tables;
    this.#inDocument = new Map(tables.flatMap(({ rows }) => rows.map((row) => [row.id, row] as const)));
  }

  answer(asked: string, query: Query): Result<string[], string> {
    return query.kind === 'row' ? this.#row(query.id) : this.#port(asked, query);
  }

  #row(id: string): Result<string[], string> {
    if (id === INTERNAL_ROW) return ok([this.texts.explain.internalRow]);
    const row = this.#rows.find((candidate) => candidate.id === id);
    if (row !== undefined) return ok([this.#tell(row)]);
    return err(fill(this.texts.explain.unknownRow, { query: id, rows: this.#idRanges() }));
  }

  #port(asked: string, query: Extract<Query, { kind: 'port' }>): Result<string[], string> {
    const { count, noSuchPort } = this.texts.explain;
    const found = rowsWith(this.#rows, query);
    if (found.length === 0) return err(fill(noSuchPort, { query: asked, ports: this.#everyPort() }));
    const told = found.map((row) => this.#tell(row));
    if (found.length === 1) return ok(told);
    const range = portProse([query.range], this.language);
    const port = query.transport === undefined ? range : `${query.transport.toUpperCase()} ${range}`;
    const rows = found.map(({ id }) => id).join(', ');
    return ok([fill(count, { count: String(found.length), port, rows }), ...told]);
  }

  /** Who, why, what if closed, what if open, and how it stands in the document. */
  #tell(row: KnownRow): string {
    const { explain: words, interfaces, roles } = this.texts;
    const { story, closed, open } = consequences(this.texts, row.id, row.sameAs);
    const sentences = [
      fill(words.head, {
        row: row.id,
        protocol: protocolCell(row, this.texts),
        port: this.#ports(row),
        direction: words.directions[row.direction],
        interface: interfaces[row.interface],
        role: roles[row.service],
      }),
      story,
    ];
    if (row.sameAs !== undefined) sentences.push(fill(words.same, { row: row.sameAs }));
    sentences.push(fill(words.closed, { closed }), fill(words.open, { open }));
    const inDocument = this.#inDocument.get(row.id);
    if (inDocument !== undefined) sentences.push(...this.#standing(inDocument));
    return sentences.join(' ');
  }

  #ports({ transport, ports, sourcePorts }: KnownRow): string {
    const from = sourcePorts.length === 0 ? 'any' : sourcePorts;
    const nobody: Omit<Side, 'ports'> = { term: '', addresses: [] };
    const flow: SummaryFlow = {
      source: { ...nobody, ports: from },
      destination: { ...nobody, ports },
    };
    return portCell(transport, flow, this.language);
  }

  #standing(row: SummaryRow): string[] {
    const { on, off, flow } = this.texts.explain;
    const { why } = row;
    if (row.state === 'off') return [fill(off, { file: this.#file, why })];
    const flows = row.flows.map((one) =>
      fill(flow, {
        port: portCell(row.transport, one, this.language),
        source: this.#side(one.source),
        destination: this.#side(one.destination),
      }),
    );
    return [fill(on, { file: this.#file, why }), ...flows];
  }

  #side(side: Side): string {
    const [term = '', ...addresses] = sideCell(side, this.texts);
    if (addresses.length === 0) return term;
    return fill(this.texts.cells.list, { term, addresses: addresses.join('; ') });
  }

  /** `ext-01…ext-16, fed-01` */
  #idRanges(): string {
    const tables = Map.groupBy(this.#rows, ({ id }) => id.split('-')[0]);
    return [...tables.values()]
      .map((rows) => {
        const ids = rows.map(({ id }) => id).sort();
        return ids.length === 1 ? ids[0] : `${ids[0]}…${ids.at(-1)}`;
      })
      .join(', ');
  }

  #everyPort(): string {
    const ranges = new Map(
      this.#rows.flatMap(tellingPorts).map((range) => [portList([range]), range] as const),
    );
    const sorted = [...ranges.values()].sort((a, b) => a.first - b.first || a.last - b.last);
    return portProse(sorted, this.language);
  }
}
