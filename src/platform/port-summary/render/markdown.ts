import type { NodeAddresses, PortSummary, SummaryTable } from '../model.ts';
import { fill, type Texts, textsOf } from '../texts/texts.ts';
import { addressText, noteMarks, portCell, protocolCell, sideCell, whyCell } from './cells.ts';

/** Markdown with the tables of GitHub; `level` is that of its first heading, 1 to 5. Ends with a line feed. */
export function renderMarkdown(summary: PortSummary, level = 1): string {
  const texts = textsOf(summary.language);
  const title = escaped(fill(texts.heading.title, { site: summary.site }));
  const under = `${'#'.repeat(level + 1)} `;
  const sentences = summary.sentences.map((sentence, index) =>
    escaped(index === 0 ? `${sentence}${noteMarks(summary.scenarioNotes)}` : sentence),
  );
  const blocks = [
    `${'#'.repeat(level)} ${title}`,
    ...sentences,
    addressTable(summary.addresses, texts),
    ...summary.tables.flatMap((table) => [`${under}${escaped(table.title)}`, tableOf(table, summary, texts)]),
  ];
  if (summary.notes.length > 0) {
    const notes = summary.notes.map(({ number, text }) => `${number}. ${escaped(text)}`);
    blocks.push(`${under}${texts.heading.notes}`, notes.join('\n'));
  }
  return `${blocks.join('\n\n')}\n`;
}

function addressTable(nodes: readonly NodeAddresses[], texts: Texts): string {
  const { node, access, webConferencing, av, internal } = texts.addressColumns;
  return table(
    [node, access, webConferencing, av, internal],
    nodes.map((line) => {
      const { places } = line;
      const cells = [places.access, places.webConferencing, places.av, places.internal];
      return [
        line.node ?? texts.heading.virtual,
        ...cells.map((addresses) => joined(addresses.map((one) => addressText(one, texts)))),
      ];
    }),
  );
}

function tableOf({ rows }: SummaryTable, { language }: PortSummary, texts: Texts): string {
  if (rows.length === 0) return texts.heading.noRows;
  const { id, role, protocol, port, source, destination, direction, why } = texts.columns;
  return table(
    [id, role, protocol, port, source, destination, direction, why],
    rows.flatMap((row) =>
      row.flows.map((flow) => [
        joined(row.state === 'on' ? [row.id] : [row.id, texts.states[row.state]]),
        escaped(row.role),
        escaped(protocolCell(row, texts)),
        escaped(portCell(row.transport, flow, language)),
        joined(sideCell(flow.source, texts)),
        joined(sideCell(flow.destination, texts)),
        texts.directions[row.direction],
        escaped(whyCell(row)),
      ]),
    ),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Paragraphs of a cell; a table of Markdown knows no line feed. */
function joined(paragraphs: readonly string[]): string {
  return paragraphs.map(escaped).join('<br>');
}

/** Nothing in a text is markup, whatever a document calls its site. */
function escaped(text: string): string {
  return text.replace(/[\\`*_<>|[\]#&]/g, (mark) => `\\${mark}`);
}
