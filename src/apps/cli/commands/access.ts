import { isIP } from 'node:net';
import { type Command, InvalidArgumentError } from 'commander';
import { type Administered, administrationCommand, verbsOf } from '../administered.ts';
import { exitStatus, inWords, printable, type Session, table } from '../terminal.ts';

interface Client {
  readonly id: number;
  /** Where there are several worker processes. */
  readonly worker?: number;
  readonly remote: { readonly address: string; readonly port: number };
  readonly seconds: number;
  readonly transport: string;
  readonly addresses: readonly string[];
  readonly member?: string;
  readonly messages: number;
}
interface Connections {
  readonly total: number;
  readonly clients: readonly Client[];
}
interface Blocks {
  readonly blocks: readonly {
    readonly source: string;
    readonly account?: string;
    readonly failures: number;
    readonly seconds: number;
  }[];
}

interface Condition {
  readonly indicators: readonly {
    readonly name: string;
    readonly unit: string;
    readonly value: number;
    readonly bound: number;
  }[];
}

/** `sallyport access connections|blocks|unblock|indicators` */
export function addAccess(root: Command, session: Session): void {
  const access = root.command('access').description('what the Access Edge service of a running edge knows');
  const verb = verbsOf(session, 'access');
  administrationCommand(access, 'connections', 'list client connections, the newest last')
    .option('--limit <number>', 'how many, 1 to 1000', parseLimit, 100)
    .action(async (options: Administered & { limit: number }) => {
      await verb<Connections>(options, 'connections', { limit: options.limit }, renderConnections);
    });
  administrationCommand(access, 'blocks', 'list sources that are refused for failed sign-ins').action(
    async (options: Administered) => {
      await verb<Blocks>(options, 'blocks', {}, renderBlocks);
    },
  );
  administrationCommand(access, 'unblock', 'forgive a source its failed sign-ins')
    .argument('<address>', 'any address of it, or what access blocks lists', parseSource)
    .action(async (source: string, options: Administered) => {
      await verb<{ lifted: number }>(options, 'unblock', { source }, ({ lifted }) => `${lifted} lifted`);
    });
  administrationCommand(access, 'indicators', 'key health indicators; status 1 beyond a bound').action(
    async (options: Administered) => {
      let exceeded = false;
      await verb<Condition>(options, 'indicators', {}, (condition) => {
        exceeded = condition.indicators.some(isExceeded);
        return renderCondition(condition);
      });
      if (exceeded) session.finish(exitStatus.failed);
    },
  );
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new InvalidArgumentError('Write a whole number, 1 to 1000.');
}

/** IPv6 sources are networks of 64 bits, and are listed as such. */
function parseSource(text: string): string {
  const address = text.endsWith('/64') ? text.slice(0, -3) : text;
  if (isIP(address) === 6 || isIP(text) === 4) return text;
  throw new InvalidArgumentError('Write an IP address, such as 192.0.2.7 or 2001:db8::7.');
}

const isExceeded = ({ value, bound }: Condition['indicators'][number]) => value >= bound;

function renderCondition({ indicators }: Condition): string {
  return table([
    ['INDICATOR', 'NOW', '', 'BOUND', ''],
    ...indicators.map((one) => [
      inWords(one.name),
      one.value.toFixed(1),
      one.unit,
      `below ${one.bound}`,
      isExceeded(one) ? 'BEYOND' : 'ok',
    ]),
  ]);
}

function renderConnections({ total, clients }: Connections): string {
  const several = clients.some(({ worker }) => worker !== undefined);
  return [
    table([
      ['ID', ...(several ? ['WORKER'] : []), 'FROM', 'SECONDS', 'BY', 'SIGNED IN', 'NEXT HOP', 'MESSAGES'],
      ...clients.map((client) => [
        String(client.id),
        ...(several ? [String(client.worker ?? '-')] : []),
        printable(client.remote.address),
        String(client.seconds),
        client.transport,
        printable(client.addresses.join(' ') || '-'),
        client.member ?? '-',
        String(client.messages),
      ]),
    ]),
    `${clients.length} of ${total}`,
  ].join('\n');
}

function renderBlocks({ blocks }: Blocks): string {
  if (blocks.length === 0) return 'no source is refused';
  return table([
    ['SOURCE', 'ACCOUNT', 'FAILURES', 'SECONDS LEFT'],
    ...blocks.map(({ source, account, failures, seconds }) => [
      source,
      printable(account ?? 'all'),
      String(failures),
      String(seconds),
    ]),
  ]);
}
