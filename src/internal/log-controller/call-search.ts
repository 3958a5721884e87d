import type { LogEvent, SearchQuery } from '#protocols/log-query';
import type { LinkOptions } from './agent-link.ts';
import type { LoggedEdge } from './logged-edge.ts';
import { answersQuery, credentialsQuery, joined, ofSameClients, relaysQuery, windowOf } from './related.ts';
import { type EdgeOutcome, SearchRun } from './search-run.ts';

/** Of one call; far above what a call is made of. */
const MOST_EVENTS = 50_000;

/** What a search for a reader is, plain or of a whole call. */
export interface Reading {
  readonly outcomes: readonly EdgeOutcome[];
  readonly over: boolean;
  onChange: () => void;
  take(most: number): LogEvent[];
  close(): void;
}

/**
 * A whole call from its Call-ID: first its messages and the decisions about them, on all edges; then the relays that its
 * parties had meanwhile, which know nothing of Call-IDs. All in one list, once it is complete.
 */
export class CallSearch implements Reading {
  readonly #edges: readonly LoggedEdge[];
  readonly #options: LinkOptions;
  #run: SearchRun;
  #outcomes: readonly EdgeOutcome[];
  #found: LogEvent[] = [];
  #over = false;
  #closed = false;
  onChange: () => void = () => {};

  constructor(edges: readonly LoggedEdge[], query: SearchQuery, options: LinkOptions) {
    this.#edges = edges;
    this.#options = options;
    this.#run = new SearchRun(edges, query, options);
    this.#outcomes = this.#run.outcomes;
    void this.#play();
  }
  get outcomes(): readonly EdgeOutcome[] {
    return this.#outcomes;
  }
  get over(): boolean {
    return this.#over && this.#found.length === 0;
  }
  take(most: number): LogEvent[] {
    return this.#over ? this.#found.splice(0, most) : [];
  }
  close(): void {
    this.#closed = true;
    this.#run.close();
  }

  async #play(): Promise<void> {
    const call = await this.#all(this.#run);
    const window = windowOf(call);
    const asked = window === undefined ? undefined : credentialsQuery(call, window);
    const issued = asked === undefined ? [] : await this.#search(asked);
    const relays = window === undefined ? undefined : relaysQuery(issued, window);
    const relayed = relays === undefined ? [] : await this.#search(relays);
    const answers = window === undefined ? undefined : answersQuery(relayed, window);
    const answered = answers === undefined ? [] : await this.#search(answers);
    this.#found = joined(call, relayed, ofSameClients(answered, relayed));
    for (const outcome of this.#outcomes) {
      outcome.events = this.#found.filter(({ node }) => node === outcome.edge).length;
    }
    this.#over = true;
    this.onChange();
  }
  /** Only those that have answered before are asked again. */
  async #search(query: SearchQuery): Promise<LogEvent[]> {
    const failed = new Set(this.#outcomes.filter(({ state }) => state === 'failed').map(({ edge }) => edge));
    if (this.#closed) return [];
    this.#run = new SearchRun(
      this.#edges.filter(({ name }) => !failed.has(name)),
      query,
      this.#options,
    );
    const found = await this.#all(this.#run);
    for (const { edge, problem } of this.#run.outcomes) {
      const outcome = this.#outcomes.find((one) => one.edge === edge);
      if (outcome === undefined || problem === undefined) continue;
      outcome.state = 'failed';
      outcome.problem = problem;
    }
    return found;
  }
  #all(run: SearchRun): Promise<LogEvent[]> {
    const events: LogEvent[] = [];
    return new Promise((resolve) => {
      const look = () => {
        for (const event of run.take(MOST_EVENTS)) if (events.length < MOST_EVENTS) events.push(event);
        if (run.over || this.#closed) resolve(events);
      };
      run.onChange = look;
      look();
    });
  }
}
