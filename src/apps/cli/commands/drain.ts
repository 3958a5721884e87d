import type { Command } from 'commander';
import type { DrainReport } from '#platform/service';
import { type Administered, administrationCommand, ask } from '../administered.ts';
import { exitStatus, printable, type Session, table } from '../terminal.ts';

/** `sallyport drain` and `sallyport undrain` */
export function addDrain(root: Command, session: Session): void {
  add(root, session, 'drain', 'take nothing new; what runs goes on');
  add(root, session, 'undrain', 'take new work again');
}

function add(root: Command, session: Session, verb: 'drain' | 'undrain', description: string): void {
  administrationCommand(root, verb, description)
    .argument('[service]', 'one service; all when left out')
    .action(async (service: string | undefined, options: Administered) => {
      const report = await ask(session, options, verb, service === undefined ? {} : { service }, render);
      if (report?.services.some(({ problem }) => problem !== undefined)) session.finish(exitStatus.failed);
    });
}

function render(report: DrainReport): string {
  return table([
    ['SERVICE', 'REMAINING', ''],
    ...report.services.map(({ name, remaining, problem }) => [
      name,
      String(remaining),
      printable(problem ?? ''),
    ]),
  ]);
}
