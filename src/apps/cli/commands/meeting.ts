import type { Command } from 'commander';
import { type Administered, administrationCommand, verbsOf } from '../administered.ts';
import { exitStatus, printable, type Session, table } from '../terminal.ts';

interface Listed {
  readonly id: string;
  readonly title: string;
  readonly organizer: string;
  readonly until: string;
  readonly state: string;
  readonly participants: number;
}
interface Shown {
  readonly id: string;
  readonly uri: string;
  readonly title: string;
  readonly organizer: string;
  readonly guests: boolean;
  readonly federated: boolean;
  readonly locked: boolean;
  readonly expires: string;
  readonly ended: string | null;
  readonly link: string;
}
interface ShownWhole extends Shown {
  readonly presenters: readonly string[];
  readonly participants: readonly {
    readonly participant: number;
    readonly address: string;
    readonly displayName: string;
    readonly kind: string;
    readonly role: string;
    readonly outside: boolean;
    readonly connected: boolean;
  }[];
}
interface CreateSettings extends Administered {
  readonly organizer: string;
  readonly presenter?: string[];
  readonly guests?: true;
  readonly federated?: true;
  readonly expires?: string;
}

const UNITS: Readonly<Record<string, number>> = { h: 1, d: 24 };
type Verb = ReturnType<typeof verbsOf>;

/** `sallyport internal meeting create|list|show|lock|unlock|admit|remove|present|end`: meetings of a running internal program. */
export function addMeeting(root: Command, session: Session): void {
  const internal = root.commands.find((command) => command.name() === 'internal');
  const meeting = internal?.command('meeting').description('meetings of a running internal program');
  if (meeting === undefined) throw new Error('the command internal has to come first');
  const verb = verbsOf(session, 'web-conferencing-service');
  addCreate(meeting, session, verb);
  administrationCommand(meeting, 'list', 'list the meetings').action(async (options: Administered) => {
    await verb<Listed[]>(options, 'list', {}, renderList);
  });
  administrationCommand(meeting, 'show', 'show a meeting, the link to it, and who is in')
    .argument('<meeting>', 'its id, address or link')
    .action(async (which: string, options: Administered) => {
      await verb<ShownWhole>(options, 'show', { meeting: which }, renderWhole);
    });
  administrationCommand(meeting, 'links', 'list the connections to Web Conferencing Edges').action(
    async (options: Administered) => {
      await verb<EdgeRow[]>(options, 'links', {}, renderLinks);
    },
  );
  addRuling(meeting, verb);
}

function addCreate(meeting: Command, session: Session, verb: Verb): void {
  administrationCommand(meeting, 'create', 'create a meeting and print the link to it')
    .argument('<title>')
    .requiredOption('--organizer <address>', 'user@domain: a presenter whom nobody can remove')
    .option('--presenter <address...>', 'further presenters')
    .option('--guests', 'let in whoever has the link, without an account')
    .option('--federated', 'let in users of partners')
    .option('--expires <time>', 'how long it lives, such as 8h or 30d')
    .action(async (title: string, settings: CreateSettings) => {
      const hours = settings.expires === undefined ? undefined : hoursOf(settings.expires);
      if (settings.expires !== undefined && hours === undefined) {
        session.terminal.error(`"${printable(settings.expires)}" is no time: write 8h or 30d`);
        return session.finish(exitStatus.usage);
      }
      const { organizer, presenter: presenters = [] } = settings;
      const { guests = false, federated = false } = settings;
      const wanted = { title, organizer, presenters, guests, federated, hours };
      await verb<Shown>(settings, 'create', wanted, ({ id, link }) => `created ${id}\n${link}`);
    });
}

function addRuling(meeting: Command, verb: Verb): void {
  for (const [name, description, done] of [
    ['lock', 'let nobody new in but those who are expected', 'locked'],
    ['unlock', 'let people in again', 'unlocked'],
    ['end', 'end a meeting for everyone and for good', 'ended'],
  ] as const) {
    administrationCommand(meeting, name, description)
      .argument('<meeting>', 'its id, address or link')
      .action(async (which: string, options: Administered) => {
        await verb(options, name, { meeting: which }, () => `${done} ${printable(which)}`);
      });
  }
  for (const [name, description, done] of [
    ['admit', 'let an address in though the meeting is locked, or though it was removed', 'may come in'],
    ['remove', 'remove an address, and let it in no more', 'was removed'],
    ['present', 'make an address a presenter', 'is a presenter'],
  ] as const) {
    administrationCommand(meeting, name, description)
      .argument('<meeting>', 'its id, address or link')
      .argument('<address>', 'user@domain')
      .action(async (which: string, address: string, options: Administered) => {
        await verb(options, name, { meeting: which, address }, () => `${printable(address)} ${done}`);
      });
  }
}

interface EdgeRow {
  readonly edge: string;
  readonly address: string;
  readonly state: string;
  readonly place: string;
  readonly participants: number;
}

function hoursOf(text: string): number | undefined {
  const [, count = '', unit = ''] = /^([1-9]\d{0,4})([hd])$/.exec(text) ?? [];
  const factor = UNITS[unit];
  return factor === undefined ? undefined : Number(count) * factor;
}

function renderList(rows: readonly Listed[]): string {
  return table([
    ['MEETING', 'TITLE', 'ORGANIZER', 'STATE', 'UNTIL', 'PARTICIPANTS'],
    ...rows.map(({ id, title, organizer, state, until, participants }) => [
      ...[id, printable(title), printable(organizer), state, until, String(participants)],
    ]),
  ]);
}
function renderWhole({ participants, presenters, ...shown }: ShownWhole): string {
  const { title, uri, organizer, guests, federated, locked, expires, ended, link } = shown;
  const may = ['users', ...(federated ? ['users of partners'] : []), ...(guests ? ['guests'] : [])];
  const facts = table([
    ['title', printable(title)],
    ['address', uri],
    ['organizer', printable(organizer)],
    ['presenters', presenters.map(printable).join(', ')],
    ['for', may.join(', ')],
    ['state', ended === null ? `${locked ? 'locked' : 'open'}, until ${expires}` : `ended ${ended}`],
    ['link', link],
  ]);
  const who = table([
    ['NO.', 'NAME', 'ADDRESS', 'AS', 'ROLE', 'FROM', 'CONNECTED'],
    ...participants.map(({ participant, displayName, address, kind, role, outside, connected }) => [
      ...[String(participant), printable(displayName), printable(address), kind, role],
      ...[outside ? 'outside' : 'inside', connected ? 'yes' : 'no'],
    ]),
  ]);
  return `${facts}\n\n${who}`;
}
function renderLinks(rows: readonly EdgeRow[]): string {
  return table([
    ['EDGE', 'ADDRESS', 'STATE', 'OUTSIDE', 'PARTICIPANTS'],
    ...rows.map(({ edge, address, state, place, participants }) => [
      ...[edge, address, state, printable(place), String(participants)],
    ]),
  ]);
}
