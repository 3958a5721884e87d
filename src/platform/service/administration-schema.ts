import { z } from 'zod';

/** What the administration socket understands: every verb with the types of its arguments and its answer. */
const state = z.enum(['starting', 'ready', 'running', 'waiting', 'stopped']);
const health = z.object({ ok: z.boolean(), detail: z.string() });

const service = z.object({
  name: z.string(),
  title: z.string(),
  state,
  pid: z.number().int().optional(),
  restarts: z.number().int(),
  /** How its process ended the last time. */
  lastEnd: z.string().optional(),
  documentVersion: z.number().int().optional(),
  health,
  /** Calls, allocations, connections that stopping it would end. */
  remaining: z.number(),
  draining: z.boolean(),
  verbs: z.array(z.string()),
  /** Of a service that runs in several processes, each of them; what stands above is of all together. */
  workers: z
    .array(
      z.object({
        pid: z.number().int().optional(),
        state,
        restarts: z.number().int(),
        lastEnd: z.string().optional(),
        health,
        remaining: z.number(),
      }),
    )
    .optional(),
});

const listener = z.object({
  id: z.string(),
  rows: z.array(z.string()),
  service: z.string(),
  transport: z.enum(['tcp', 'udp']),
  address: z.string(),
  port: z.number().int(),
  interface: z.string(),
});

const status = z.object({
  program: z.enum(['edge', 'internal']),
  mode: z.enum(['processes', 'single-process']),
  pid: z.number().int(),
  node: z.string(),
  /** Milliseconds since 1970. */
  startedAt: z.number(),
  document: z.object({ file: z.string(), version: z.number().int(), acceptedAt: z.number() }),
  healthy: z.boolean(),
  services: z.array(service),
  listeners: z.array(listener),
  events: z.object({ latest: z.number().int(), dropped: z.number().int() }),
});
export type ProgramStatus = z.infer<typeof status>;

export const reloadReport = z.object({
  outcome: z.enum(['applied', 'refused', 'rolled-back']),
  /** The document that runs now. */
  version: z.number().int(),
  problems: z.array(z.string()),
});
export type ReloadReport = z.infer<typeof reloadReport>;

const drainReport = z.object({
  services: z.array(z.object({ name: z.string(), remaining: z.number(), problem: z.string().optional() })),
});
export type DrainReport = z.infer<typeof drainReport>;

const event = z.object({
  sequence: z.number().int(),
  service: z.string(),
  at: z.number(),
  name: z.string(),
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
const eventPage = z.object({ events: z.array(event), latest: z.number().int(), dropped: z.number().int() });
export type EventPage = z.infer<typeof eventPage>;

const nothing = z.strictObject({});
const whichService = z.strictObject({ service: z.string().optional() });

export const administrationVerbs = {
  status: { arguments: nothing, result: status },
  reload: { arguments: nothing, result: reloadReport },
  drain: { arguments: whichService, result: drainReport },
  undrain: { arguments: whichService, result: drainReport },
  /** A verb of one service. */
  call: {
    arguments: z.strictObject({ service: z.string(), verb: z.string(), arguments: z.unknown().optional() }),
    result: z.unknown(),
  },
  metrics: { arguments: nothing, result: z.object({ text: z.string() }) },
  events: {
    arguments: z.strictObject({
      /** The last sequence number already seen: those that follow are wanted. Left out: the latest there are. */
      after: z.number().int().nonnegative().optional(),
      limit: z.number().int().min(1).max(1000).default(100),
    }),
    result: eventPage,
  },
} as const;

export type AdministrationVerb = keyof typeof administrationVerbs;
export type VerbArguments<Verb extends AdministrationVerb> = z.input<
  (typeof administrationVerbs)[Verb]['arguments']
>;
export type VerbResult<Verb extends AdministrationVerb> = z.output<
  (typeof administrationVerbs)[Verb]['result']
>;
export type ParsedArguments<Verb extends AdministrationVerb> = z.output<
  (typeof administrationVerbs)[Verb]['arguments']
>;

export const administrationError = z.object({
  error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }),
});
