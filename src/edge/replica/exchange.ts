import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue, type Failure, FailureError, failure, type Result, type WallTime } from '#kernel';
import { type HttpRequest, type HttpResponse, jsonResponse, textResponse } from '#platform/http';
import { ACTIVATION_END, ReplicaFolder } from '#platform/replica-store';
import type { ReloadReport, ServiceContext } from '#platform/service';
import type { EdgeDocument } from '#platform/topology';
import {
  type Attempt,
  decodeActivation,
  decodePush,
  type EdgeReport,
  PUSH_BYTES,
  REPLICATION_PATHS,
  type Refusal,
} from '#protocols/replication';
import { reportOf } from './report.ts';

/** How a request ended, for the metrics. */
export const exchangeOutcomes = [
  'report',
  'applied',
  'activated',
  'not-applied',
  'malformed',
  'oversized',
  'local-policy',
  'busy',
  'storage',
  'unknown-request',
] as const;
export type ExchangeOutcome = (typeof exchangeOutcomes)[number];

/** What a store can give to an edge. */
interface Matter {
  readonly what: string;
  /** How its file in the inbox ends. */
  readonly end: string;
  readonly taken: ExchangeOutcome;
  /** Why it is no message at all. */
  problemOf(body: Buffer): Failure | undefined;
}
const PUSH: Matter = {
  what: 'push',
  end: '',
  taken: 'applied',
  problemOf: (body) => problemIn(decodePush(body)),
};
const ACTIVATION: Matter = {
  what: 'activation',
  end: ACTIVATION_END,
  taken: 'activated',
  problemOf: (body) => problemIn(decodeActivation(body)),
};
function problemIn(decoded: Result<unknown, Refusal>): Failure | undefined {
  return decoded.ok ? undefined : decoded.error.failure;
}

/** What there is to tell of a request beside its outcome. */
export type ExchangeDetail = Readonly<Record<string, string | number>>;

interface Exchanged {
  readonly outcome: ExchangeOutcome;
  readonly detail?: ExchangeDetail;
  readonly response: HttpResponse;
}

/** The conversation on port row int-08: the store asks and pushes, this edge answers with its report. */
export class Exchange {
  readonly #context: ServiceContext;
  readonly #counted: (outcome: ExchangeOutcome, detail: ExchangeDetail) => void;
  readonly #document: () => EdgeDocument | undefined;
  /** The last thing that was too large or no message at all, which the supervisor has never seen. */
  #unread: Attempt | undefined;
  #pushing = false;
  #files = 0;

  constructor(
    context: ServiceContext,
    document: () => EdgeDocument | undefined,
    counted: (outcome: ExchangeOutcome, detail: ExchangeDetail) => void,
  ) {
    this.#context = context;
    this.#document = document;
    this.#counted = counted;
  }
  /** A push is being tried. */
  get pushing(): boolean {
    return this.#pushing;
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    try {
      const { outcome, response, detail = {} } = await this.#answer(request);
      this.#counted(outcome, detail);
      return response;
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      this.#counted('storage', detailOf(error.failure));
      return this.#problem(500, error.failure);
    }
  }
  /** A body was longer than anything that is read. */
  handleTooLong(): void {
    const problem = failure('SLP-CFG-0001', `more than ${PUSH_BYTES} bytes were sent`);
    this.#counted('oversized', detailOf(problem));
    this.#leaveUnread(problem);
  }
  /** What this edge tells about itself. */
  report(document: EdgeDocument): EdgeReport {
    const report = reportOf(document, this.#context.clock.wall());
    const unread = this.#unread;
    return unread === undefined || unread.at < (report.last?.at ?? 0) ? report : { ...report, last: unread };
  }

  /** The code stands first, so that the store can tell its operator what to do. */
  #problem(status: number, { code, message }: Failure): HttpResponse {
    this.#context.log.error('replication impossible', { code, problem: message });
    return textResponse(status, `${code} ${message}\n`);
  }
  #leaveUnread({ code, message }: Failure): void {
    this.#context.log.warn('refused unread', { code, problem: message });
    const problems = [`${code} ${message}: ${catalogue[code].remedy}`];
    this.#unread = { head: null, outcome: 'refused', at: this.#context.clock.wall(), code, problems };
  }

  async #answer({ method, path, body }: HttpRequest): Promise<Exchanged> {
    const document = this.#document();
    if (document === undefined) return { outcome: 'busy', response: textResponse(503, 'starting\n') };
    if (method === 'GET' && path === REPLICATION_PATHS.report) {
      return { outcome: 'report', response: this.#report() };
    }
    if (method === 'POST' && path === REPLICATION_PATHS.push) return this.#take(document, body, PUSH);
    if (method === 'POST' && path === REPLICATION_PATHS.activation)
      return this.#take(document, body, ACTIVATION);
    return { outcome: 'unknown-request', response: textResponse(404, 'no such request\n') };
  }

  #report(status = 200): HttpResponse {
    const document = this.#document();
    if (document === undefined) return textResponse(503, 'starting\n');
    return jsonResponse(status, this.report(document));
  }

  async #take(document: EdgeDocument, body: Buffer, matter: Matter): Promise<Exchanged> {
    if (document.host.replication.policy !== 'replicated') {
      return { outcome: 'local-policy', response: this.#report(409) };
    }
    if (this.#pushing) return { outcome: 'busy', response: this.#report(503) };
    // What is no message at all need not trouble the supervisor.
    const problem = matter.problemOf(body);
    if (problem !== undefined) {
      this.#leaveUnread(problem);
      return { outcome: 'malformed', detail: detailOf(problem), response: this.#report(400) };
    }
    this.#pushing = true;
    try {
      return await this.#offer(new ReplicaFolder(document.host.stateDirectory), body, matter);
    } finally {
      this.#pushing = false;
    }
  }

  async #offer(folder: ReplicaFolder, body: Buffer, { end, taken, what }: Matter): Promise<Exchanged> {
    this.#files += 1;
    const file = join(folder.inbox, `${process.pid}-${this.#files}${end}`);
    try {
      mkdirSync(folder.inbox, { recursive: true, mode: 0o700 });
      writeFileSync(file, body, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      rmSync(file, { force: true });
      const problem = failure('SLP-CFG-0011', (error as Error).message);
      return { outcome: 'storage', detail: detailOf(problem), response: this.#problem(507, problem) };
    }
    const before = this.#context.clock.wall();
    try {
      const report = await this.#context.offer?.(file);
      const applied = report?.outcome === 'applied';
      if (report !== undefined && !applied) {
        this.#context.log.warn(`${what} not applied`, { problems: report.problems });
        // With a full disk the supervisor could not write down how it ended.
        const noted = (folder.last?.at ?? 0) >= before;
        if (!noted) this.#unread = attemptOf(report, this.#context.clock.wall());
      }
      const detail = {
        what,
        ...versionOf(folder),
        ...(report?.problems[0] === undefined ? {} : { rule: report.problems[0].slice(0, 400) }),
      };
      const outcome = applied ? taken : 'not-applied';
      return { outcome, detail, response: this.#report(applied ? 200 : 409) };
    } finally {
      rmSync(file, { force: true });
    }
  }
}

function detailOf({ code, message }: Failure): ExchangeDetail {
  return { rule: `${code} ${message}`.slice(0, 400) };
}
/** Of what was tried last, as far as it could be told. */
function versionOf(folder: ReplicaFolder): ExchangeDetail {
  const version = folder.last?.head?.version;
  return version === undefined ? {} : { version };
}
function attemptOf({ outcome, problems }: ReloadReport, at: WallTime): Attempt {
  return {
    head: null,
    outcome,
    at,
    problems: problems.slice(0, 50).map((problem) => problem.slice(0, 2000)),
  };
}
