import type { Command } from 'commander';
import { type Administered, administrationCommand, ask } from '../administered.ts';
import type { Session } from '../terminal.ts';

/** `sallyport metrics` */
export function addMetrics(root: Command, session: Session): void {
  administrationCommand(
    root,
    'metrics',
    'print the metrics of all services in the Prometheus text format',
  ).action(async (options: Administered) => {
    await ask(session, options, 'metrics', {}, ({ text }) => text.trimEnd());
  });
}
