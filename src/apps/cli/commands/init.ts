import { type Command, Option } from 'commander';
import { type InitSettings, type InitWorld, runInit, thisWorld } from '../init/init.ts';
import { flagOf, questions } from '../init/questions.ts';
import type { Session } from '../terminal.ts';

/** `sallyport init [FILE]` */
export function addInit(root: Command, session: Session): void {
  addInitIn(root, session, thisWorld);
}

/** The same in another world, for tests. */
export function addInitIn(root: Command, session: Session, world: InitWorld): void {
  const init = root
    .command('init')
    .description('ask what an edge needs, write its edge.yaml, and say what else is to be done')
    .argument('[file]', 'the document to write', 'edge.yaml')
    .option('--yes', 'take every default and ask nothing')
    .option('--force', 'replace a document that is there')
    .option(
      '--survey-only',
      'look at this host for the document that is there, or the defaults; write nothing',
    )
    .addOption(new Option('--json', 'with --survey-only: print what was found as JSON'))
    .option('--stun <host[:port]>', 'ask this STUN server which address it sees')
    .option('--time-server <host[:port]>', 'ask this time server how far the clock is off');
  for (const { name, takes, ask } of questions) init.option(`${flagOf(name)} ${takes}`, ask);
  init
    .addHelpText(
      'after',
      '\nLists are separated by commas. Without --stun and --time-server no packet is sent. A question is answered by\n' +
        'its flag, at the terminal (empty line: the default, <: back, Ctrl-C: nothing is written), or with --yes by its\n' +
        'default.',
    )
    .action((file: string, settings: InitSettings) => runInit(session, world, file, settings));
}
