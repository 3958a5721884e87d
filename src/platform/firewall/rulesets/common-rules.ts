import type { Action, Chain, IcmpType, Match, Rule } from '../model/ruleset.ts';

export interface RulesetOptions {
  /** Whether a few of the packets that are dropped are written to the kernel's log. */
  readonly log?: boolean;
}

/** Lines a minute, so that nobody fills a disk by knocking. */
const LOG_PER_MINUTE = 10;

const accept: Action = { kind: 'accept' };
const drop: Action = { kind: 'drop' };

export function accepting(match: Match, purpose?: string): Rule {
  return { match, action: accept, rows: [], ...(purpose !== undefined && { purpose }) };
}

/** Nothing is dropped without being counted. */
export function dropping(counter: string, match: Match, purpose: string): Rule {
  return { match, action: drop, counter, rows: [], purpose };
}

/** The last rules of a chain: what has not been accepted by now, said at most so often, counted and dropped. */
export function denial(counter: string, { log = false }: RulesetOptions): Rule[] {
  const rule = dropping(counter, {}, 'not in the port plan');
  return log ? [{ match: {}, action: { kind: 'log', perMinute: LOG_PER_MINUTE }, rows: [] }, rule] : [rule];
}

/** Answers of accepted flows. */
export const established: Rule = accepting({ state: 'established' }, 'answers');

export const invalid: Rule = dropping('invalid', { state: 'invalid' }, 'belongs to no connection');

const ERRORS: Readonly<Record<4 | 6, readonly IcmpType[]>> = {
  4: ['destination-unreachable', 'time-exceeded', 'parameter-problem'],
  6: ['destination-unreachable', 'packet-too-big', 'time-exceeded', 'parameter-problem'],
};

/**
 * The errors without which path MTU discovery and failing over do not work, and only about flows that exist: RFC 4890
 * §4.3.1 for IPv6, RFC 1191 §4 for IPv4. No redirect, and nothing that a protocol helper calls related.
 */
export const errorsAboutFlows: readonly Rule[] = ([4, 6] as const).map((family) =>
  accepting({ family, state: 'related', icmp: ERRORS[family] }, 'errors about accepted flows'),
);

/** Before anything is tracked: the source has to live where the packet comes from (RFC 3704 §2.2, strict). */
export const spoofed: Chain = {
  hook: 'arriving',
  policy: 'accept',
  rules: [dropping('spoofed', { loopback: false, special: 'wrong-way' }, 'source of another interface')],
};
