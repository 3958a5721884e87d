import { type Command, Option } from 'commander';
import type { Directory } from '#internal/front-end';
import { catalogue, type Failure, failure, randomToken, SystemRandom } from '#kernel';
import { becomeServer } from '#platform/service';
import { silentLog } from '#platform/telemetry';
import { formatDocumentError, type InternalDocument, loadInternalDocument } from '#platform/topology';
import { readPassword } from '../password.ts';
import { exitStatus, printable, type Session, table } from '../terminal.ts';
import { addUserCredentials } from './user-credentials.ts';

const USUAL_DOCUMENT = '/etc/sallyport/internal.yaml';
/** 5 bits a character. */
const GENERATED_LENGTH = 20;

interface UserSettings {
  readonly document: string;
}
interface AddSettings extends UserSettings {
  readonly algorithm: string;
  readonly generate?: true;
}

/** `sallyport internal user add|list|remove`: the accounts of the front end, whether it runs or not. */
export function addUser(root: Command, session: Session): void {
  const internal = root.commands.find((command) => command.name() === 'internal');
  const user = internal?.command('user').description('the accounts of the front end, whether it runs or not');
  if (user === undefined) throw new Error('the command internal has to come first');
  const document = () => new Option('--document <file>', 'the internal.yaml').default(USUAL_DOCUMENT);
  user
    .command('add')
    .description('add a user, or give one a new password (asked for, or one line of standard input)')
    .argument('<address>', 'user@domain')
    .addOption(document())
    .option(
      '--algorithm <name>',
      'SHA-256, SHA-512-256, or MD5 for clients that know nothing newer',
      'SHA-256',
    )
    .option('--generate', 'make the password and print it')
    .action((address: string, settings: AddSettings) => add(session, address, settings));
  user
    .command('list')
    .description('list the users')
    .addOption(document())
    .action((settings: UserSettings) =>
      withDirectory(session, settings, (directory) => {
        const rows = directory.list().map(({ aor, algorithm }) => [printable(aor), algorithm]);
        session.terminal.out(table([['ADDRESS', 'ALGORITHM'], ...rows]));
      }),
    );
  addUserCredentials(user, session, USUAL_DOCUMENT);
  user
    .command('remove')
    .description('remove a user and whatever is registered for the address')
    .argument('<address>', 'user@domain')
    .addOption(document())
    .action((address: string, settings: UserSettings) =>
      withDirectory(session, settings, (directory) => {
        if (directory.delete(address.toLowerCase())) session.terminal.out(`removed ${printable(address)}`);
        else complain(session, failure('SLP-INT-0005', address));
      }),
    );
}

async function add(session: Session, address: string, settings: AddSettings): Promise<void> {
  const { newAccount } = await import('#internal/front-end');
  const generated =
    settings.generate === true ? randomToken(new SystemRandom(), GENERATED_LENGTH) : undefined;
  const password = generated ?? (await readPassword(`Password for ${printable(address)}: `));
  await withDirectory(session, settings, (directory, { frontEnd }) => {
    const { algorithm } = settings;
    const account = newAccount({ address, password, algorithm }, frontEnd.sipDomains);
    if (!account.ok) return complain(session, account.error);
    const known = directory.find(account.value.aor) !== undefined;
    directory.save(account.value);
    session.terminal.out(`${known ? 'changed' : 'added'} ${account.value.aor}`);
    if (generated !== undefined) session.terminal.out(`password: ${generated}`);
  });
}

/** Opens the directory of a document as the account that the front end runs as, so that it can use the file later. */
async function withDirectory(
  session: Session,
  { document: file }: UserSettings,
  use: (directory: Directory, document: InternalDocument) => void,
): Promise<void> {
  const loaded = loadInternalDocument(file);
  if (!loaded.ok) {
    for (const finding of loaded.error) session.terminal.error(printable(formatDocumentError(finding)));
    session.finish(exitStatus.failed);
    return;
  }
  process.umask(0o077);
  const became = becomeServer(loaded.value.host, silentLog());
  if (!became.ok) return complain(session, became.error);
  const { Directory } = await import('#internal/front-end');
  const directory = Directory.open(loaded.value.frontEnd.database);
  if (!directory.ok) return complain(session, directory.error);
  try {
    use(directory.value, loaded.value);
  } finally {
    directory.value.close();
  }
}

function complain(session: Session, { code, message }: Failure): void {
  session.terminal.error(printable(`${code} ${message}`));
  session.terminal.error(`  ${catalogue[code].remedy}`);
  session.finish(exitStatus.failed);
}
