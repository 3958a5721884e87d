import { Command, CommanderError } from 'commander';
import { commands } from './commands/index.ts';
import { type ExitStatus, exitStatus, type Session, type Terminal } from './terminal.ts';

/** Runs one command line (without `node` and script) and gives its exit status. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  let status: ExitStatus = exitStatus.ok;
  const session: Session = {
    terminal,
    finish(told) {
      status = told;
    },
  };
  const root = new Command('sallyport')
    .description('A consolidated edge server for real-time communications.')
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.error(text.trimEnd()),
    })
    .exitOverride()
    .showHelpAfterError('(sallyport --help lists the commands)')
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 refused or failed, 2 wrong command line, 3 no server answers, 4 not healthy (status).',
    );
  for (const add of commands) add(root, session);
  try {
    await root.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.ok : exitStatus.usage;
    throw error;
  }
}
