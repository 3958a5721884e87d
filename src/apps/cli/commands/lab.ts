import { type Command, InvalidArgumentError, Option } from 'commander';
import { exitStatus, type Session } from '../terminal.ts';

interface LabSettings {
  readonly once?: true;
  readonly folder: string;
  readonly callSeconds: number;
  readonly network: number;
  readonly partner?: 'prosody' | 'own';
}

/** `sallyport lab` */
export function addLab(root: Command, session: Session): void {
  root
    .command('lab')
    .description('run a whole perimeter on this machine and a real call through it')
    .option('--once', 'end after the demonstration; status 0 when everything worked')
    .option('--folder <folder>', 'where its files go; what is there is deleted', '.sallyport/lab')
    .option('--call-seconds <seconds>', 'how long each call lasts, 1 to 3600', parseSeconds, 4)
    .option(
      '--network <number>',
      'second number of its addresses 127.0.x.y, 0 to 255: several labs side by side',
      parseNetwork,
      0,
    )
    .addOption(
      new Option(
        '--partner <server>',
        'XMPP server of the partner; Prosody where it is installed, else our own',
      ).choices(['prosody', 'own']),
    )
    .action(async ({ once, folder, callSeconds, network, partner }: LabSettings) => {
      // Only here: a program that runs for years does not load the clients of the lab.
      const { runLab } = await import('#apps/lab');
      const status = await runLab({
        ...{ once: once === true, folder, callMs: callSeconds * 1000, network },
        ...(partner === undefined ? {} : { partner }),
      });
      if (status !== 0) session.finish(exitStatus.failed);
    });
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError('Write whole seconds, 1 to 3600.');
}

function parseNetwork(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number <= 255) return number;
  throw new InvalidArgumentError('Write a whole number, 0 to 255.');
}
