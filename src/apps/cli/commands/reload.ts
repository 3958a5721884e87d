import type { Command } from 'commander';
import { type Administered, administrationCommand, ask } from '../administered.ts';
import { exitStatus, printable, type Session } from '../terminal.ts';

/** `sallyport reload` */
export function addReload(root: Command, session: Session): void {
  administrationCommand(
    root,
    'reload',
    'read the document again; a document that cannot run changes nothing',
  ).action(async (options: Administered) => {
    const report = await ask(session, options, 'reload', {}, ({ outcome, version, problems }) =>
      [`${outcome}: document ${version} runs`, ...problems.map((problem) => `  ${printable(problem)}`)].join(
        '\n',
      ),
    );
    if (report !== undefined && report.outcome !== 'applied') session.finish(exitStatus.failed);
  });
}
