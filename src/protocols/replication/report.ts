import { z } from 'zod';

/*
 * What an edge tells the store that dialled it, before and after a push: an answer bounded in every part. Objects may
 * have more members than these: an edge of the next version may have more to tell, and what a store does not know it
 * leaves out.
 */
const head = z.object({
  version: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
const line = z.string().max(2048);
/** The last instant that has a date, milliseconds since 1970. */
const LATEST = 8_640_000_000_000_000;

const attempt = z.object({
  /** Of what was pushed, as far as it could be told. */
  head: head.nullable(),
  outcome: z.enum(['applied', 'unchanged', 'refused', 'rolled-back']),
  /** Milliseconds since 1970, by the clock of the edge. */
  at: z.number().min(0).max(LATEST),
  /** Of the catalogue, when it was not applied. */
  code: z.string().max(32).optional(),
  /** Which service or setting, and why. */
  problems: z.array(line).max(50),
});
/** How the last push or activation ended. */
export type Attempt = z.output<typeof attempt>;

const keyInUse = z.string().max(128).nullable();
const inUse = z.object({
  /** Of the activation that is kept and counts; null when there is none. */
  version: z.int().min(1).nullable(),
  /** Names of entries; null for a key that is not of the store. */
  media: keyInUse,
  flow: keyInUse,
});

export const edgeReport: z.ZodType<EdgeReport> = z.object({
  edge: z.string().max(253),
  product: z.string().max(64),
  formats: z.object({ oldest: z.int(), newest: z.int() }),
  now: z.number().min(0).max(LATEST),
  sealingKey: z.string().length(43),
  policy: z.enum(['replicated', 'local']),
  head: head.nullable(),
  held: z.array(z.string().length(64)).max(1000),
  appliedAt: z.number().min(0).max(LATEST).nullable(),
  last: attempt.nullable(),
  settings: z.array(z.string().max(200)).max(5000),
  healthy: z.boolean(),
  inUse: inUse.optional(),
});
export interface EdgeReport {
  readonly edge: string;
  /** Version of the program. */
  readonly product: string;
  /** Of links and manifests. */
  readonly formats: { readonly oldest: number; readonly newest: number };
  /** The clock of the edge, milliseconds since 1970. */
  readonly now: number;
  /** Public key to which secrets for this edge are sealed, base64url. */
  readonly sealingKey: string;
  /** Where its policy comes from; a local one is never replaced. */
  readonly policy: 'replicated' | 'local';
  /** What runs; null before the first load. */
  readonly head: z.output<typeof head> | null;
  /** Hashes of the entries that need not be sent again. */
  readonly held: readonly string[];
  readonly appliedAt: number | null;
  readonly last: Attempt | null;
  /** Names of the settings that it knows, so that a newer store sends it none that it would refuse. */
  readonly settings: readonly string[];
  readonly healthy: boolean;
  /** The keys that it uses. Edges of the version before say nothing of it, and know no activation. */
  readonly inUse?: z.output<typeof inUse> | undefined;
}

/** HTTPS requests on port row int-08. */
export const REPLICATION_PATHS = {
  report: '/replication/1/report',
  push: '/replication/1/push',
  activation: '/replication/1/activation',
} as const;
