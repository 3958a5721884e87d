import { type Cancel, type Failure, failure } from '#kernel';
import type { LogEvent, SearchQuery } from '#protocols/log-query';
import { AgentLink, type LinkOptions } from './agent-link.ts';
import type { Reading } from './call-search.ts';
import type { LoggedEdge } from './logged-edge.ts';
import type { EdgeOutcome } from './search-run.ts';

/** Events that wait for whoever reads; beyond them agents are not read from, and keep them. */
const HIGH_WATER = 4000;
/** Between two attempts to reach an agent. Milliseconds. */
const AGAIN_MS = 2000;

interface Followed {
  readonly edge: LoggedEdge;
  readonly outcome: EdgeOutcome;
  /** Where to go on after the connection was lost. */
  resume: string | undefined;
  link: AgentLink | undefined;
  cancel: Cancel;
}

/** What happens on several edges right now, in the order in which it arrives. An edge that is lost is taken up again. */
export class FollowRun implements Reading {
  readonly outcomes: readonly EdgeOutcome[];
  readonly #followed: readonly Followed[];
  readonly #query: SearchQuery;
  readonly #options: LinkOptions;
  #ready: LogEvent[] = [];
  #closed = false;
  onChange: () => void = () => {};

  constructor(edges: readonly LoggedEdge[], query: SearchQuery, options: LinkOptions) {
    this.#query = query;
    this.#options = options;
    this.#followed = edges.map((edge) => ({
      edge,
      outcome: {
        edge: edge.name,
        state: 'asked',
        events: 0,
        more: false,
        segments: undefined,
        problem: undefined,
        skewMs: undefined,
      },
      resume: undefined,
      link: undefined,
      cancel: () => {},
    }));
    this.outcomes = this.#followed.map(({ outcome }) => outcome);
    for (const one of this.#followed) void this.#begin(one);
  }
  /** It has no end but its reader's. */
  get over(): boolean {
    return false;
  }
  take(most: number): LogEvent[] {
    const taken = this.#ready.splice(0, most);
    if (taken.length > 0 && this.#ready.length === 0) for (const { link } of this.#followed) link?.resume();
    return taken;
  }
  close(): void {
    this.#closed = true;
    for (const { link, cancel } of this.#followed) {
      cancel();
      link?.close();
    }
  }

  async #begin(one: Followed): Promise<void> {
    const opened = await AgentLink.open(one.edge, 'collection', this.#options);
    if (this.#closed) {
      if (opened.ok) opened.value.close();
      return;
    }
    if (!opened.ok) {
      this.#lost(one, opened.error);
      return;
    }
    const link = opened.value;
    one.link = link;
    one.outcome.state = 'answering';
    one.outcome.problem = undefined;
    one.outcome.skewMs = link.skewMs;
    const after = one.resume === undefined ? {} : { after: one.resume };
    link.follow(
      { type: 'follow', query: this.#query, ...after },
      {
        message: (message, events) => {
          if (message.type === 'events') this.#take(one, link, events, message);
          else if (message.type === 'refused') {
            // A store that was begun anew knows nothing of the token; what it has now is all there is.
            one.resume = undefined;
            link.close();
            this.#lost(one, failure('SLP-LOG-0106', `${one.edge.name}: ${message.code} ${message.message}`));
          }
        },
        failed: (problem) => this.#lost(one, problem),
      },
    );
    this.onChange();
  }
  #take(
    one: Followed,
    link: AgentLink,
    events: readonly LogEvent[],
    { resume, missed = 0 }: { readonly resume?: string | undefined; readonly missed?: number | undefined },
  ): void {
    one.resume = resume ?? one.resume;
    one.outcome.events += events.length;
    if (missed > 0) one.outcome.more = true;
    this.#ready.push(...events);
    if (this.#ready.length >= HIGH_WATER) link.pause();
    this.onChange();
  }
  #lost(one: Followed, problem: Failure): void {
    one.link = undefined;
    one.outcome.state = 'failed';
    one.outcome.problem = problem;
    one.cancel = this.#options.clock.after(AGAIN_MS, () => void this.#begin(one));
    this.onChange();
  }
}
