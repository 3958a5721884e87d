import { z } from 'zod';

/** What workers ask one another about sign-ins: the failures of a source are counted by one of them. */
const attempt = z.object({
  /** Of those that the worker which asks has begun; that it is of that worker is known by the link. */
  number: z.int().positive(),
  connection: z.int().nonnegative(),
  accounts: z.array(z.string()).min(1),
  source: z.string(),
  address: z.string(),
  identity: z.string().optional(),
  guesses: z.int().nonnegative(),
});
const reason = z.enum(['blocked-pair', 'blocked-source']);

/** How long an attempt waits for those before it: half of what a client waits for an answer (RFC 3261 §17.1.2.2). Milliseconds. */
export const LONGEST_WAIT_MS = 16_000;

export const guardQuestion = z.object({
  /** `begin` counts as an attempt that is under way until `settled`; `check` as none. */
  kind: z.enum(['begin', 'check']),
  attempt,
});
export type GuardQuestion = z.infer<typeof guardQuestion>;

export const guardVerdict = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pass'), delayMs: z.number() }),
  z.object({ kind: z.literal('refuse'), reason, seconds: z.number() }),
  /** Others have to be settled first, and too many wait for that, or it took too long. */
  z.object({ kind: z.literal('no-place') }),
]);
export type GuardVerdict = z.infer<typeof guardVerdict>;

export const guardNews = z.discriminatedUnion('kind', [
  /** What became of an attempt that was begun there, known by its number. */
  z.object({
    kind: z.literal('settled'),
    attempt,
    remote: z.string(),
    outcome: z.enum(['accepted', 'failed']).optional(),
    status: z.number().optional(),
  }),
  /** Accounts that somebody failed to sign in to, from whatever source: strangers are slowed down everywhere. */
  z.object({
    kind: z.literal('account-failed'),
    accounts: z.array(z.string()),
    guesses: z.int().nonnegative(),
  }),
  /** A source that need not be shaken hands with, for so many seconds. */
  z.object({ kind: z.literal('source-refused'), source: z.string(), seconds: z.number() }),
]);
export type GuardNews = z.infer<typeof guardNews>;

/** The desks of the other workers. */
export interface GuardOffices {
  /** Which of them counts the failures of a source; undefined: this one does. */
  guardOf(source: string): number | undefined;
  /** Undefined when it does not answer. */
  askGuard(worker: number, asked: GuardQuestion): Promise<GuardVerdict | undefined>;
  tellGuard(worker: number, told: GuardNews): void;
  tellGuards(told: GuardNews): void;
}
