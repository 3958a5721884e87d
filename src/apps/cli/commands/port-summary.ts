import { type Command, Option } from 'commander';
import {
  formatNames,
  type Language,
  languageNames,
  portSummary,
  renderSummary,
  type SummaryFormat,
} from '#platform/port-summary';
import { plannedDocument } from '../planned-document.ts';
import type { Session } from '../terminal.ts';

interface SummarySettings {
  readonly format: SummaryFormat;
  readonly lang: Language;
  readonly all?: true;
}

/** `sallyport port-summary FILE`, `sallyport ports FILE` */
export function addPortSummary(root: Command, session: Session): void {
  root
    .command('port-summary')
    .alias('ports')
    .description('list what has to be open around an edge, row by row, and why')
    .argument('<file>', 'an edge.yaml')
    .addOption(new Option('--format <format>', 'how it is printed').choices(formatNames).default('terminal'))
    .addOption(languageOption())
    .option('--all', 'show rows that are off too, with what would open them')
    .action((file: string, { format, lang, all }: SummarySettings) => {
      const document = plannedDocument(session, file);
      if (document === undefined) return;
      const summary = portSummary(document, { language: lang, all: all === true });
      // A rendering ends with a line feed, and so does what a terminal prints.
      session.terminal.out(renderSummary(summary, format).replace(/\n$/, ''));
    });
}

export function languageOption(): Option {
  return new Option('--lang <language>', 'language of the texts').choices(languageNames).default('en');
}
