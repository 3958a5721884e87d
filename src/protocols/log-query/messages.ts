import { z } from 'zod';
import { err, failure, ok, type Result } from '#kernel';
import { type LogEvent, readEvent } from './event.ts';
import { eventFlags, logLevels } from './providers.ts';
import { searchQuery } from './query.ts';
import { SCENARIO_MS, SCENARIO_NAME } from './scenarios.ts';

/** Versions of this protocol that this program speaks, oldest first. Members that a version does not know are ignored. */
export const LOG_VERSIONS = [1] as const;
/** Newest that both know. */
export function commonVersion(theirs: readonly number[]): number | undefined {
  return [...LOG_VERSIONS].reverse().find((version) => theirs.includes(version));
}

const RESUME_TOKEN = /^[0-9a-z]{1,32}\.\d{1,16}$/;
/** A token that whoever starts a scenario makes up, to find it again. */
const MARKER = /^[0-9A-Za-z-]{8,64}$/;

const id = z
  .int()
  .min(1)
  .max(2 ** 31);
const word = z.string().max(64);
const line = z.string().max(2048);

const hello = z.object({
  type: z.literal('hello'),
  versions: z.array(z.int()).min(1).max(16),
  product: word,
});

const scenarioName = z.string().regex(SCENARIO_NAME);
/** Names stay open here so that an agent can say which it does not know. */
const providerRequest = z.object({
  provider: word,
  level: z.enum(logLevels),
  flags: z.array(word).max(eventFlags.length).default([]),
});
const definition = {
  scenario: scenarioName,
  /** Absent: what the agent knows under this name. */
  providers: z.array(providerRequest).min(1).max(64).optional(),
  bodies: z.boolean().optional(),
  durationMs: z.int().min(SCENARIO_MS.least).max(SCENARIO_MS.most).optional(),
};

/** Port row int-09. */
export const controlRequest = z.discriminatedUnion('type', [
  hello,
  z.object({ type: z.literal('start'), id, ...definition }),
  z.object({ type: z.literal('update'), id, ...definition }),
  z.object({ type: z.literal('stop'), id, scenario: scenarioName }),
  z.object({ type: z.literal('show'), id }),
  z.object({ type: z.literal('status'), id }),
  /** Answered when everything emitted before is found by a search. */
  z.object({ type: z.literal('sync'), id }),
  /** Has the agent emit an event of this token the way every service does. */
  z.object({ type: z.literal('mark'), id, marker: z.string().regex(MARKER) }),
]);
export type ControlRequest = z.output<typeof controlRequest>;

/** Port row int-10. */
export const searchRequest = z.discriminatedUnion('type', [
  hello,
  z.object({ type: z.literal('search'), id, query: searchQuery }),
  z.object({ type: z.literal('cancel'), id }),
]);
export type SearchRequest = z.output<typeof searchRequest>;

/** Port row int-11. */
export const collectionRequest = z.discriminatedUnion('type', [
  hello,
  z.object({ type: z.literal('list'), id }),
  /** From an octet on, so that a copy that broke off goes on. */
  z.object({ type: z.literal('copy'), id, segment: z.int().min(1), offset: z.int().min(0).default(0) }),
  z.object({
    type: z.literal('follow'),
    id,
    query: searchQuery,
    /** Goes on behind this token; absent: from now on. */
    after: z.string().regex(RESUME_TOKEN).optional(),
  }),
  z.object({ type: z.literal('cancel'), id }),
]);
export type CollectionRequest = z.output<typeof collectionRequest>;

export const runningScenario = z.object({
  name: word,
  startedAt: z.number(),
  /** Null: until it is stopped. */
  endsAt: z.number().nullable(),
  bodies: z.boolean(),
  providers: z.array(providerRequest).max(64),
});
export type RunningScenario = z.output<typeof runningScenario>;

const throttled = z.object({ component: z.string().max(130), suppressed: z.number() });
export const agentStatus = z.object({
  scenarios: z.array(runningScenario).max(16),
  /** Of what is stored now. */
  segments: z.number(),
  events: z.number(),
  bytes: z.number(),
  oldest: z.number().nullable(),
  newest: z.number().nullable(),
  /** Percent of the volume that is in use. */
  diskPercent: z.number(),
  /** Since the agent started: taken, lost before they reached it, held back by the throttle, not storable. */
  taken: z.number(),
  dropped: z.number(),
  suppressed: z.number(),
  unstored: z.number(),
  throttled: z.array(throttled).max(64),
  /** Why nothing is stored at the moment. */
  problem: line.nullable(),
});
export type AgentStatus = z.output<typeof agentStatus>;

const segmentEntry = z.object({
  segment: z.int(),
  from: z.number(),
  to: z.number(),
  events: z.number(),
  bytes: z.number(),
  /** Still being written. */
  open: z.boolean(),
});
export type SegmentEntry = z.output<typeof segmentEntry>;

/** What an agent says. `id` is that of the request. */
export const agentMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    version: z.int(),
    node: z.string().max(253),
    product: word,
    /** Its clock, so that a controller sees one that is wrong. */
    now: z.number(),
  }),
  z.object({ type: z.literal('done'), id }),
  z.object({
    type: z.literal('refused'),
    /** Null when the request could not be read. */
    id: id.nullable(),
    code: z.string().max(32),
    message: line,
  }),
  z.object({ type: z.literal('scenarios'), id, running: z.array(runningScenario).max(16) }),
  z.object({ type: z.literal('status'), id, status: agentStatus }),
  z.object({ type: z.literal('segments'), id, segments: z.array(segmentEntry).max(1000) }),
  z.object({
    type: z.literal('events'),
    id,
    /** Each read by `readEvent`. */
    events: z.array(z.unknown()).max(1000),
    /** Of a follow: goes on behind the last of them. */
    resume: z.string().regex(RESUME_TOKEN).optional(),
    /** Of a follow: so many were deleted before they could be sent. */
    missed: z.int().optional(),
  }),
  z.object({
    type: z.literal('found'),
    id,
    events: z.int(),
    /** There are more than the limit. */
    more: z.boolean(),
    segments: z.object({ all: z.int(), opened: z.int() }),
  }),
  z.object({
    type: z.literal('copied'),
    id,
    segment: z.int(),
    /** Of the whole copy from octet 0, lower case hexadecimal. */
    bytes: z.int(),
    sha256: z.string().length(64),
  }),
]);
export type AgentMessage = z.output<typeof agentMessage>;
export type AgentMessageInput = z.input<typeof agentMessage>;

/** The schemas of the three ports, by their job. */
export const portRequests = {
  control: controlRequest,
  search: searchRequest,
  collection: collectionRequest,
} as const;
export type LogPort = keyof typeof portRequests;

export function readRequest<Port extends LogPort>(
  port: Port,
  text: string,
): Result<z.output<(typeof portRequests)[Port]>> {
  const parsed = parse(portRequests[port], text);
  return parsed as Result<z.output<(typeof portRequests)[Port]>>;
}

/** With the events of the message read, those that are none left out and counted. */
export function readAgentMessage(
  text: string,
): Result<{ readonly message: AgentMessage; readonly events: readonly LogEvent[]; readonly unread: number }> {
  const parsed = parse(agentMessage, text);
  if (!parsed.ok) return parsed;
  const message = parsed.value;
  if (message.type !== 'events') return ok({ message, events: [], unread: 0 });
  const events = message.events.map(readEvent).filter((event) => event !== undefined);
  return ok({ message, events, unread: message.events.length - events.length });
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string): Result<z.output<Schema>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(failure('SLP-LOG-0002', 'no JSON'));
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  return err(failure('SLP-LOG-0002', `${issue?.path.join('.') || 'type'}: ${issue?.message ?? 'not known'}`));
}

/** The number of a request that could not be read as a whole, for the refusal. */
export function requestIdOf(text: string): number | null {
  try {
    const parsed = z.object({ id }).safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.id : null;
  } catch {
    return null;
  }
}
