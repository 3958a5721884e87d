import type { Command } from 'commander';
import { explain, type Language } from '#platform/port-summary';
import { plannedDocument } from '../planned-document.ts';
import { exitStatus, printable, type Session } from '../terminal.ts';
import { languageOption } from './port-summary.ts';

/** `sallyport explain ROW|PORT [FILE]` */
export function addExplain(root: Command, session: Session): void {
  root
    .command('explain')
    .description('tell of a port row who talks to whom and why, and what closing or opening it means')
    .argument('<row or port>', 'such as ext-09, 5061, 3478/udp or 50000-59999')
    .argument('[file]', 'an edge.yaml, to hear how it stands there')
    .addOption(languageOption())
    .action((asked: string, file: string | undefined, { lang }: { lang: Language }) => {
      const document = file === undefined ? undefined : plannedDocument(session, file);
      if (file !== undefined && document === undefined) return;
      const told = explain(asked, {
        language: lang,
        ...(file === undefined || document === undefined ? {} : { document: { file, value: document } }),
      });
      const print = (text: string): string => text.split('\n').map(printable).join('\n');
      if (told.ok) return session.terminal.out(print(told.value));
      session.terminal.error(printable(told.error));
      session.finish(exitStatus.failed);
    });
}
