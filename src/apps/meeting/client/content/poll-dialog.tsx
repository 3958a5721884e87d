import { type SubmitEvent, useState } from 'react';
import { useWords } from '../i18n/words.tsx';
import { Field } from '../join/field.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';

export interface NewPoll {
  readonly question: string;
  readonly choices: readonly string[];
  readonly several: boolean;
}

const MOST_CHOICES = 10;

/** Asks for a question and its answers. */
export function PollDialog({
  onCreate,
  onClose,
}: {
  readonly onCreate: (poll: NewPoll) => void;
  readonly onClose: () => void;
}) {
  const words = useWords().poll;
  const [question, setQuestion] = useState('');
  const [choices, setChoices] = useState<readonly { id: number; text: string }[]>([
    { id: 1, text: '' },
    { id: 2, text: '' },
  ]);
  const [several, setSeveral] = useState(false);
  const [incomplete, setIncomplete] = useState(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const written = choices.map(({ text }) => text.trim()).filter((text) => text !== '');
    setIncomplete(question.trim() === '' || written.length < 2);
    if (question.trim() === '' || written.length < 2) return;
    onCreate({ question: question.trim(), choices: written, several });
    onClose();
  };
  return (
    <Dialog title={words.new} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Field label={words.question} value={question} onChange={setQuestion} maxLength={300} />
        {choices.map(({ id, text }, index) => (
          <div className="choice-line" key={id}>
            <Field
              label={words.choice(index + 1)}
              value={text}
              onChange={(value) =>
                setChoices(choices.map((one) => (one.id === id ? { id, text: value } : one)))
              }
              maxLength={200}
            />
            {choices.length > 2 && (
              <button
                type="button"
                className="plain"
                aria-label={words.removeChoice(index + 1)}
                onClick={() => setChoices(choices.filter((one) => one.id !== id))}
              >
                <Icon name="close" />
              </button>
            )}
          </div>
        ))}
        {choices.length < MOST_CHOICES && (
          <button
            type="button"
            className="plain"
            onClick={() => setChoices([...choices, { id: (choices.at(-1)?.id ?? 0) + 1, text: '' }])}
          >
            <Icon name="plus" />
            {words.addChoice}
          </button>
        )}
        <label className="tick">
          <input type="checkbox" checked={several} onChange={() => setSeveral(!several)} />
          <span>{words.several}</span>
        </label>
        <p role="alert" className="wrong">
          {incomplete ? words.incomplete : ''}
        </p>
        <div className="actions">
          <button type="submit" className="primary">
            {words.create}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
