import { type Command, InvalidArgumentError, Option } from 'commander';
import { catalogue, type Failure, failure } from '#kernel';
import { formatDocumentError, loadInternalDocument } from '#platform/topology';
import { type GivenCredentials, requestCredentials } from '../av-test/credentials-request.ts';
import { exitStatus, printable, type Session, table } from '../terminal.ts';

const MINUTES_OF_A_DAY = 24 * 60;
const MOST_DAYS = 180;
/** A clock that is this far off already shortens or lengthens credentials to be noticed. */
const CLOCK_TOLERANCE_MS = 30_000;

interface Settings {
  readonly document: string;
  readonly days: number;
  readonly location: 'internet' | 'intranet';
}

/** `sallyport internal user credentials`: for clients that cannot ask by themselves. */
export function addUserCredentials(user: Command, session: Session, usualDocument: string): void {
  user
    .command('credentials')
    .description('relay credentials to write into a client that has a fixed entry for them')
    .argument('<address>', 'user@domain')
    .addOption(new Option('--document <file>', 'the internal.yaml').default(usualDocument))
    .option(
      '--days <days>',
      `how long they are wanted for; the edge grants what its document allows`,
      readDays,
      180,
    )
    .addOption(
      new Option('--location <side>', 'where the client is')
        .choices(['internet', 'intranet'])
        .default('internet'),
    )
    .action((address: string, settings: Settings) => credentials(session, address.toLowerCase(), settings));
}

function readDays(text: string): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MOST_DAYS) throw new InvalidArgumentError(`1 to ${MOST_DAYS} days`);
  return days;
}

async function credentials(session: Session, user: string, settings: Settings): Promise<void> {
  const loaded = loadInternalDocument(settings.document);
  if (!loaded.ok) {
    for (const finding of loaded.error) session.terminal.error(printable(formatDocumentError(finding)));
    session.finish(exitStatus.failed);
    return;
  }
  const [name, domain, ...rest] = user.split('@');
  if (!name || rest.length > 0 || !loaded.value.frontEnd.sipDomains.includes(domain ?? '')) {
    return complain(session, failure('SLP-INT-0005', user));
  }
  const wish = { user, minutes: settings.days * MINUTES_OF_A_DAY, location: settings.location };
  const given = await requestCredentials(loaded.value, wish);
  if (!given.ok) return complain(session, given.error);
  print(session, given.value);
}

function print(session: Session, { response, clockAhead }: GivenCredentials): void {
  for (const { credentials: issued, relays } of response.credentials) {
    const servers = relays.flatMap(({ hostName, directIpAddress, udpPort, tcpPort }) => {
      const host = hostName ?? directIpAddress ?? '';
      return [
        ...(udpPort === undefined ? [] : [`turn:${host}:${udpPort}?transport=udp`]),
        ...(tcpPort === undefined
          ? []
          : [`turn:${host}:${tcpPort}?transport=tcp`, `turns:${host}:${tcpPort}`]),
      ];
    });
    const rows = [
      ['username', issued.username],
      ['password', issued.password],
      ['realm', issued.realm ?? ''],
      ['minutes', String(issued.duration)],
      ...servers.map((server) => ['server', server]),
    ];
    session.terminal.out(table(rows.map((row) => row.map(printable))));
  }
  if (clockAhead === undefined || Math.abs(clockAhead) <= CLOCK_TOLERANCE_MS) return;
  const seconds = Math.round(clockAhead / 1000);
  const where = seconds > 0 ? `${seconds} s ahead of` : `${-seconds} s behind`;
  warn(session, failure('SLP-AV-0401', `the edge's clock is ${where} this host's`));
}

function warn(session: Session, { code, message }: Failure): void {
  session.terminal.error(printable(`${code} ${message}`));
  session.terminal.error(`  ${catalogue[code].remedy}`);
}

function complain(session: Session, why: Failure): void {
  warn(session, why);
  session.finish(exitStatus.failed);
}
