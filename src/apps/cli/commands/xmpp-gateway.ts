import type { Command } from 'commander';
import { type Administered, administrationCommand, verbsOf } from '../administered.ts';
import { printable, type Session, table } from '../terminal.ts';

interface Links {
  readonly edges: readonly {
    readonly edge: string;
    readonly address: string;
    readonly ready: boolean;
    readonly open: number;
  }[];
  readonly nextHops: readonly {
    readonly name: string;
    readonly address: string;
    readonly state: string;
    readonly reason: string;
  }[];
}
interface Subscription {
  readonly direction: string;
  readonly user: string;
  readonly contact: string;
  readonly state: string;
  readonly until: string;
}

/** `sallyport internal xmpp links|subscriptions|contacts|forget-contact`: the XMPP gateway. */
export function addXmppGateway(root: Command, session: Session): void {
  const internal = root.commands.find((command) => command.name() === 'internal');
  const xmpp = internal?.command('xmpp').description('the XMPP gateway of a running internal program');
  if (xmpp === undefined) throw new Error('the command internal has to come first');
  const verb = verbsOf(session, 'xmpp-gateway');
  administrationCommand(xmpp, 'links', 'list the links to edges and the connections to next hops').action(
    async (options: Administered) => {
      await verb<Links>(options, 'links', {}, renderLinks);
    },
  );
  administrationCommand(xmpp, 'subscriptions', 'list who watches whom, in both directions').action(
    async (options: Administered) => {
      await verb<Subscription[]>(options, 'subscriptions', {}, renderSubscriptions);
    },
  );
  administrationCommand(xmpp, 'contacts', 'list the contacts whom a user has invited')
    .argument('<user>', 'user@domain')
    .action(async (user: string, options: Administered) => {
      await verb<string[]>(options, 'contacts', { user }, (contacts) => contacts.map(printable).join('\n'));
    });
  administrationCommand(xmpp, 'forget-contact', 'take back that a user has invited a contact')
    .argument('<user>', 'user@domain')
    .argument('<contact>', 'user@domain of the partner')
    .action(async (user: string, contact: string, options: Administered) => {
      const done = () => `${printable(contact)} was not invited by ${printable(user)}`;
      await verb(options, 'forget-contact', { user, contact }, done);
    });
}

function renderLinks({ edges, nextHops }: Links): string {
  return [
    table([
      ['EDGE', 'ADDRESS', 'STATE', 'UNDER WAY'],
      ...edges.map(({ edge, address, ready, open }) => [
        edge,
        address,
        ready ? 'open' : 'opening',
        String(open),
      ]),
    ]),
    table([
      ['NEXT HOP', 'ADDRESS', 'STATE', 'REASON'],
      ...nextHops.map(({ name, address, state, reason }) => [name, address, state, printable(reason)]),
    ]),
  ].join('\n\n');
}

function renderSubscriptions(rows: readonly Subscription[]): string {
  return table([
    ['DIRECTION', 'USER', 'CONTACT', 'STATE', 'UNTIL'],
    ...rows.map(({ direction, user, contact, state, until }) => [
      direction,
      printable(user),
      printable(contact),
      state,
      until,
    ]),
  ]);
}
