import { z } from 'zod';
import { verb } from '#platform/service';
import { type Outcome, outcomes } from './answer.ts';

/** What the verbs may ask of the running service. */
export interface Inspection {
  readonly connections: number;
  readonly issued: number;
  readonly refusedCallers: number;
  answers(outcome: Outcome): number;
}

const nothing = z.strictObject({});

/** `counters`: totals since the process started. */
export function verbsOf(inspection: Inspection) {
  return {
    counters: verb(nothing, () => ({
      connections: inspection.connections,
      credentialsIssued: inspection.issued,
      callersRefused: inspection.refusedCallers,
      answers: Object.fromEntries(outcomes.map((outcome) => [outcome, inspection.answers(outcome)])),
    })),
  };
}
