import type { Command } from 'commander';
import { type Administered, administrationCommand, verbsOf } from '../administered.ts';
import { exitStatus, printable, type Session, table } from '../terminal.ts';

interface Partners {
  readonly partners: readonly {
    readonly domain: string;
    readonly additional: readonly string[];
    readonly type: string;
    readonly methods: readonly string[];
    readonly server: string | null;
    readonly streams: number;
  }[];
}
interface Streams {
  readonly streams: readonly {
    readonly direction: string;
    readonly peer: string;
    readonly address: string;
    readonly tls: string;
    readonly by: string;
    readonly managed: boolean;
    readonly waiting: number;
  }[];
  readonly links: readonly {
    readonly peer: string;
    readonly address: string;
    readonly ready: boolean;
    readonly open: number;
  }[];
}
interface Trial {
  readonly ok: boolean;
  readonly steps: readonly {
    readonly topic: string;
    readonly ok: boolean;
    readonly text: string;
    readonly tookMs: number;
  }[];
}

/** `sallyport xmpp partners|streams|test` */
export function addXmpp(root: Command, session: Session): void {
  const xmpp = root.command('xmpp').description('XMPP federation of a running edge');
  const verb = verbsOf(session, 'xmpp-proxy');
  administrationCommand(xmpp, 'partners', 'list partners, and by what they prove their domains').action(
    async (options: Administered) => {
      await verb<Partners>(options, 'partners', {}, renderPartners);
    },
  );
  administrationCommand(xmpp, 'streams', 'list streams with partners and links with gateways').action(
    async (options: Administered) => {
      await verb<Streams>(options, 'streams', {}, renderStreams);
    },
  );
  administrationCommand(xmpp, 'test', 'reach a partner, and tell every step of it')
    .argument('<domain>', 'XMPP domain of the partner')
    .action(async (domain: string, options: Administered) => {
      const trial = await verb<Trial>(options, 'test', { domain }, renderTrial);
      if (trial !== undefined && !(trial as unknown as Trial).ok) session.finish(exitStatus.failed);
    });
}

function renderPartners({ partners }: Partners): string {
  return table([
    ['DOMAIN', 'AND', 'TYPE', 'PROVEN BY', 'FOUND BY', 'STREAMS'],
    ...partners.map(({ domain, additional, type, methods, server, streams }) => [
      domain,
      additional.join(' ') || '-',
      type,
      methods.join(' '),
      server ?? 'DNS',
      String(streams),
    ]),
  ]);
}

function renderStreams({ streams, links }: Streams): string {
  return [
    table([
      ['STREAM', 'PARTNER', 'ADDRESS', 'TLS', 'PROVEN BY', 'ACKNOWLEDGED', 'UNDER WAY'],
      ...streams.map(({ direction, peer, address, tls, by, managed, waiting }) => [
        direction,
        printable(peer),
        address,
        tls,
        by || '-',
        managed ? 'yes' : 'no',
        String(waiting),
      ]),
    ]),
    table([
      ['GATEWAY', 'ADDRESS', 'READY', 'UNDER WAY'],
      ...links.map(({ peer, address, ready, open }) => [
        printable(peer),
        address,
        ready ? 'yes' : 'no',
        String(open),
      ]),
    ]),
  ].join('\n\n');
}

function renderTrial({ steps }: Trial): string {
  return table([
    ['STEP', '', 'MS', 'WHAT WAS SEEN'],
    ...steps.map(({ topic, ok, text, tookMs }) => [
      topic,
      ok ? 'ok' : 'FAILED',
      String(tookMs),
      printable(text),
    ]),
  ]);
}
