import { z } from 'zod';
import { catalogue, type ErrorCode, type Failure, failure } from '#kernel';
import { listenerOwners } from '#platform/topology';
import { type Demand, logLevels, providerNames } from '#protocols/log-query';
import { reloadReport } from './administration-schema.ts';

/**
 * What supervisor and service processes say to one another. Every message is parsed when it arrives. A call is
 * answered by exactly one reply with its number.
 */
const listenerPlan = z.object({
  id: z.string(),
  rows: z.array(z.string()),
  service: z.enum(listenerOwners),
  transport: z.enum(['tcp', 'udp']),
  address: z.string(),
  port: z.number(),
  interface: z.enum(['external', 'internal', 'loopback']),
});

const callNumber = z.number().int().nonnegative();

const callAction = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('provision'),
    version: z.number().int(),
    document: z.unknown(),
    listeners: z.array(listenerPlan),
  }),
  z.object({ action: z.literal('commit'), version: z.number().int() }),
  z.object({ action: z.literal('abandon'), version: z.number().int() }),
  z.object({ action: z.literal('health') }),
  z.object({ action: z.literal('metrics') }),
  z.object({ action: z.literal('verb'), verb: z.string(), arguments: z.unknown() }),
  z.object({ action: z.literal('drain') }),
  z.object({ action: z.literal('undrain') }),
  z.object({ action: z.literal('stop'), withinMs: z.number().positive() }),
]);
export type CallAction = z.infer<typeof callAction>;

/** Names of another version are left behind. */
const demand = z
  .object({ providers: z.record(z.string(), z.object({ level: z.enum(logLevels), bodies: z.boolean() })) })
  .transform(({ providers }): Demand => {
    const known = providerNames.filter((name) => Object.hasOwn(providers, name));
    return { providers: Object.fromEntries(known.map((name) => [name, providers[name]])) };
  });

export const toService = z.discriminatedUnion('type', [
  /**
   * Comes with the socket itself; `of` another process of the service, which is away, when it is not its own. `share`:
   * which of those for threads.
   */
  z.object({
    type: z.literal('socket'),
    id: z.string(),
    of: z.int().nonnegative().optional(),
    share: z.int().nonnegative().optional(),
  }),
  /** That process is back. */
  z.object({ type: z.literal('return'), of: z.int().nonnegative() }),
  z.object({ type: z.literal('call'), call: callNumber, request: callAction }),
  /** The end of an offer. */
  z.object({ type: z.literal('verdict'), offer: callNumber, report: reloadReport }),
  /** Which events it should emit. */
  z.object({ type: z.literal('demand'), demand }),
  /** To be sent back with the events, behind those that were emitted so far. */
  z.object({ type: z.literal('mark'), number: callNumber }),
]);
export type ToService = z.infer<typeof toService>;

const carriedFailure = z.object({ code: z.string(), message: z.string() });
export type CarriedFailure = z.infer<typeof carriedFailure>;

export const fromService = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), node: z.string(), verbs: z.array(z.string()) }),
  z.object({ type: z.literal('reply'), call: callNumber, ok: z.literal(true), value: z.unknown() }),
  /** A document that it received, in a file. */
  z.object({ type: z.literal('offer'), offer: callNumber, file: z.string().max(4096) }),
  z.object({ type: z.literal('refusal'), call: callNumber, failure: carriedFailure }),
  /** Of the collector: what all services should emit, and that it wants all that they have emitted so far. */
  z.object({ type: z.literal('demand'), demand }),
  z.object({ type: z.literal('sync'), number: callNumber }),
]);
export type FromService = z.infer<typeof fromService>;

export const healthReply = z.object({ ok: z.boolean(), detail: z.string(), remaining: z.number() });
export type HealthReply = z.infer<typeof healthReply>;

export const metricsReply = z.array(
  z.object({
    name: z.string(),
    help: z.string(),
    type: z.string(),
    values: z.array(
      z.object({
        // JSON has no NaN or infinity: null comes in their place.
        value: z
          .number()
          .nullable()
          .transform((value) => value ?? Number.NaN),
        labels: z.record(z.string(), z.union([z.string(), z.number()])),
        metricName: z.string().optional(),
      }),
    ),
  }),
);

export function carryFailure(problem: Failure): CarriedFailure {
  return { code: problem.code, message: problem.message };
}

/** A failure as it was on the other side; an unknown code (another version) becomes a general one. */
export function receiveFailure(carried: CarriedFailure): Failure {
  if (!Object.hasOwn(catalogue, carried.code)) return failure('SLP-SVC-0016', carried.message);
  const code = carried.code as ErrorCode;
  return { code, blame: catalogue[code].blame, message: carried.message };
}
