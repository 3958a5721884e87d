import { useRef, useState } from 'react';
import { useWords } from '../i18n/words.tsx';
import type { Point } from './geometry.ts';
import { type Brush, colours, strokeWidth } from './tools.ts';

const LONGEST_TEXT = 500;

/** Where a text is written before it is put on the page. */
export function TextEntry({
  at,
  height,
  brush,
  onDone,
}: {
  readonly at: Point;
  readonly height: number;
  readonly brush: Brush;
  readonly onDone: (text: string) => void;
}) {
  const words = useWords().stage;
  const [text, setText] = useState('');
  // It is done once: whoever presses Enter takes the focus away, too.
  const over = useRef(false);
  const done = (written: string) => {
    if (over.current) return;
    over.current = true;
    onDone(written);
  };
  const size = strokeWidth(brush);
  return (
    <input
      className="text-entry"
      // biome-ignore lint/a11y/noAutofocus: it was asked for to be written in
      autoFocus
      aria-label={words.writeText}
      placeholder={words.writeHint}
      maxLength={LONGEST_TEXT}
      value={text}
      style={{
        left: `${Math.min(at.x, 700) / 10}%`,
        top: `${((at.y - size) / height) * 100}%`,
        fontSize: `max(16px, ${size / 10}cqw)`,
        color: `#${colours[brush.colour].toString(16).padStart(6, '0')}`,
      }}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => done(text)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Enter') done(text);
        else if (event.key === 'Escape') done('');
      }}
    />
  );
}
