import { type SubmitEvent, useEffect, useId, useState } from 'react';
import type { ContentView, PollView } from '#protocols/psom';
import { useWords } from '../i18n/words.tsx';
import { useMeeting } from '../room/meeting-context.tsx';
import { Icon } from '../ui/icons.tsx';

/** A question: the vote of who looks at it, the results where they may be seen, and what presenters can do. */
export function PollPage({ content, poll }: { readonly content: ContentView; readonly poll: PollView }) {
  const words = useWords().poll;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a phone scrolls it, the keyboard too, also while nothing in it can be used
    <section className="card poll" aria-label={content.title} tabIndex={0}>
      <p className={poll.open ? 'badge badge-good' : 'badge'}>{poll.open ? words.open : words.closed}</p>
      <h3>{poll.question}</h3>
      {poll.open && <Ballot content={content} poll={poll} />}
      <Results poll={poll} />
      <Controls content={content} poll={poll} />
    </section>
  );
}

function Ballot({ content, poll }: { readonly content: ContentView; readonly poll: PollView }) {
  const words = useWords().poll;
  const { commands, live } = useMeeting();
  const [chosen, setChosen] = useState<readonly number[]>(poll.ownVote);
  useEffect(() => setChosen(poll.ownVote), [poll.ownVote]);
  const name = useId();
  const voted = poll.ownVote.length > 0;
  const same = [...chosen].sort().join() === [...poll.ownVote].sort().join();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (chosen.length > 0)
      commands.vote(
        content.id,
        [...chosen].sort((a, b) => a - b),
      );
  };
  const toggle = (choice: number) => {
    if (!poll.several) setChosen([choice]);
    else if (chosen.includes(choice)) setChosen(chosen.filter((one) => one !== choice));
    else setChosen([...chosen, choice]);
  };
  return (
    <form onSubmit={submit}>
      <fieldset className="ballot" disabled={!live}>
        <legend>{poll.several ? words.pickSeveral : words.pick}</legend>
        {poll.choices.map((choice, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a choice is its number
          <label key={index}>
            <input
              type={poll.several ? 'checkbox' : 'radio'}
              name={name}
              checked={chosen.includes(index)}
              onChange={() => toggle(index)}
            />
            <span>{choice}</span>
          </label>
        ))}
      </fieldset>
      <div className="actions">
        <button type="submit" className="primary" disabled={!live || chosen.length === 0 || (voted && same)}>
          {voted ? words.change : words.vote}
        </button>
        <p role="status" className="good">
          {voted && same && (
            <>
              <Icon name="check" /> {words.voted}
            </>
          )}
        </p>
      </div>
    </form>
  );
}

function Results({ poll }: { readonly poll: PollView }) {
  const words = useWords().poll;
  const { results } = poll;
  if (results === undefined) return <p className="soft">{words.hidden}</p>;
  return (
    <div className="results">
      <ul>
        {poll.choices.map((choice, index) => {
          const votes = results.votes[index] ?? 0;
          const percent = results.voters === 0 ? 0 : Math.round((100 * votes) / results.voters);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a choice is its number
            <li key={index}>
              <span className="hidden">{words.result(choice, votes, percent)}</span>
              <span aria-hidden="true">{choice}</span>
              <span aria-hidden="true" className="soft">
                {votes} · {percent} %
              </span>
              <span aria-hidden="true" className="bar-track">
                <span style={{ width: `${percent}%` }} />
              </span>
            </li>
          );
        })}
      </ul>
      <p className="soft" role="status">
        {words.voters(results.voters)}
      </p>
    </div>
  );
}

function Controls({ content, poll }: { readonly content: ContentView; readonly poll: PollView }) {
  const words = useWords().poll;
  const { commands, live, presenter } = useMeeting();
  if (!presenter) return null;
  return (
    <div className="actions controls">
      <button type="button" disabled={!live} onClick={() => commands.setPollOpen(content.id, !poll.open)}>
        {poll.open ? words.close : words.reopen}
      </button>
      <button
        type="button"
        disabled={!live}
        onClick={() => commands.setResultsShown(content.id, !poll.resultsShown)}
      >
        {poll.resultsShown ? words.hide : words.show}
      </button>
      <button
        type="button"
        disabled={!live || (poll.results?.voters ?? 0) === 0}
        onClick={() => commands.clearVotes(content.id)}
      >
        {words.clear}
      </button>
    </div>
  );
}
