import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { catalogue, err, type Failure, FailureError, failure, ok, type Result } from '#kernel';
import { type HttpRequest, type HttpResponse, HttpService, jsonResponse } from '#platform/http';
import type { Log } from '#platform/telemetry';
import {
  type AdministrationVerb,
  administrationVerbs,
  type ParsedArguments,
  type VerbResult,
} from './administration-schema.ts';
import { describeIssues } from './verb.ts';

/** What carries the verbs out. */
export type Administered = {
  readonly [Verb in AdministrationVerb]: (args: ParsedArguments<Verb>) => Promise<VerbResult<Verb>>;
};

const LIMITS = { headerBytes: 8192, bodyBytes: 1_048_576, connections: 32, requestMs: 10_000, idleMs: 5000 };
/** Longest path of a Unix socket on Linux, in bytes, without its final zero. */
const LONGEST_PATH = 107;

/** The administration socket: `POST /<verb>` with JSON arguments; `GET` for verbs that need none. */
export class Administration {
  readonly #path: string;
  readonly #http: HttpService;
  readonly #administered: Administered;

  constructor(path: string, administered: Administered, log: Log) {
    this.#path = path;
    this.#administered = administered;
    this.#http = new HttpService({ limits: LIMITS, log, handle: (request) => this.#handle(request) });
  }

  async open(): Promise<Result<void>> {
    const free = await freePath(this.#path);
    if (!free.ok) return free;
    // The file must never exist with more rights than these, not for a moment.
    const before = process.umask(0o177);
    let listening: Promise<void>;
    try {
      listening = this.#http.listen({ path: this.#path });
    } finally {
      process.umask(before);
    }
    try {
      await listening;
      chmodSync(this.#path, 0o600);
      return ok(undefined);
    } catch (error) {
      return err(failure('SLP-SVC-0007', `${this.#path}: ${(error as Error).message}`, error));
    }
  }

  /** Also removes the socket file. */
  close(): Promise<void> {
    return this.#http.close();
  }

  async #handle(request: HttpRequest): Promise<HttpResponse> {
    const name = request.path.slice(1);
    if (!isVerb(name)) return errorResponse(failure('SLP-SVC-0011', `no verb ${JSON.stringify(name)}`));
    if (request.method !== 'POST' && request.method !== 'GET') {
      return { ...errorResponse(failure('SLP-SVC-0010', 'POST or GET')), status: 405 };
    }
    try {
      return jsonResponse(200, await this.#perform(name, parseJson(request.body)));
    } catch (error) {
      if (error instanceof FailureError) return errorResponse(error.failure);
      throw error;
    }
  }

  #perform<Verb extends AdministrationVerb>(name: Verb, unparsed: unknown): Promise<VerbResult<Verb>> {
    const parsed = administrationVerbs[name].arguments.safeParse(unparsed);
    if (!parsed.success) throw new FailureError(failure('SLP-SVC-0010', describeIssues(parsed.error)));
    // The schema of this very verb made them; the compiler cannot follow the index.
    return this.#administered[name](parsed.data as ParsedArguments<Verb>);
  }
}

function isVerb(name: string): name is AdministrationVerb {
  return Object.hasOwn(administrationVerbs, name);
}

function parseJson(body: Buffer): unknown {
  if (body.byteLength === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new FailureError(failure('SLP-SVC-0010', 'the body is not JSON'));
  }
}

function errorResponse(problem: Failure): HttpResponse {
  const { code, message } = problem;
  const status = code === 'SLP-SVC-0010' ? 400 : code === 'SLP-SVC-0011' ? 404 : 500;
  return jsonResponse(status, { error: { code, message, remedy: catalogue[code].remedy } });
}

/** Removes the file that a killed server left behind; refuses when somebody answers, or when it is no socket. */
async function freePath(path: string): Promise<Result<void>> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    return err(
      failure(
        'SLP-SVC-0007',
        `${path} is longer than ${LONGEST_PATH} bytes, the most that a socket can have`,
      ),
    );
  }
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return ok(undefined);
    if (!found.isSocket())
      return err(failure('SLP-SVC-0007', `${path} is there already and is not a socket`));
    if (await answers(path)) return err(failure('SLP-SVC-0007', `another server answers on ${path}`));
    rmSync(path, { force: true });
    return ok(undefined);
  } catch (error) {
    return err(failure('SLP-SVC-0007', `${path} cannot be taken: ${(error as Error).message}`, error));
  }
}

/** Only a refusal says that nobody is there: a server that is busy, or another account's, is there as well. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}
