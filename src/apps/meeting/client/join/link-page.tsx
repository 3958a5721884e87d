import { type SubmitEvent, useState } from 'react';
import { parseMeetingLink } from '#protocols/conference';
import { useWords } from '../i18n/words.tsx';
import { Field } from './field.tsx';
import { Frame } from './frame.tsx';

/** For those who come without a link, or with half of one. */
export function LinkPage() {
  const words = useWords().join;
  const [link, setLink] = useState('');
  const [wrong, setWrong] = useState(location.hash !== '');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const parsed = parseMeetingLink(link.trim());
    setWrong(parsed === undefined);
    if (parsed === undefined) return;
    const target = new URL(link.trim());
    // A link of this server needs no reload.
    if (target.origin === location.origin) location.hash = target.hash;
    else location.assign(target);
  };
  return (
    <Frame>
      <h1>{words.noLink}</h1>
      <p>{words.noLinkText}</p>
      <form onSubmit={submit} noValidate>
        <Field
          label={words.link}
          problem={words.linkWrong}
          wrong={wrong}
          value={link}
          onChange={setLink}
          inputMode="url"
          maxLength={1024}
          autoComplete="off"
        />
        <button type="submit" className="primary wide">
          {words.open}
        </button>
      </form>
    </Frame>
  );
}
