import type { PortSummary } from '../model.ts';
import { renderCsv } from './csv.ts';
import { renderMarkdown } from './markdown.ts';
import { renderTerminal } from './terminal.ts';

const formats = {
  terminal: renderTerminal,
  markdown: (summary: PortSummary): string => renderMarkdown(summary),
  csv: renderCsv,
  json: (summary: PortSummary): string => `${JSON.stringify(summary, undefined, 2)}\n`,
} as const;

export type SummaryFormat = keyof typeof formats;

/** Every format, the one for people first. */
export const formatNames = Object.keys(formats) as readonly SummaryFormat[];

/** A summary in a format, a pure function of both. Ends with a line feed. */
export function renderSummary(summary: PortSummary, format: SummaryFormat): string {
  return formats[format](summary);
}
