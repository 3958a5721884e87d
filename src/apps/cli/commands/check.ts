import { type Command, Option } from 'commander';
import { checkDocument, type DocumentKind } from '#platform/topology';
import { exitStatus, type Session } from '../terminal.ts';

/** `sallyport check FILE` */
export function addCheck(root: Command, session: Session): void {
  root
    .command('check')
    .description('say everything that is wrong with a document, and what to write instead')
    .argument('<file>', 'an edge.yaml or internal.yaml')
    .addOption(
      new Option(
        '--kind <kind>',
        'which document it is meant to be; told from its sections when left out',
      ).choices(['edge', 'internal']),
    )
    .action((file: string, { kind }: { kind?: DocumentKind }) => {
      const { report, errors } = checkDocument(file, kind);
      session.terminal.out(report);
      if (errors > 0) session.finish(exitStatus.failed);
    });
}
