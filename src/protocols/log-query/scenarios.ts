import { err, ok, type Result } from '#kernel';
import {
  type EventFlag,
  type EventLevel,
  eventFlags,
  isFlag,
  isProvider,
  levelNamed,
  type ProviderName,
  providerNames,
  reaches,
  unknownName,
} from './providers.ts';

/** What a scenario wants of one provider. */
export interface ProviderRequest {
  readonly provider: ProviderName;
  readonly level: EventLevel;
  /** Events that have one of them; without any, whatever the provider has. */
  readonly flags: readonly EventFlag[];
}
export interface Scenario {
  readonly name: string;
  readonly providers: readonly ProviderRequest[];
  /** Bodies of messages too: what people wrote, and descriptions of media without their keys. Credentials never. */
  readonly bodies: boolean;
}

export const ALWAYS_ON = 'AlwaysOn';
/** How long one runs that is not AlwaysOn, unless it is told otherwise, and at most. */
export const SCENARIO_MS = { usual: 4 * 3_600_000, most: 24 * 3_600_000, least: 60_000 };
export const SCENARIO_NAME = /^[A-Za-z][A-Za-z0-9-]{0,31}$/;

function every(names: readonly ProviderName[], level: EventLevel): ProviderRequest[] {
  return names.map((provider) => ({ provider, level, flags: [] }));
}
const context = every(['Supervisor', 'LoggingAgent'], 'info');

/** Those that are there without defining one. */
export const scenarios: readonly Scenario[] = [
  { name: ALWAYS_ON, bodies: false, providers: every(providerNames, 'info') },
  {
    name: 'Authentication',
    bodies: false,
    providers: [...every(['Sip', 'Access', 'AvAuthentication', 'Tls'], 'verbose'), ...context],
  },
  {
    name: 'IMAndPresence',
    bodies: true,
    providers: [...every(['Sip', 'Access', 'Federation', 'Xmpp', 'XmppProxy'], 'verbose'), ...context],
  },
  {
    name: 'MediaConnectivity',
    bodies: true,
    providers: [...every(['Sip', 'Stun', 'Turn', 'Av', 'AvAuthentication'], 'verbose'), ...context],
  },
  {
    name: 'Federation',
    bodies: false,
    providers: [...every(['Sip', 'Access', 'Federation', 'Tls', 'Dns'], 'verbose'), ...context],
  },
  {
    name: 'XMPP',
    bodies: true,
    providers: [...every(['Xmpp', 'XmppProxy', 'Tls', 'Dns'], 'verbose'), ...context],
  },
  {
    name: 'MeetingJoin',
    bodies: false,
    // Strokes are no part of joining, and there are many.
    providers: [
      ...every(['Sip', 'Access', 'WebConferencing', 'Av'], 'verbose'),
      ...every(['Psom'], 'info'),
      ...context,
    ],
  },
  {
    name: 'Replication',
    bodies: false,
    providers: [...every(['Replica', 'Supervisor', 'Tls'], 'verbose'), ...context.slice(1)],
  },
  { name: 'Everything', bodies: true, providers: every(providerNames, 'verbose') },
];

export function scenarioNamed(name: string): Result<Scenario> {
  const found = scenarios.find((scenario) => scenario.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return ok(found);
  return err(
    unknownName(
      'scenario',
      name,
      scenarios.map((scenario) => scenario.name),
    ),
  );
}

/** What one asks for by hand: `Sip`, `Sip:verbose`, or `Tls:info:security+connection`. */
export function readProviderRequest(text: string): Result<ProviderRequest> {
  const [name = '', level = 'info', flags = ''] = text.split(':', 3);
  const provider = providerNames.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  if (provider === undefined || !isProvider(provider))
    return err(unknownName('provider', name, providerNames));
  const asked = levelNamed(level);
  if (!asked.ok) return asked;
  const wanted: EventFlag[] = [];
  for (const flag of flags === '' ? [] : flags.split('+')) {
    const plain = flag.toLowerCase();
    if (!isFlag(plain)) return err(unknownName('flag', flag, eventFlags));
    wanted.push(plain);
  }
  return ok({ provider, level: asked.value, flags: wanted });
}

/** What the scenarios that run want of each provider, all together; a provider that is absent need emit nothing. */
export interface Demand {
  readonly providers: Readonly<Partial<Record<ProviderName, DemandOfProvider>>>;
}
export interface DemandOfProvider {
  readonly level: EventLevel;
  readonly bodies: boolean;
}

export function demandOf(running: readonly Scenario[]): Demand {
  const wanted: Partial<Record<ProviderName, DemandOfProvider>> = {};
  for (const { bodies, providers } of running) {
    for (const { provider, level } of providers) {
      const before = wanted[provider];
      wanted[provider] = {
        level: before !== undefined && reaches(level, before.level) ? before.level : level,
        bodies: bodies || before?.bodies === true,
      };
    }
  }
  return { providers: wanted };
}

/** Whether a scenario asks for this event. */
export function wants(
  scenario: Scenario,
  event: { readonly provider: string; readonly level: EventLevel; readonly flags: readonly string[] },
): boolean {
  return scenario.providers.some(
    ({ provider, level, flags }) =>
      provider === event.provider &&
      reaches(event.level, level) &&
      (flags.length === 0 || flags.some((flag) => event.flags.includes(flag))),
  );
}
