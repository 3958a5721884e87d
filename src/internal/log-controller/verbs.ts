import { z } from 'zod';
import { type Clock, type Failure, FailureError, failure, type Random } from '#kernel';
import { type VerbHandler, verb } from '#platform/service';
import { searchQuery } from '#protocols/log-query';
import type { LinkOptions } from './agent-link.ts';
import { told } from './answers.ts';
import { CallSearch } from './call-search.ts';
import { type ControlAnswer, commandAll } from './control.ts';
import { CopyRun, listSegments } from './copy-run.ts';
import { FollowRun } from './follow-run.ts';
import type { LoggedEdge } from './logged-edge.ts';
import type { Readings } from './readings.ts';
import { type EdgeOutcome, SearchRun } from './search-run.ts';
import { Task } from './task.ts';

/** What the verbs work on. */
export interface Controlled {
  readonly edges: readonly LoggedEdge[];
  readonly link: LinkOptions;
  readonly readings: Readings;
  readonly clock: Clock;
  readonly random: Random;
}

const LONGEST_WAIT_MS = 20_000;
const edges = z.array(z.string().max(253)).max(1000).optional();
const reading = z.string().max(64);
const waitMs = z.int().min(0).max(LONGEST_WAIT_MS).default(5000);
const command = z.strictObject({
  type: z.enum(['start', 'update', 'stop', 'show', 'status', 'sync']),
  scenario: z.string().max(64).optional(),
  providers: z
    .array(z.strictObject({ provider: z.string(), level: z.string(), flags: z.array(z.string()) }))
    .optional(),
  bodies: z.boolean().optional(),
  durationMs: z.int().optional(),
});

/** Every verb of the log controller. */
export function verbsOf(find: () => Controlled | undefined): Readonly<Record<string, VerbHandler>> {
  const controlled = (): Controlled => {
    const found = find();
    if (found === undefined) throw new FailureError(failure('SLP-SVC-0001', 'log-controller'));
    return found;
  };
  return { ...controlVerbs(controlled), ...readingVerbs(controlled), ...copyVerbs(controlled) };
}

function controlVerbs(controlled: () => Controlled): Record<string, VerbHandler> {
  return {
    command: verb(z.strictObject({ command, edges }), ({ command: wanted, edges: names }) => {
      const all = controlled();
      const asked = chosen(all, names);
      const work = commandAll(asked, wanted, all.link, all.random);
      return task(
        all,
        work.then((answers) => answers.map(controlAnswerOf)),
      );
    }),
    segments: verb(z.strictObject({ edges }), ({ edges: names }) => {
      const all = controlled();
      const answers = chosen(all, names).map(async (edge) => {
        const listed = await listSegments(edge, all.link);
        return listed.ok
          ? { edge: edge.name, segments: listed.value }
          : { edge: edge.name, problem: told(listed.error) };
      });
      return task(all, Promise.all(answers));
    }),
    /** What a command or a list of segments came to; nothing as long as it is under way. */
    outcome: verb(z.strictObject({ reading, waitMs }), async ({ reading: id, waitMs: ms }) => {
      const { readings } = controlled();
      const value = await readings.findTask(id).value(ms);
      if (value === undefined) return { over: false };
      readings.close(id);
      return { over: true, ...value };
    }),
  };
}

function readingVerbs(controlled: () => Controlled): Record<string, VerbHandler> {
  return {
    search: verb(
      z.strictObject({ query: searchQuery, edges, call: z.boolean().default(false) }),
      ({ query, edges: names, call }) => {
        const all = controlled();
        const asked = chosen(all, names);
        const run = call ? new CallSearch(asked, query, all.link) : new SearchRun(asked, query, all.link);
        return { reading: all.readings.add(run) };
      },
    ),
    follow: verb(z.strictObject({ query: searchQuery, edges }), ({ query, edges: names }) => {
      const all = controlled();
      return { reading: all.readings.add(new FollowRun(chosen(all, names), query, all.link)) };
    }),
    read: verb(z.strictObject({ reading, waitMs }), async ({ reading: id, waitMs: ms }) => {
      const { readings } = controlled();
      const answer = await readings.read(readings.find(id), ms);
      if (answer.over) readings.close(id);
      return { events: answer.events, over: answer.over, edges: answer.edges.map(outcomeOf) };
    }),
    close: verb(z.strictObject({ reading }), ({ reading: id }) => {
      controlled().readings.close(id);
      return {};
    }),
  };
}

function copyVerbs(controlled: () => Controlled): Record<string, VerbHandler> {
  return {
    copy: verb(z.strictObject({ edge: z.string(), segment: z.int().min(1) }), async ({ edge, segment }) => {
      const all = controlled();
      const [wanted] = chosen(all, [edge]);
      if (wanted === undefined) throw new FailureError(failure('SLP-LOG-0113', edge));
      const run = await CopyRun.open(wanted, segment, all.link);
      if (!run.ok) throw new FailureError(run.error);
      return { reading: all.readings.add(run.value) };
    }),
    'copy-read': verb(z.strictObject({ reading }), async ({ reading: id }) => {
      const { readings } = controlled();
      const { octets, result } = await readings.findCopy(id).read();
      if (result !== undefined) readings.close(id);
      return {
        octets: octets.toString('base64'),
        over: result !== undefined,
        ...(result?.ok === true ? { sha256: result.value.sha256 } : {}),
        ...(result?.ok === false ? { problem: told(result.error) } : {}),
      };
    }),
  };
}

function task({ clock, readings }: Controlled, work: Promise<readonly unknown[]>) {
  return {
    reading: readings.add(
      new Task(
        clock,
        work.then((edges) => ({ edges })),
      ),
    ),
  };
}

function chosen({ edges: all }: Controlled, names: readonly string[] | undefined): readonly LoggedEdge[] {
  if (all.length === 0) throw new FailureError(failure('SLP-LOG-0113', 'logging.edges is empty'));
  if (names === undefined || names.length === 0) return all;
  return names.map((name) => {
    const edge = all.find((candidate) => candidate.name === name.toLowerCase());
    if (edge === undefined) throw new FailureError(failure('SLP-LOG-0113', name));
    return edge;
  });
}

function controlAnswerOf({ problem, ...rest }: ControlAnswer) {
  return { ...rest, ...problemOf(problem) };
}
function outcomeOf({ problem, ...rest }: EdgeOutcome) {
  return { ...rest, ...problemOf(problem) };
}
function problemOf(problem: Failure | undefined) {
  return problem === undefined ? {} : { problem: told(problem) };
}
