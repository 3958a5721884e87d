import { catalogue, type ErrorCode, err, failure, ok, type Result } from '#kernel';
import { requestOverSocket } from '#platform/http';
import {
  type AdministrationVerb,
  administrationError,
  administrationVerbs,
  type VerbArguments,
  type VerbResult,
} from './administration-schema.ts';

const TIMEOUT_MS = 120_000;
const ANSWER_BYTES = 64 * 1_048_576;

/** Speaks to a running program over its administration socket. */
export class AdministrationClient {
  readonly #socket: string;

  /** @param socket path of the Unix socket */
  constructor(socket: string) {
    this.#socket = socket;
  }

  async call<Verb extends AdministrationVerb>(
    verb: Verb,
    args: VerbArguments<Verb>,
  ): Promise<Result<VerbResult<Verb>>> {
    let body: unknown;
    try {
      body = await this.#exchange(verb, args);
    } catch (error) {
      return err(failure('SLP-SVC-0015', `${this.#socket}: ${(error as Error).message}`, error));
    }
    const problem = administrationError.safeParse(body);
    if (problem.success) return err(received(problem.data.error));
    const parsed = administrationVerbs[verb].result.safeParse(body);
    if (!parsed.success) return err(failure('SLP-SVC-0012', `answer to ${verb}`));
    // The schema of this very verb made it; the compiler cannot follow the index.
    return ok(parsed.data as VerbResult<Verb>);
  }

  async #exchange(verb: AdministrationVerb, args: unknown): Promise<unknown> {
    const answer = await requestOverSocket({
      socketPath: this.#socket,
      method: 'POST',
      path: `/${verb}`,
      body: args,
      timeoutMs: TIMEOUT_MS,
      answerBytes: ANSWER_BYTES,
    });
    return JSON.parse(answer.body.toString('utf8'));
  }
}

function received(error: { code: string; message: string }) {
  if (!Object.hasOwn(catalogue, error.code)) return failure('SLP-SVC-0016', error.message);
  const code = error.code as ErrorCode;
  return { code, blame: catalogue[code].blame, message: error.message };
}
