import type { Command } from 'commander';
import { type Administered, administrationCommand, verbsOf } from '../administered.ts';
import { printable, type Session, table } from '../terminal.ts';

interface Presence {
  readonly user: string;
  readonly approval: Approval;
  readonly shows: readonly {
    readonly id: string;
    readonly basic: string;
    readonly show?: string;
    readonly note?: string;
  }[];
  readonly watchers: readonly {
    readonly watcher: string;
    readonly decision: string;
    readonly subscriptions: number;
  }[];
}
interface Approval {
  readonly colleagues: string;
  readonly outsiders: string;
}
interface BlockSettings extends Administered {
  readonly politely?: true;
}
interface ApprovalSettings extends Administered {
  readonly colleagues?: string;
  readonly outsiders?: string;
}

/** `sallyport internal presence list|allow|block|ask|default`: who may see a user of the front end that runs. */
export function addPresence(root: Command, session: Session): void {
  const internal = root.commands.find((command) => command.name() === 'internal');
  const presence = internal?.command('presence').description('who may see the presence of a user');
  if (presence === undefined) throw new Error('the command internal has to come first');
  const verb = verbsOf(session, 'front-end');
  const command = (name: string, description: string) =>
    administrationCommand(presence, name, description).argument('<address>', 'user@domain');
  const decide = (options: Administered, address: string, watcher: string, decision: string) =>
    verb<{ watcher: string; decision: string }>(
      options,
      'presence-decide',
      { address, watcher, decision },
      (done) => `${printable(address)}: ${done.decision} ${printable(done.watcher)}`,
    );

  command('list', 'what a user shows, who watches, and what was decided about whom').action(
    async (address: string, options: Administered) => {
      await verb<Presence>(options, 'presence', { address }, renderPresence);
    },
  );
  command('allow', 'let somebody see a user')
    .argument('<watcher>', 'user@domain, anywhere')
    .action(async (address: string, watcher: string, options: Administered) => {
      await decide(options, address, watcher, 'allow');
    });
  command('block', 'let somebody see nothing of a user')
    .argument('<watcher>', 'user@domain, anywhere')
    .option('--politely', 'no refusal: the user seems to be offline at all times')
    .action(async (address: string, watcher: string, options: BlockSettings) => {
      await decide(options, address, watcher, options.politely === true ? 'polite-block' : 'block');
    });
  command('ask', 'let somebody wait until the user decides')
    .argument('<watcher>', 'user@domain, anywhere')
    .action(async (address: string, watcher: string, options: Administered) => {
      await decide(options, address, watcher, 'confirm');
    });
  command('default', 'what those get about whom a user has not decided')
    .option('--colleagues <decision>', 'allow, confirm, polite-block or block, for users of this front end')
    .option('--outsiders <decision>', 'the same for people of other organisations')
    .action(async (address: string, { colleagues, outsiders, ...options }: ApprovalSettings) => {
      const render = (done: Approval) => `${printable(address)}: ${approvalText(done)}`;
      await verb<Approval>(options, 'presence-approval', { address, colleagues, outsiders }, render);
    });
}

function approvalText({ colleagues, outsiders }: Approval): string {
  return `${colleagues} for colleagues, ${outsiders} for outsiders`;
}

function renderPresence({ user, approval, shows, watchers }: Presence): string {
  return [
    `${user}; without a decision: ${approvalText(approval)}`,
    table([
      ['SHOWS', 'STATUS', 'NOTE'],
      ...shows.map(({ id, basic, show, note }) => [
        printable(id),
        show === undefined ? basic : `${basic}, ${show}`,
        printable(note ?? ''),
      ]),
    ]),
    table([
      ['WATCHER', 'DECISION', 'WATCHES NOW'],
      ...watchers.map(({ watcher, decision, subscriptions }) => [
        printable(watcher),
        decision,
        subscriptions > 0 ? 'yes' : '',
      ]),
    ]),
  ].join('\n\n');
}
