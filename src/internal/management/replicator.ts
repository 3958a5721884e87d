import { type Cancel, type Clock, type Failure, failure, pauseAfter, type Random } from '#kernel';
import type { Counter, Log } from '#platform/telemetry';
import type { EdgeReport } from '#protocols/replication';
import type { Database } from './database.ts';
import { EdgeLink, type LinkOptions } from './edge-link.ts';
import type { ManagedEdge } from './policies.ts';
import type { Publisher } from './publisher.ts';
import type { StoreKeys } from './store-keys.ts';

export const rounds = ['up-to-date', 'pushed', 'activated', 'not-applied', 'failed'] as const;
export type Round = (typeof rounds)[number];

export interface ReplicatorParts {
  readonly database: Database;
  readonly publisher: Publisher;
  readonly keys: StoreKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly count: Counter<Round>;
  readonly link: () => LinkOptions;
  readonly pollMs: () => number;
  /** An edge was heard for the first time, or confirmed what it was given. */
  readonly heard: (edge: ManagedEdge) => void;
}

const BACK_OFF = { firstMs: 1000, longestMs: 300_000 };

/** Keeps one edge up to date: asks, pushes what it lacks, waits, and begins again. Never two rounds at a time. */
export class Replicator {
  readonly edge: ManagedEdge;
  readonly #parts: ReplicatorParts;
  #failures = 0;
  #full = false;
  #again = false;
  #running = false;
  #stopped = false;
  #cancel: Cancel = () => {};
  #link: EdgeLink | undefined;

  constructor(edge: ManagedEdge, parts: ReplicatorParts) {
    this.edge = edge;
    this.#parts = parts;
  }

  /** Something may have changed: asks now. @param full sends every entry again */
  kick(full = false): void {
    this.#full ||= full;
    this.#failures = 0;
    if (this.#running) this.#again = true;
    else this.#schedule(0);
  }
  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#link?.close();
  }

  #schedule(ms: number): void {
    this.#cancel();
    if (this.#stopped) return;
    this.#cancel = this.#parts.clock.after(ms, () => void this.#turn());
  }

  async #turn(): Promise<void> {
    this.#running = true;
    this.#again = false;
    const round = await this.#round().catch((error: unknown): Round => {
      this.#parts.log.error('replication failed', { edge: this.edge.name, error });
      return 'failed';
    });
    this.#running = false;
    this.#parts.count.inc(round);
    if (round === 'failed' || round === 'not-applied') this.#failures += 1;
    else this.#failures = 0;
    this.#schedule(this.#again ? 0 : this.#delay());
  }

  /** With jitter, so that many edges and many stores do not come at once. */
  #delay(): number {
    const jitter = 0.75 + (this.#parts.random.bytes(1)[0] ?? 0) / 512;
    return jitter * (this.#failures === 0 ? this.#parts.pollMs() : pauseAfter(this.#failures, BACK_OFF));
  }

  async #round(): Promise<Round> {
    const { database, clock } = this.#parts;
    database.noteEdge(this.edge.name, { tried: clock.wall() });
    const link = await EdgeLink.dial(this.edge, this.#parts.link());
    if (!link.ok) return this.#failed(link.error);
    this.#link = link.value;
    try {
      return await this.#converse(link.value);
    } finally {
      link.value.close();
      this.#link = undefined;
    }
  }

  async #converse(link: EdgeLink): Promise<Round> {
    const { publisher } = this.#parts;
    const report = await link.report();
    if (!report.ok) return this.#failed(report.error);
    const refusal = this.#take(report.value);
    if (refusal !== undefined) return this.#failed(refusal);
    const full = this.#full;
    const push = publisher.pushFor(this.edge.name, report.value, full);
    if (!push.ok) return this.#failed(push.error);
    if (push.value === 'up-to-date') return this.#activate(link, report.value, 'up-to-date');
    const after = await link.push(push.value);
    if (!after.ok) return this.#failed(after.error);
    this.#note(after.value);
    const { last, head } = after.value;
    if (head?.hash !== this.#parts.database.newest(this.edge.name)?.hash) {
      const version = last?.head?.version ?? '?';
      const problem = failure(
        'SLP-CFG-0031',
        `${this.edge.name}, version ${version}: ${this.#why(after.value)}`,
      );
      return this.#failed(problem, 'not-applied');
    }
    this.#full &&= !full;
    return this.#activate(link, after.value, 'pushed');
  }

  /** With the version it is to run, an edge may still use keys of before. */
  async #activate(link: EdgeLink, report: EdgeReport, round: Round): Promise<Round> {
    const { keys } = this.#parts;
    const activation = keys.activationFor(this.edge.name, report);
    if (activation === undefined) {
      this.#settled();
      return round;
    }
    const after = await link.activate(activation);
    if (!after.ok) return this.#failed(after.error);
    this.#note(after.value);
    if (keys.differs(after.value)) {
      const problem = failure('SLP-CFG-0053', `${this.edge.name}: ${this.#why(after.value)}`);
      return this.#failed(problem, 'not-applied');
    }
    this.#settled();
    return 'activated';
  }

  #why({ last }: EdgeReport): string {
    return last?.problems.map((problem) => this.#withOrigin(problem)).join('; ') || 'no reason was given';
  }

  /** A line of the policy in what the edge says, with the scope and revision that wrote it. */
  #withOrigin(problem: string): string {
    const line = Number(/\bpolicy\.yaml:(\d+):/.exec(problem)?.[1] ?? 0);
    const origin = this.#parts.publisher.originOf(this.edge, line);
    return origin === undefined ? problem : `${problem} (${origin})`;
  }

  /** Looks at what the edge says before anything is sent. */
  #take(report: EdgeReport): Failure | undefined {
    const { database, heard } = this.#parts;
    this.#note(report);
    if (report.policy === 'local') return failure('SLP-CFG-0016', this.edge.name);
    const pinned = database.edge(this.edge.name)?.sealingKey;
    if (pinned !== undefined && pinned !== report.sealingKey) return failure('SLP-CFG-0015', this.edge.name);
    if (pinned === undefined) {
      database.noteEdge(this.edge.name, { sealingKey: report.sealingKey });
      heard(this.edge);
    }
    return undefined;
  }

  #note(report: EdgeReport): void {
    const { database, clock } = this.#parts;
    database.noteEdge(this.edge.name, { report: JSON.stringify(report), reported: clock.wall() });
  }
  #settled(): void {
    const { database, heard } = this.#parts;
    database.noteEdge(this.edge.name, { problem: null });
    heard(this.edge);
  }

  #failed(problem: Failure, round: Round = 'failed'): Round {
    const { database, log } = this.#parts;
    const before = database.edge(this.edge.name)?.problem;
    const text = textOfProblem(problem);
    database.noteEdge(this.edge.name, { problem: text });
    if (before !== text)
      log.warn('edge not up to date', { edge: this.edge.name, code: problem.code, problem: problem.message });
    return round;
  }
}

function textOfProblem({ code, message }: Failure): string {
  return JSON.stringify({ code, message });
}
