import type { Command } from 'commander';
import { addControlCommands } from '../logs/control-commands.ts';
import { addExportCommand } from '../logs/export-command.ts';
import { addSearchCommands } from '../logs/search-commands.ts';
import type { Session } from '../terminal.ts';

/** `sallyport logs start|stop|update|show|sync|search|follow|export` */
export function addLogs(root: Command, session: Session): void {
  const logs = root
    .command('logs')
    .description('what happened on all edges, asked from inside (port rows int-09 to int-11)');
  addControlCommands(logs, session);
  addSearchCommands(logs, session);
  addExportCommand(logs, session);
}
