import type { Command } from 'commander';
import { type Administered, administrationCommand, verbsOf } from '../administered.ts';
import { printable, type Session, table } from '../terminal.ts';

interface Status {
  readonly participants: number;
  readonly links: readonly {
    readonly node: string;
    readonly address: string;
    readonly state: string | null;
    readonly participants: number;
  }[];
  readonly refused: readonly { readonly reason: string; readonly count: number }[];
}
interface Participants {
  readonly participants: readonly {
    readonly conference: string;
    readonly participant: number;
    readonly role: string;
    readonly node: string;
    readonly address: string;
    readonly since: string;
    readonly received: number;
    readonly sent: number;
  }[];
}

/** `sallyport webconf status|participants` */
export function addWebConferencing(root: Command, session: Session): void {
  const webconf = root.command('webconf').description('web conferencing at a running edge');
  const verb = verbsOf(session, 'web-conferencing');
  administrationCommand(
    webconf,
    'status',
    'count participants, list links with services, and what was refused',
  ).action(async (options: Administered) => {
    await verb<Status>(options, 'status', {}, renderStatus);
  });
  administrationCommand(webconf, 'participants', 'list who is in by this edge').action(
    async (options: Administered) => {
      await verb<Participants>(options, 'participants', {}, renderParticipants);
    },
  );
}

function renderStatus({ participants, links, refused }: Status): string {
  return [
    `${participants} participants, ${links.length} links`,
    table([
      ['SERVICE', 'ADDRESS', 'STATE', 'PARTICIPANTS'],
      ...links.map((link) => [
        printable(link.node),
        link.address,
        link.state ?? 'opening',
        String(link.participants),
      ]),
    ]),
    table([['REFUSED', 'TIMES'], ...refused.map(({ reason, count }) => [reason, String(count)])]),
  ].join('\n\n');
}

function renderParticipants({ participants }: Participants): string {
  return table([
    ['CONFERENCE', 'PARTICIPANT', 'ROLE', 'SERVICE', 'ADDRESS', 'SINCE', 'BYTES IN', 'BYTES OUT'],
    ...participants.map(({ conference, participant, role, node, address, since, received, sent }) => [
      conference,
      String(participant),
      role,
      node,
      address,
      since,
      String(received),
      String(sent),
    ]),
  ]);
}
