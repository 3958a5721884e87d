import type { poll } from '../meeting/poll.ts';
import type { Handlers } from '../objects/interface.ts';
import type { PollView } from './snapshot.ts';

/** A question, its answers and one's own vote. */
export class MirroredPoll {
  readonly #onChange: () => void;
  view: PollView = {
    question: '',
    choices: [],
    several: false,
    open: false,
    resultsShown: false,
    results: undefined,
    ownVote: [],
  };

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  readonly handlers: Handlers<(typeof poll)['client']> = {
    cSetQuestion: (question, choices, several) => this.#change({ question, choices, several }),
    cSetOpen: (open) => this.#change({ open }),
    cSetResultsShown: (resultsShown) => this.#change({ resultsShown }),
    // No votes for any choice: they are not for us any more.
    cSetResults: (votes, voters) =>
      this.#change({ results: votes.length === 0 ? undefined : { votes, voters } }),
    cSetOwnVote: (ownVote) => this.#change({ ownVote }),
    cConnectCompleted: () => this.onCompleted(),
  };
  onCompleted: () => void = () => undefined;

  #change(part: Partial<PollView>): void {
    this.view = { ...this.view, ...part };
    this.#onChange();
  }
}
