import type { z } from 'zod';
import { FailureError, failure } from '#kernel';
import type { VerbHandler } from './definition.ts';

/** A verb whose arguments are parsed by `schema` before `run` sees them; what does not fit is the caller's error. */
export function verb<Schema extends z.ZodType>(
  schema: Schema,
  run: (args: z.output<Schema>) => unknown,
): VerbHandler {
  return async (args) => {
    const parsed = schema.safeParse(args ?? {});
    if (!parsed.success) throw new FailureError(failure('SLP-SVC-0010', describeIssues(parsed.error)));
    return run(parsed.data);
  };
}

export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 8)
    .map((issue) => `${issue.path.length === 0 ? 'arguments' : issue.path.join('.')}: ${issue.message}`)
    .join('; ');
}
