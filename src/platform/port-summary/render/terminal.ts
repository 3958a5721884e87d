import type { NodeAddresses, PortSummary, SummaryRow, SummaryTable } from '../model.ts';
import { fill, type Texts, textsOf } from '../texts/texts.ts';
import { addressText, noteMarks, portCell, protocolCell, sideCell, whyCell } from './cells.ts';
import { type Cell, indented, rowLines, widthsOf, wrapped } from './columns.ts';

/** Fits a terminal of 120 columns. */
const WIDTH = 118;
/** id, role, protocol, port, source, destination, direction; with six gaps of two they are as wide as a line. */
const WIDEST = [7, 16, 13, 17, 22, 22, 9];
/** The line that says why stands under its row. */
const UNDER_ID = 9;
const WIDEST_ADDRESSES = [24, 20, 20, 20, 20];

/** Tables for a terminal of 120 columns, without colours. Ends with a line feed. */
export function renderTerminal(summary: PortSummary): string {
  const texts = textsOf(summary.language);
  const title = fill(texts.heading.title, { site: summary.site });
  const heading = summary.sentences.flatMap((sentence, index) =>
    wrapped(index === 0 ? `${sentence}${noteMarks(summary.scenarioNotes)}` : sentence, WIDTH),
  );
  const lines = [
    ...wrapped(title, WIDTH),
    '',
    ...heading,
    '',
    ...addressLines(summary.addresses, texts),
    ...summary.tables.flatMap((table) => ['', ...tableLines(table, summary, texts)]),
  ];
  if (summary.notes.length > 0) lines.push('', texts.heading.notes.toUpperCase());
  for (const { number, text } of summary.notes) {
    const [first = '', ...rest] = indented(text, 5, WIDTH);
    lines.push(`${`[${number}]`.padEnd(5)}${first.trimStart()}`, ...rest);
  }
  return `${lines.join('\n')}\n`;
}

function addressLines(nodes: readonly NodeAddresses[], texts: Texts): string[] {
  const { node, access, webConferencing, av, internal } = texts.addressColumns;
  const head: Cell[] = [node, access, webConferencing, av, internal].map((name) => [name.toUpperCase()]);
  const rows = nodes.map((line): Cell[] => {
    const { places } = line;
    const cells = [places.access, places.webConferencing, places.av, places.internal];
    return [
      [line.node ?? texts.heading.virtual],
      ...cells.map((addresses) => addresses.map((one) => addressText(one, texts))),
    ];
  });
  const widths = widthsOf([head, ...rows], WIDEST_ADDRESSES);
  return [head, ...rows].flatMap((row) => rowLines(row, widths));
}

function tableLines({ title, rows }: SummaryTable, { language }: PortSummary, texts: Texts): string[] {
  if (rows.length === 0) return [title.toUpperCase(), texts.heading.noRows];
  const { id, role, protocol, port, source, destination, direction } = texts.columns;
  const head: Cell[] = [id, role, protocol, port, source, destination, direction].map((name) => [
    name.toUpperCase(),
  ]);
  const cells = rows.map((row) =>
    row.flows.map((flow): Cell[] => [
      row.state === 'on' ? [row.id] : [row.id, texts.states[row.state]],
      [row.role],
      [protocolCell(row, texts)],
      [portCell(row.transport, flow, language)],
      sideCell(flow.source, texts),
      sideCell(flow.destination, texts),
      [texts.directions[row.direction]],
    ]),
  );
  const widths = widthsOf([head, ...cells.flat()], WIDEST);
  const body = rows.flatMap((row, index) => [
    ...(cells[index] ?? []).flatMap((flow) => rowLines(flow, widths)),
    ...whyLines(row),
  ]);
  return [title.toUpperCase(), ...rowLines(head, widths), ...body];
}

function whyLines(row: SummaryRow): string[] {
  return indented(whyCell(row), UNDER_ID, WIDTH);
}
