import { type Failure, failure } from '#kernel';
import { EventMerge, type LogEvent, type SearchQuery } from '#protocols/log-query';
import { AgentLink, type LinkOptions } from './agent-link.ts';
import type { LoggedEdge } from './logged-edge.ts';

/** How one agent fared, while it answers and afterwards. */
export interface EdgeOutcome {
  readonly edge: string;
  state: 'asked' | 'answering' | 'done' | 'failed';
  events: number;
  /** It has more than the limit. */
  more: boolean;
  /** Segments that it has, and those that it had to open. */
  segments: { readonly all: number; readonly opened: number } | undefined;
  problem: Failure | undefined;
  /** By how much its clock is ahead; absent when that is nothing. Milliseconds. */
  skewMs: number | undefined;
}

/** Events of one agent that wait for slower ones, or for whoever reads, before it is no longer read from. */
const HIGH_WATER = 4000;
const LOW_WATER = 1000;

/** One search over several edges: what they find, merged, oldest first. */
export class SearchRun {
  readonly outcomes: readonly EdgeOutcome[];
  readonly #merge = new EventMerge();
  readonly #links = new Map<string, AgentLink>();
  readonly #paused = new Set<string>();
  readonly #options: LinkOptions;
  readonly #query: SearchQuery;
  #ready: LogEvent[] = [];
  #running: number;
  #wake: () => void = () => {};
  #closed = false;

  constructor(edges: readonly LoggedEdge[], query: SearchQuery, options: LinkOptions) {
    this.#options = options;
    this.#query = query;
    this.#running = edges.length;
    this.outcomes = edges.map(({ name }) => ({
      edge: name,
      state: 'asked',
      events: 0,
      more: false,
      segments: undefined,
      problem: undefined,
      skewMs: undefined,
    }));
    for (const { name } of edges) this.#merge.add(name);
    for (const [at, edge] of edges.entries()) {
      const outcome = this.outcomes[at];
      if (outcome !== undefined) void this.#ask(edge, outcome);
    }
  }

  /** Every agent has answered or failed, and everything was read. */
  get over(): boolean {
    return this.#running === 0 && this.#ready.length === 0;
  }
  /** Called when there is something to read, or an agent has ended. */
  set onChange(listener: () => void) {
    this.#wake = listener;
  }
  /** Removes the oldest events, at most so many. */
  take(most: number): LogEvent[] {
    const taken = this.#ready.splice(0, most);
    if (this.#ready.length < LOW_WATER) this.#resume();
    return taken;
  }
  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  async #ask(edge: LoggedEdge, outcome: EdgeOutcome): Promise<void> {
    const opened = await AgentLink.open(edge, 'search', this.#options);
    if (!opened.ok) {
      this.#end(outcome, opened.error);
      return;
    }
    const link = opened.value;
    if (this.#closed) {
      link.close();
      return;
    }
    outcome.skewMs = link.skewMs;
    outcome.state = 'answering';
    this.#links.set(edge.name, link);
    link.request(
      { type: 'search', query: this.#query },
      {
        message: (message, events) => {
          if (message.type === 'events') this.#take(outcome, link, events);
          else if (message.type === 'found') {
            outcome.more = message.more;
            outcome.segments = message.segments;
            this.#end(outcome, undefined);
          } else {
            const said = message.type === 'refused' ? `${message.code} ${message.message}` : message.type;
            this.#end(outcome, failure('SLP-LOG-0106', `${edge.name}: ${said}`));
          }
        },
        failed: (problem) => this.#end(outcome, problem),
      },
    );
  }

  #take(outcome: EdgeOutcome, link: AgentLink, events: readonly LogEvent[]): void {
    outcome.events += events.length;
    this.#add(this.#merge.push(outcome.edge, events));
    const waiting = this.#merge.waiting(outcome.edge);
    if (waiting < HIGH_WATER && this.#ready.length < HIGH_WATER) return;
    this.#paused.add(outcome.edge);
    link.pause();
  }
  #add(events: readonly LogEvent[]): void {
    for (const event of events) this.#ready.push(event);
    if (this.#ready.length < LOW_WATER) this.#resume();
    this.#wake();
  }
  #resume(): void {
    for (const edge of this.#paused) {
      if (this.#merge.waiting(edge) >= HIGH_WATER) continue;
      this.#paused.delete(edge);
      this.#links.get(edge)?.resume();
    }
  }
  #end(outcome: EdgeOutcome, problem: Failure | undefined): void {
    if (outcome.state === 'done' || outcome.state === 'failed') return;
    outcome.state = problem === undefined ? 'done' : 'failed';
    outcome.problem = problem;
    this.#running -= 1;
    this.#links.get(outcome.edge)?.close();
    this.#links.delete(outcome.edge);
    this.#paused.delete(outcome.edge);
    this.#add(this.#merge.end(outcome.edge));
  }
}
