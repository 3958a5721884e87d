import { processOfConnection } from '#platform/net';
import type { VerbHandler } from '#platform/service';
import type { Team } from './team.ts';

type Answer = Readonly<Record<string, unknown>>;
/** Makes one answer of those of all workers; this one's is the first. */
type Join = (answers: readonly Answer[], args: unknown) => Answer;

const DEFAULT_LIMIT = 100;

/** How the answers of all workers become one. Verbs that are not here are answered by whoever is asked. */
const joins: Readonly<Record<string, Join>> = {
  connections: (answers, args) => ({
    total: total(answers, 'total'),
    clients: all(answers, 'clients').sort(byAge).slice(-limitOf(args)).map(withWorker),
    nextHop: joinBy(all(answers, 'nextHop'), ({ name, address, port }) => `${name} ${address} ${port}`, {
      sums: ['connections', 'pending'],
      worst: { field: 'state', good: 'healthy' },
    }),
  }),
  indicators: (answers) => ({
    indicators: joinBy(all(answers, 'indicators'), ({ name }) => `${name}`, {
      sums: ['value'],
      longest: 'seconds',
    }),
  }),
  blocks: (answers) => ({ blocks: all(answers, 'blocks') }),
  unblock: (answers) => ({ lifted: total(answers, 'lifted') }),
  counters: (answers) => added(answers),
  'federation-partners': (answers) => ({
    // All workers have one document.
    closed: answers[0]?.closed,
    partners: joinBy(all(answers, 'partners'), ({ domain, kind }) => `${domain} ${kind}`, {
      sums: ['connections'],
      first: 'trouble',
    }),
    inbound: joinBy(all(answers, 'inbound'), ({ connection }) => `${connection}`, {
      sums: [],
      union: 'speaksFor',
      most: 'messages',
    }),
    discovered: all(answers, 'discovered'),
  }),
};

/** The verbs of one worker, answered for all of them. */
export function gatheredVerbs(
  own: Readonly<Record<string, VerbHandler>>,
  team: () => Team | undefined,
): Readonly<Record<string, VerbHandler>> {
  const gathered = Object.entries(own).map(([name, handler]): [string, VerbHandler] => {
    const join = joins[name];
    if (join === undefined) return [name, handler];
    return [
      name,
      async (args) => {
        // Arguments that do not fit are refused before anybody else is asked.
        const here = (await handler(args)) as Answer;
        const others = ((await team()?.askVerb(name, args)) ?? []) as Answer[];
        return join([here, ...others], args);
      },
    ];
  });
  return Object.fromEntries(gathered);
}

function all(answers: readonly Answer[], field: string): Answer[] {
  return answers.flatMap((answer) => (Array.isArray(answer[field]) ? (answer[field] as Answer[]) : []));
}
function total(answers: readonly Answer[], field: string): number {
  return answers.reduce((sum, answer) => sum + numberIn(answer, field), 0);
}
function numberIn(answer: Answer, field: string): number {
  const value = answer[field];
  return typeof value === 'number' ? value : 0;
}
function listIn(answer: Answer, field: string): unknown[] {
  const value = answer[field];
  return Array.isArray(value) ? value : [];
}
/** The newest last. */
function byAge(a: Answer, b: Answer): number {
  return numberIn(b, 'seconds') - numberIn(a, 'seconds');
}
/** Counted from 1, as everywhere where people see it. */
function withWorker(client: Answer): Answer {
  return { worker: processOfConnection(numberIn(client, 'id')) + 1, ...client };
}
function limitOf(args: unknown): number {
  const { limit } = (args ?? {}) as { limit?: unknown };
  return typeof limit === 'number' ? limit : DEFAULT_LIMIT;
}

interface Rules {
  readonly sums: readonly string[];
  /** Of this field any other value than the good one counts for all. */
  readonly worst?: { readonly field: string; readonly good: string };
  /** The first that there is. */
  readonly first?: string;
  /** A list: what any of them has. */
  readonly union?: string;
  /** The largest number. */
  readonly most?: string;
  /** Of what is measured in this unit the largest counts, and not the sum. */
  readonly longest?: string;
}

/** One entry for all that have the same key. */
function joinBy(entries: readonly Answer[], keyOf: (entry: Answer) => string, rules: Rules): Answer[] {
  const joined = new Map<string, Record<string, unknown>>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const known = joined.get(key);
    if (known === undefined) joined.set(key, { ...entry });
    else join(known, entry, rules);
  }
  return [...joined.values()];
}
function join(known: Record<string, unknown>, entry: Answer, rules: Rules): void {
  const { sums, worst, first, longest, union, most } = rules;
  for (const field of sums) {
    const numbers = [numberIn(known, field), numberIn(entry, field)] as const;
    const largest = longest !== undefined && entry.unit === longest;
    known[field] = largest ? Math.max(...numbers) : numbers[0] + numbers[1];
  }
  if (first !== undefined) known[first] ??= entry[first];
  if (union !== undefined) known[union] = [...new Set([listIn(known, union), listIn(entry, union)].flat())];
  if (most !== undefined) known[most] = Math.max(numberIn(known, most), numberIn(entry, most));
  if (worst === undefined || entry[worst.field] === worst.good) return;
  known[worst.field] = entry[worst.field];
  known.reason = entry.reason;
}

/** Numbers of the same place added up, however deep they are. */
function added(answers: readonly Answer[]): Answer {
  const [first = {}] = answers;
  return Object.fromEntries(
    Object.entries(first).map(([field, value]) => [
      field,
      typeof value === 'number'
        ? total(answers, field)
        : added(answers.map((answer) => (answer[field] ?? {}) as Answer)),
    ]),
  );
}
