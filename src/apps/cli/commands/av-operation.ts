import { type Command, InvalidArgumentError, Option } from 'commander';
import { clientTransports } from '#protocols/turn';
import { type Administered, administrationCommand, verbsOf } from '../administered.ts';
import { exitStatus, inWords, printable, type Session, table } from '../terminal.ts';

interface Traffic {
  readonly packets: number;
  readonly bytes: number;
}
interface Allocations {
  readonly open: number;
  readonly found: number;
  readonly allocations: readonly {
    readonly id: number;
    readonly face: string;
    readonly transport: string;
    readonly dialect: string;
    readonly client: { readonly address: string; readonly port: number };
    readonly relayed: readonly { readonly address: string; readonly port: number }[];
    readonly user: string;
    readonly ageSeconds: number;
    readonly expiresInSeconds: number;
    readonly permissions: number;
    readonly channels: number;
    readonly sent: Traffic;
    readonly received: Traffic;
  }[];
}
interface Condition {
  readonly indicators: readonly {
    readonly name: string;
    readonly perSecond: number;
    readonly bound: number;
  }[];
  readonly headroom: readonly {
    readonly name: string;
    readonly now: number;
    readonly most?: number;
    readonly by: string;
  }[];
}
interface Counters {
  readonly relayed?: Readonly<Record<string, number>>;
  readonly drops?: Readonly<Record<string, number>>;
  readonly refusals?: Readonly<Record<string, number>>;
}

interface Filters extends Administered {
  readonly limit: number;
  readonly face?: string;
  readonly transport?: string;
  readonly client?: string;
  readonly user?: string;
  readonly port?: number;
}

/** `sallyport av allocations|indicators|counters`: what the relay of a running edge does. */
export function addAvOperation(av: Command, session: Session): void {
  const verb = verbsOf(session, 'av');
  administrationCommand(av, 'allocations', 'list what is allocated, the oldest first')
    .addOption(
      new Option('--face <interface>', 'of clients by this interface').choices(['external', 'internal']),
    )
    .addOption(new Option('--transport <how>', 'of clients by this transport').choices(clientTransports))
    .option('--client <address>', 'of clients at this IP address')
    .option('--user <address>', 'of this user, by the address that credentials were made for, or by USER')
    .option('--port <number>', 'with this relay port', wholeNumber(0xffff))
    .option('--limit <number>', 'how many', wholeNumber(10_000), 100)
    .action(async ({ limit, face, transport, client, user, port, ...options }: Filters) => {
      const filter = { limit, face, transport, client, user, port };
      await verb<Allocations>(options, 'allocations', filter, renderAllocations);
    });
  administrationCommand(
    av,
    'indicators',
    'key health indicators, and headroom; status 1 beyond a bound',
  ).action(async (options: Administered) => {
    let exceeded = false;
    await verb<Condition>(options, 'indicators', {}, (condition) => {
      exceeded = condition.indicators.some(isExceeded);
      return renderCondition(condition);
    });
    if (exceeded) session.finish(exitStatus.failed);
  });
  administrationCommand(av, 'counters', 'what was relayed, refused and dropped, by reason').action(
    async (options: Administered) => {
      await verb<Counters>(options, 'counters', {}, renderCounters);
    },
  );
}

function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > most) throw new InvalidArgumentError(`1 to ${most}`);
    return value;
  };
}

function renderAllocations({ open, found, allocations }: Allocations): string {
  const place = ({ address, port }: { address: string; port: number }) =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const traffic = ({ packets, bytes }: Traffic) => `${packets} (${Math.ceil(bytes / 1024)} KiB)`;
  return [
    table([
      ['ID', 'BY', 'CLIENT', 'RELAYED', 'AGE s', 'LEFT s', 'PEERS', 'CHANNELS', 'SENT', 'RECEIVED', 'USER'],
      ...allocations.map((one) => [
        String(one.id),
        `${one.face} ${one.transport}${one.dialect === 'microsoft' ? ', MS' : ''}`,
        place(one.client),
        one.relayed.map(place).join(' '),
        ...[one.ageSeconds, one.expiresInSeconds, one.permissions, one.channels].map(String),
        traffic(one.sent),
        traffic(one.received),
        printable(one.user),
      ]),
    ]),
    `${allocations.length} of ${found} that fit, ${open} open`,
  ].join('\n');
}

const isExceeded = ({ perSecond, bound }: Condition['indicators'][number]) => perSecond >= bound;

function renderCondition({ indicators, headroom }: Condition): string {
  return [
    table([
      ['INDICATOR', 'A SECOND', 'BOUND', ''],
      ...indicators.map((one) => [
        inWords(one.name),
        one.perSecond.toFixed(1),
        `below ${one.bound}`,
        isExceeded(one) ? 'BEYOND' : 'ok',
      ]),
    ]),
    '',
    table([
      ['HEADROOM', 'NOW', 'MOST', 'USED', 'KNOWN BY'],
      ...headroom.map(({ name, now, most, by }) => [
        inWords(name),
        String(Math.round(now)),
        most === undefined ? 'too little to do to say' : String(Math.round(most)),
        most === undefined || most === 0 ? '-' : `${((now / most) * 100).toFixed(1)} %`,
        by,
      ]),
    ]),
  ].join('\n');
}

function renderCounters({ relayed = {}, drops = {}, refusals = {} }: Counters): string {
  const part = (title: string, counts: Readonly<Record<string, number>>, name = (key: string) => key) =>
    Object.entries(counts).map(([key, count]) => [title, name(key), String(count)]);
  return table([
    ['WHAT', '', 'COUNT'],
    ...part('relayed', relayed, inWords),
    ...part('refused', refusals),
    ...part('dropped', drops),
  ]);
}
