import { poll } from '#protocols/psom';
import type { Content } from './content.ts';
import { bounds } from './limits.ts';
import type { VoteRecord } from './records.ts';
import { type Calls, type Room, type Seat, SharedObject } from './shared-object.ts';
import type { Surroundings } from './surroundings.ts';
import { oneLine } from './text.ts';

/**
 * A question and the votes on it. Who voted what is told to nobody but the voter; how many voted what, to presenters, and to
 * everyone while results are shown. A user has one vote on however many devices; a guest has one for each time of coming in.
 */
export class Poll extends SharedObject<typeof poll.server, typeof poll.client> {
  readonly #content: Content;
  readonly #around: Surroundings;
  readonly #votes = new Map<string, readonly number[]>();
  /** Of each choice. */
  #counts: number[] = [];
  #voters = 0;

  constructor(
    content: Content,
    { around, room }: { around: Surroundings; room: Room },
    stored: readonly VoteRecord[],
  ) {
    super(poll, room);
    this.#content = content;
    this.#around = around;
    this.#begin();
    for (const { content: of, voter, choices } of stored)
      if (of === content.record.id) this.#count(voter, choices);
  }

  override isFor(seat: Seat): boolean {
    return this.#content.isFor(seat);
  }
  override replay(seat: Seat): void {
    const { question, choices, several, open, resultsShown } = this.#content.record;
    const say = this.to(seat);
    say.cSetQuestion(question, choices, several);
    say.cSetOpen(open);
    say.cSetResultsShown(resultsShown);
    say.cSetOwnVote(this.#votes.get(seat.participant.identity) ?? []);
    if (this.#sees(seat)) say.cSetResults(this.#counts, this.#voters);
    say.cConnectCompleted();
  }
  /** Somebody became a presenter, or is none any more. */
  handleRole(seat: Seat): void {
    if (this.#sees(seat)) this.to(seat).cSetResults(this.#counts, this.#voters);
    else this.to(seat).cSetResults([], 0);
  }

  protected readonly calls: Calls<typeof poll.server> = {
    sSetQuestion: (seat, question, choices, several) => {
      if (seat.participant.presenter) this.#ask(question, choices, several);
    },
    sSetOpen: (seat, open) => {
      if (!seat.participant.presenter || this.#content.record.choices.length === 0) return;
      this.#content.record.open = open;
      this.#content.keep();
      this.everyone.cSetOpen(open);
    },
    sSetResultsShown: (seat, shown) => {
      if (!seat.participant.presenter || this.#content.record.resultsShown === shown) return;
      this.#content.record.resultsShown = shown;
      this.#content.keep();
      this.everyone.cSetResultsShown(shown);
      const others = this.toThose(({ participant }) => !participant.presenter);
      if (shown) others.cSetResults(this.#counts, this.#voters);
      else others.cSetResults([], 0);
    },
    sClearVotes: (seat) => {
      if (!seat.participant.presenter) return;
      this.#begin();
      this.#around.note({ kind: 'votes-cleared', content: this.#content.id });
      this.everyone.cSetOwnVote([]);
      this.#tellResults();
    },
    sVote: (seat, choices) => this.#vote(seat, choices),
  };

  #ask(question: string, choices: readonly string[], several: boolean): void {
    const asked = oneLine(question, bounds.questionCharacters);
    const answers = choices.map((choice) => oneLine(choice, bounds.choiceCharacters));
    const good = asked !== '' && answers.length <= bounds.choices && answers.every((one) => one !== '');
    if (!good || answers.length === 0 || this.#voters > 0) return;
    Object.assign(this.#content.record, { question: asked, choices: answers, several });
    this.#content.keep();
    this.#begin();
    this.everyone.cSetQuestion(asked, answers, several);
    this.#tellResults();
  }
  #vote(seat: Seat, choices: readonly number[]): void {
    const { open, several, choices: answers } = this.#content.record;
    const good =
      new Set(choices).size === choices.length &&
      choices.every((one) => one >= 0 && one < answers.length) &&
      (several || choices.length <= 1);
    const { identity } = seat.participant;
    if (!open || !good || (this.#votes.size >= bounds.voters && !this.#votes.has(identity))) return;
    this.#count(identity, choices);
    this.#around.note({ kind: 'vote', record: { content: this.#content.id, voter: identity, choices } });
    this.toThose(({ participant }) => participant.identity === identity).cSetOwnVote(choices);
    this.#tellResults();
  }
  #tellResults(): void {
    this.toThose((seat) => this.#sees(seat)).cSetResults(this.#counts, this.#voters);
  }
  #sees({ participant }: Seat): boolean {
    return participant.presenter || this.#content.record.resultsShown;
  }

  #begin(): void {
    this.#votes.clear();
    this.#counts = this.#content.record.choices.map(() => 0);
    this.#voters = 0;
  }
  #count(voter: string, choices: readonly number[]): void {
    const before = this.#votes.get(voter) ?? [];
    for (const one of before) this.#counts[one] = (this.#counts[one] ?? 0) - 1;
    for (const one of choices) this.#counts[one] = (this.#counts[one] ?? 0) + 1;
    this.#voters += Math.sign(choices.length) - Math.sign(before.length);
    this.#votes.set(voter, choices);
  }
}
