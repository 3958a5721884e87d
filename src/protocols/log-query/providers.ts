import { err, type Failure, failure, nearest, ok, type Result } from '#kernel';

/** How much an event matters; a provider that is asked for one level gives that one and those before it. */
export const logLevels = ['error', 'warning', 'info', 'verbose'] as const;
export type EventLevel = (typeof logLevels)[number];

/** What an event is about, whichever provider it comes from. */
export const eventFlags = ['connection', 'security', 'diagnostics', 'protocol', 'component'] as const;
export type EventFlag = (typeof eventFlags)[number];

/** Everything that can emit events. A closed list: an unknown name is a mistake of whoever asks. */
export const providers = {
  Sip: 'SIP messages that came and went, and what became of them',
  Stun: 'STUN and TURN requests and answers, without the data that they relay',
  Turn: 'Allocations of the relay, opened and closed, and what it ignored',
  Xmpp: 'XMPP streams and stanzas',
  Psom: 'PSOM operations of web conferences',
  Tls: 'TLS handshakes, with the identity that they proved or the reason why not',
  Access: 'Decisions of the Access Edge service: sign-in, routes, limits, refusals',
  Federation: 'Partners: how they were found, what they proved, what they may do',
  WebConferencing: 'Web conferences: who came in, was refused and left, and by which links',
  Av: 'Requests that the relay of the A/V Edge service refused, and why',
  AvAuthentication: 'Media credentials that were asked for, given and refused',
  XmppProxy: 'Decisions of the XMPP proxy: domains, routes, refusals',
  Replica: 'Configuration that was pushed to this edge, and how it ended',
  Dns: 'Names that were looked up for a partner',
  Supervisor: 'Services that started and ended, documents that were applied or refused',
  LoggingAgent: 'Scenarios, segments, markers, and events that were lost',
} as const satisfies Record<string, string>;
export type ProviderName = keyof typeof providers;
export const providerNames = Object.keys(providers) as ProviderName[];

export function isProvider(name: string): name is ProviderName {
  return Object.hasOwn(providers, name);
}
export function isFlag(name: string): name is EventFlag {
  return (eventFlags as readonly string[]).includes(name);
}
/** Whether an event of one level is wanted by who asked for the other. */
export function reaches(level: EventLevel, asked: EventLevel): boolean {
  return logLevels.indexOf(level) <= logLevels.indexOf(asked);
}

/** A failure that names what is not known and what was probably meant. */
export function unknownName(what: string, name: string, known: readonly string[]): Failure {
  const guess = nearest(name, known);
  const hint = guess === undefined ? `known are ${known.join(', ')}` : `did you mean ${guess}?`;
  return failure('SLP-LOG-0001', `${what} "${name.slice(0, 64)}": ${hint}`);
}

/** The level of that name. */
export function levelNamed(name: string): Result<EventLevel> {
  const level = logLevels.find((candidate) => candidate === name.toLowerCase());
  return level === undefined ? err(unknownName('level', name, logLevels)) : ok(level);
}
