import { type Clock, err, type Failure, failure, ok, type Result } from '#kernel';
import type { ListenerPlan } from '#platform/topology';
import type { Health } from './definition.ts';

/** A document with its number and what was derived from it. */
export interface Configuration<Document> {
  readonly version: number;
  readonly document: Document;
  readonly plan: readonly ListenerPlan[];
}

/** A service as reconfiguration sees it. */
export interface Participant<Document> {
  readonly name: string;
  /** The number of the document that it runs with. */
  readonly version: number | undefined;
  prepare(configuration: Configuration<Document>): Promise<Result<void>>;
  commit(version: number): Promise<Result<void>>;
  abandon(version: number): Promise<Result<void>>;
  health(): Promise<Result<Health>>;
  /** Ends it without asking; it comes back by itself with the configuration that the supervisor holds. */
  replace(reason: string): void;
}

export interface ReconfigurationFailure {
  /** `refused`: nothing was swapped. `rolled-back`: it was, and the previous document runs again. */
  readonly stage: 'refused' | 'rolled-back';
  readonly problems: readonly { readonly service: string; readonly failure: Failure }[];
}

type Problems = ReconfigurationFailure['problems'];

export interface ReconfigurationOptions {
  readonly clock: Clock;
  /** For all to be healthy after the swap. Milliseconds. */
  readonly healthyMs: number;
  /** Between two questions for health. Milliseconds. */
  readonly pollMs: number;
}

/**
 * Document n beside n-1 in every service, then all swap, then all have to be healthy; else all return to n-1. The
 * first document has no predecessor: then a failure leaves the services as they are, and the caller ends them.
 * @param keep called when all are healthy, before anybody is told; when it throws, all return as well
 */
export async function reconfigure<Document>(
  participants: readonly Participant<Document>[],
  target: Configuration<Document>,
  previous: Configuration<Document> | undefined,
  options: ReconfigurationOptions,
  keep: () => void = () => {},
): Promise<Result<void, ReconfigurationFailure>> {
  const refused = await collect(participants, (participant) => participant.prepare(target));
  if (refused.length > 0) {
    await collect(participants, (participant) => participant.abandon(target.version));
    return err({ stage: 'refused', problems: refused });
  }
  let problems = await collect(participants, (participant) => participant.commit(target.version));
  if (problems.length === 0) problems = await awaitHealth(participants, target.version, options);
  if (problems.length === 0) problems = tryToKeep(keep);
  if (problems.length === 0) return ok(undefined);
  if (previous !== undefined) await returnTo(participants, previous);
  return err({ stage: 'rolled-back', problems });
}

function tryToKeep(keep: () => void): Problems {
  try {
    keep();
    return [];
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [{ service: 'supervisor', failure: failure('SLP-CFG-0011', text, error) }];
  }
}

/** Asks all of them at once; the failures, by name. */
async function collect<Document>(
  participants: readonly Participant<Document>[],
  ask: (participant: Participant<Document>) => Promise<Result<void>>,
): Promise<Problems> {
  const outcomes = await Promise.all(
    participants.map(async (participant) => ({ service: participant.name, outcome: await ask(participant) })),
  );
  return outcomes.flatMap(({ service, outcome }) =>
    outcome.ok ? [] : [{ service, failure: outcome.error }],
  );
}

async function awaitHealth<Document>(
  participants: readonly Participant<Document>[],
  version: number,
  options: ReconfigurationOptions,
): Promise<Problems> {
  const { clock, healthyMs, pollMs } = options;
  const deadline = clock.now() + healthyMs;
  for (;;) {
    const answers = await Promise.all(participants.map((participant) => participant.health()));
    const problems = participants.flatMap((participant, position) => {
      const { name: service } = participant;
      const answer = answers[position];
      if (answer?.ok === false) return [{ service, failure: answer.error, gone: true }];
      // It ended after the swap and is back, with the document before this one.
      if (participant.version !== version) return [{ service, failure: failure('SLP-SVC-0001'), gone: true }];
      if (answer?.value.ok !== false) return [];
      return [{ service, failure: failure('SLP-SVC-0013', answer.value.detail), gone: false }];
    });
    if (problems.length === 0) return [];
    // One that ended or stays silent has failed; one that says that it is not well yet may still get there.
    if (clock.now() >= deadline || problems.some((problem) => problem.gone)) return problems;
    await new Promise<void>((resolve) => clock.after(pollMs, resolve));
  }
}

async function returnTo<Document>(
  participants: readonly Participant<Document>[],
  previous: Configuration<Document>,
): Promise<void> {
  await Promise.all(
    participants.map(async (participant) => {
      const prepared = await participant.prepare(previous);
      const outcome = prepared.ok ? await participant.commit(previous.version) : prepared;
      if (outcome.ok) await participant.health();
      else participant.replace(`could not return to document ${previous.version}`);
    }),
  );
}
