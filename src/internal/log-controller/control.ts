import { err, type Failure, failure, ok, type Random, type Result, randomToken } from '#kernel';
import { type AgentStatus, type LogEvent, type RunningScenario, searchQuery } from '#protocols/log-query';
import { AgentLink, type LinkOptions } from './agent-link.ts';
import type { LoggedEdge } from './logged-edge.ts';
import { SearchRun } from './search-run.ts';

/** What one agent answered to a command. */
export interface ControlAnswer {
  readonly edge: string;
  readonly scenarios?: readonly RunningScenario[] | undefined;
  readonly status?: AgentStatus | undefined;
  readonly problem?: Failure | undefined;
  readonly skewMs?: number | undefined;
  /** Whether an event was traced and found again; only after a start. */
  readonly verified?: boolean | undefined;
}

export type Command = { readonly type: 'start' | 'update' | 'stop' | 'show' | 'status' | 'sync' } & Readonly<
  Record<string, unknown>
>;

/** How far back the marker is looked for: clocks differ. Milliseconds. */
const MARKER_WINDOW_MS = 10 * 60_000;
const MARKER_LENGTH = 24;

/** Asks all at once; each answers for itself. */
export function commandAll(
  edges: readonly LoggedEdge[],
  command: Command,
  options: LinkOptions,
  random: Random,
): Promise<ControlAnswer[]> {
  return Promise.all(edges.map((edge) => commandOne(edge, command, options, random)));
}

async function commandOne(
  edge: LoggedEdge,
  command: Command,
  options: LinkOptions,
  random: Random,
): Promise<ControlAnswer> {
  const opened = await AgentLink.open(edge, 'control', options);
  if (!opened.ok) return { edge: edge.name, problem: opened.error };
  const link = opened.value;
  const { skewMs } = link;
  try {
    const answered = await link.ask(command);
    if (!answered.ok) return { edge: edge.name, skewMs, problem: answered.error };
    const answer = answered.value;
    const about = {
      edge: edge.name,
      skewMs,
      ...(answer.type === 'scenarios' ? { scenarios: answer.running } : {}),
      ...(answer.type === 'status' ? { status: answer.status } : {}),
    };
    if (command.type !== 'start') return about;
    const verified = await verify(edge, link, options, random);
    return verified.ok
      ? { ...about, verified: true }
      : { ...about, verified: false, problem: verified.error };
  } finally {
    link.close();
  }
}

/** A command that is obeyed proves nothing: an event has to go the whole way and be found. */
async function verify(
  edge: LoggedEdge,
  link: AgentLink,
  options: LinkOptions,
  random: Random,
): Promise<Result<void>> {
  const marker = randomToken(random, MARKER_LENGTH);
  for (const request of [{ type: 'mark', marker }, { type: 'sync' }]) {
    const answered = await link.ask(request);
    if (!answered.ok) return answered;
  }
  const now = options.clock.wall() + (link.skewMs ?? 0);
  const query = searchQuery.parse({
    from: Math.max(0, now - MARKER_WINDOW_MS),
    to: now + MARKER_WINDOW_MS,
    keys: { trace: [marker] },
    limit: 1,
  });
  const found = await searchAll([edge], query, options);
  const problem = found.problems.get(edge.name);
  if (problem !== undefined) return err(problem);
  return found.events.length > 0 ? ok(undefined) : err(failure('SLP-LOG-0109', edge.name));
}

/** A search that is small enough to be waited for. */
async function searchAll(
  edges: readonly LoggedEdge[],
  query: ReturnType<typeof searchQuery.parse>,
  options: LinkOptions,
): Promise<{ readonly events: readonly LogEvent[]; readonly problems: ReadonlyMap<string, Failure> }> {
  const run = new SearchRun(edges, query, options);
  const events: LogEvent[] = [];
  await new Promise<void>((resolve) => {
    const look = () => {
      events.push(...run.take(query.limit));
      if (run.over) resolve();
    };
    run.onChange = look;
    look();
  });
  const problems = run.outcomes.flatMap(({ edge, problem }) =>
    problem === undefined ? [] : [[edge, problem] as const],
  );
  return { events, problems: new Map(problems) };
}
