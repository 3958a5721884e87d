import { useEffect, useRef } from 'react';
import type { SessionEnd } from '#protocols/meeting-session';
import { useWords } from '../i18n/words.tsx';
import { Frame } from './frame.tsx';

/** The meeting is over, at least for who looks at this. */
export function OverPage({ end, onAgain }: { readonly end: SessionEnd; readonly onAgain: () => void }) {
  const words = useWords();
  const { title, text } = words.problems[end];
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const final = end === 'ended' || end === 'removed';
  return (
    <Frame>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p className="lead">{text}</p>
      <button type="button" className={final ? '' : 'primary'} onClick={onAgain}>
        {final ? words.over.back : words.over.again}
      </button>
    </Frame>
  );
}
