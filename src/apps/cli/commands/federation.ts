import type { Command } from 'commander';
import { type Administered, administrationCommand, verbsOf } from '../administered.ts';
import { exitStatus, printable, type Session, table } from '../terminal.ts';

interface Partners {
  /** Nothing is exchanged with anybody, by this rule. */
  readonly closed?: keyof typeof CLOSED;
  readonly partners: readonly {
    readonly domain: string;
    readonly kind: string;
    readonly proxy?: string;
    readonly provider?: string;
    readonly verification: string;
    readonly connections: number;
    readonly trouble?: string;
  }[];
  readonly inbound: readonly {
    readonly remote: string;
    readonly names: readonly string[];
    readonly speaksFor: readonly string[];
    readonly messages: number;
  }[];
  readonly discovered: readonly {
    readonly domain: string;
    readonly requests: number;
    readonly users: number;
    readonly failures: number;
    readonly limited: readonly string[];
  }[];
}
interface Trial {
  readonly ok: boolean;
  readonly steps: readonly {
    readonly topic: string;
    readonly ok: boolean;
    readonly text: string;
    readonly atMs: number;
    readonly tookMs: number;
  }[];
}

/** Which setting it is that closes the way to and from everybody. */
const CLOSED = {
  'federation-not-allowed': 'policy.federation.enabled is off',
  'federation-off': 'policy.features.federation and policy.features.publicProviders are off',
} as const;

/** `sallyport federation partners|test` */
export function addFederation(root: Command, session: Session): void {
  const federation = root.command('federation').description('partners of a running edge');
  const verb = verbsOf(session, 'access');
  administrationCommand(
    federation,
    'partners',
    'list partners, their connections, and who was discovered',
  ).action(async (options: Administered) => {
    await verb<Partners>(options, 'federation-partners', {}, renderPartners);
  });
  administrationCommand(federation, 'test', 'try to reach a domain, and tell every step of it')
    .argument('<domain>', 'SIP domain of the partner')
    .action(async (domain: string, options: Administered) => {
      const trial = await verb<Trial>(options, 'federation-test', { domain }, renderTrial);
      if (trial !== undefined && !(trial as unknown as Trial).ok) session.finish(exitStatus.failed);
    });
}

function renderPartners({ closed, partners, inbound, discovered }: Partners): string {
  return [
    ...(closed === undefined ? [] : [`Nothing is exchanged with anybody: ${CLOSED[closed]} (${closed}).`]),
    table([
      ['DOMAIN', 'KIND', 'BY', 'VERIFICATION', 'CONNECTIONS', 'TROUBLE'],
      ...partners.map(({ domain, kind, proxy, provider, verification, connections, trouble }) => [
        domain,
        provider === undefined ? kind : `${kind} ${printable(provider)}`,
        proxy ?? 'DNS',
        verification,
        String(connections),
        printable(trouble ?? ''),
      ]),
    ]),
    table([
      ['FROM', 'CERTIFICATE', 'SPEAKS FOR', 'MESSAGES'],
      ...inbound.map(({ remote, names, speaksFor, messages }) => [
        remote,
        printable(names.join(' ')),
        printable(speaksFor.join(' ')),
        String(messages),
      ]),
    ]),
    table([
      ['DISCOVERED', 'REQUESTS', 'USERS', 'FAILURES', 'LIMITED'],
      ...discovered.map(({ domain, requests, users, failures, limited }) => [
        printable(domain),
        String(requests),
        String(users),
        String(failures),
        limited.join(' '),
      ]),
    ]),
  ].join('\n\n');
}

function renderTrial({ steps }: Trial): string {
  return table([
    ['STEP', '', 'AT MS', 'TOOK MS', 'WHAT WAS SEEN'],
    ...steps.map(({ topic, ok, text, atMs, tookMs }) => [
      topic,
      ok ? 'ok' : 'FAILED',
      String(atMs),
      String(tookMs),
      printable(text),
    ]),
  ]);
}
