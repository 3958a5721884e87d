import { z } from 'zod';
import { catalogue, type Failure } from '#kernel';
import { readEvent } from '#protocols/log-query';

/** What the verbs of the log controller answer, for whoever asks over the administration socket. */
const problem = z.object({ code: z.string(), message: z.string(), remedy: z.string() });
const edgeFacts = { edge: z.string(), problem: problem.optional(), skewMs: z.number().optional() };

const outcome = z.object({
  ...edgeFacts,
  state: z.enum(['asked', 'answering', 'done', 'failed']),
  events: z.number(),
  more: z.boolean(),
  segments: z.object({ all: z.number(), opened: z.number() }).optional(),
});
export type OutcomeAnswer = z.output<typeof outcome>;

const event = z.unknown().transform((value, context) => {
  const read = readEvent(value);
  if (read === undefined) context.addIssue({ code: 'custom', message: 'no event' });
  return read ?? z.NEVER;
});

/** Not yet: ask again. */
export const pendingAnswer = z.object({ over: z.literal(false) });
export const openedAnswer = z.object({ reading: z.string() });
export const readAnswer = z.object({ events: z.array(event), over: z.boolean(), edges: z.array(outcome) });

const running = z.object({
  name: z.string(),
  startedAt: z.number(),
  endsAt: z.number().nullable(),
  bodies: z.boolean(),
  providers: z.array(z.object({ provider: z.string(), level: z.string(), flags: z.array(z.string()) })),
});
const status = z.object({
  segments: z.number(),
  events: z.number(),
  bytes: z.number(),
  oldest: z.number().nullable(),
  newest: z.number().nullable(),
  diskPercent: z.number(),
  dropped: z.number(),
  suppressed: z.number(),
  problem: z.string().nullable(),
});
export const controlAnswer = z.object({
  over: z.literal(true),
  edges: z.array(
    z.object({
      ...edgeFacts,
      scenarios: z.array(running).optional(),
      status: status.optional(),
      verified: z.boolean().optional(),
    }),
  ),
});
export type ControlEdges = z.output<typeof controlAnswer>['edges'];

export const segmentsAnswer = z.object({
  over: z.literal(true),
  edges: z.array(
    z.object({
      ...edgeFacts,
      segments: z
        .array(
          z.object({
            segment: z.number(),
            from: z.number(),
            to: z.number(),
            events: z.number(),
            bytes: z.number(),
          }),
        )
        .optional(),
    }),
  ),
});
export const copyAnswer = z.object({
  /** Base64. */
  octets: z.string(),
  over: z.boolean(),
  sha256: z.string().optional(),
  problem: problem.optional(),
});

/** A failure as it is told to whoever asked. */
export function told(failed: Failure): z.output<typeof problem> {
  const { code, message } = failed;
  return { code, message, remedy: catalogue[code].remedy };
}
