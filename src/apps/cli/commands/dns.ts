import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  checkDns,
  DnsLookUp,
  type DnsPlan,
  dnsPlan,
  joinedFindings,
  recordRows,
  resolverPlace,
  type Zone,
  zoneFile,
} from '#platform/dns';
import type { Complaint, EdgeDocument } from '#platform/topology';
import { plannedDocument } from '../planned-document.ts';
import { exitStatus, printable, printableJson, type Session, table } from '../terminal.ts';
import { hasErrors, threeLists, threeListsJson } from '../three-lists.ts';

const VIEWS = ['outside', 'inside', 'perimeter'] as const;
type View = (typeof VIEWS)[number];

interface DnsSettings {
  readonly format: 'table' | 'zone' | 'json';
  readonly view?: View;
  readonly zone?: string;
  readonly check?: true;
  readonly resolver?: readonly string[];
}

/** `sallyport dns FILE` */
export function addDns(root: Command, session: Session): void {
  root
    .command('dns')
    .description('list the DNS records that an edge.yaml needs and why, or check them')
    .argument('<file>', 'an edge.yaml')
    .addOption(
      new Option('--format <format>', 'how they are printed')
        .choices(['table', 'zone', 'json'])
        .default('table'),
    )
    .addOption(
      new Option(
        '--view <view>',
        'whose records: all as a table, those of the outside as zones when left out',
      ).choices(VIEWS),
    )
    .option('--zone <domain>', 'one zone only')
    .option('--check', 'ask for the records of the outside and say what is wrong with them')
    .option(
      '--resolver <address[:port]>',
      "whom to ask, repeated to ask several; the document's resolvers, or those of this host, when left out",
      collectResolver,
    )
    .action(async (file: string, settings: DnsSettings) => {
      const document = plannedDocument(session, file);
      if (document === undefined) return;
      if (settings.check === true) await check(session, document, settings);
      else show(session, dnsPlan(document), settings);
    });
}

/** More would be a flood, not a check. */
const MOST_RESOLVERS = 8;

function collectResolver(text: string, before: readonly string[] | undefined): readonly string[] {
  const place = resolverPlace(text);
  if (place === undefined) {
    throw new InvalidArgumentError('Write ADDRESS, ADDRESS:PORT or, for IPv6, [ADDRESS]:PORT.');
  }
  const all = [...(before ?? []), place];
  if (all.length > MOST_RESOLVERS) throw new InvalidArgumentError(`Name ${MOST_RESOLVERS} at most.`);
  return all;
}

async function check(session: Session, document: EdgeDocument, settings: DnsSettings): Promise<void> {
  const findings = await ask(document, settings.resolver ?? []);
  session.terminal.out(
    settings.format === 'json' ? printableJson(threeListsJson(findings)) : threeLists(findings),
  );
  if (hasErrors(findings)) session.finish(exitStatus.failed);
}

/** Resolvers named on the command line are compared; those of the document stand in for one another. */
async function ask(document: EdgeDocument, resolvers: readonly string[]): Promise<Complaint[]> {
  if (resolvers.length === 0) {
    const own = document.host.resolvers.map((address) => resolverPlace(address) ?? address);
    return checkDns(document, new DnsLookUp(own));
  }
  return joinedFindings(
    await Promise.all(
      resolvers.map(async (resolver) => {
        return { resolver, findings: await checkDns(document, new DnsLookUp([resolver])) };
      }),
    ),
  );
}

function show(session: Session, plan: DnsPlan, settings: DnsSettings): void {
  const wanted = settings.zone?.toLowerCase().replace(/\.$/, '');
  const views =
    settings.view === undefined ? (settings.format === 'zone' ? VIEWS.slice(0, 1) : VIEWS) : [settings.view];
  const zones = views.map((view) => ({
    view,
    zones: plan[view].filter(({ origin }) => wanted === undefined || origin === wanted),
  }));
  if (wanted !== undefined && zones.every((one) => one.zones.length === 0)) {
    const known = [...new Set(views.flatMap((view) => plan[view].map(({ origin }) => origin)))].join(', ');
    session.terminal.error(printable(`no record of the document lies in ${wanted}: its zones are ${known}`));
    session.finish(exitStatus.failed);
    return;
  }
  session.terminal.out(RENDER[settings.format](zones, plan.instructions));
}

interface ShownView {
  readonly view: View;
  readonly zones: readonly Zone[];
}

const HEADINGS: Readonly<Record<View, string>> = {
  outside: 'Outside: for everybody',
  inside: 'Inside: for the internal network',
  perimeter: 'Perimeter: for the hosts between the firewalls',
};

type Render = (views: readonly ShownView[], instructions: readonly Complaint[]) => string;

const RENDER: Readonly<Record<DnsSettings['format'], Render>> = {
  table(views, instructions) {
    const tables = views
      .filter(({ zones }) => zones.length > 0)
      .map(({ view, zones }) =>
        [HEADINGS[view], table([['NAME', 'TYPE', 'DATA', 'PORT ROWS', 'WHY'], ...recordRows(zones)])].join(
          '\n',
        ),
      );
    return [...tables, threeLists(instructions)].join('\n\n');
  },
  /** Loadable as it is: what is no record is a comment. */
  zone(views, instructions) {
    const zones = views.flatMap((one) => one.zones).map(zoneFile);
    const told = instructions.map(({ what, instead }) => printable(`; ${what}: ${instead}`));
    return [...zones, told.join('\n')].filter((text) => text !== '').join('\n\n');
  },
  json(views, instructions) {
    return printableJson({
      ...Object.fromEntries(views.map(({ view, zones }) => [view, zones])),
      ...threeListsJson(instructions),
    });
  },
};
