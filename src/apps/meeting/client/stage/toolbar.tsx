import { useState } from 'react';
import type { ContentView } from '#protocols/psom';
import { useWords } from '../i18n/words.tsx';
import { useMeeting } from '../room/meeting-context.tsx';
import { Sure } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { useRoving } from '../ui/use-roving.ts';
import { type Brush, type Colour, colours, tools, type Width, widths } from './tools.ts';

/** Tools, colours and widths; undo and, for presenters, an empty page. */
export function Toolbar({
  content,
  page,
  brush,
  onChange,
}: {
  readonly content: ContentView;
  readonly page: number;
  readonly brush: Brush;
  readonly onChange: (brush: Brush) => void;
}) {
  const words = useWords().tools;
  const { commands, live, presenter } = useMeeting();
  const [clearing, setClearing] = useState(false);
  const roving = useRoving();
  return (
    <>
      <div className="toolbar" role="toolbar" aria-label={words.label} {...roving}>
        <div className="tool-group">
          {tools.map(([tool, icon]) => (
            <button
              key={tool}
              type="button"
              className="tool"
              aria-label={words[tool]}
              aria-pressed={brush.tool === tool}
              title={words[tool]}
              disabled={!live}
              onClick={() => onChange({ ...brush, tool })}
            >
              <Icon name={icon} />
            </button>
          ))}
        </div>
        <fieldset className="tool-group" disabled={!live}>
          <legend className="hidden">{words.colour}</legend>
          {(Object.keys(colours) as Colour[]).map((colour) => (
            <button
              key={colour}
              type="button"
              className={`tool swatch swatch-${colour}`}
              aria-label={`${words.colour}: ${words.colours[colour]}`}
              aria-pressed={brush.colour === colour}
              title={words.colours[colour]}
              onClick={() => onChange({ ...brush, colour })}
            >
              <span />
            </button>
          ))}
        </fieldset>
        <fieldset className="tool-group" disabled={!live}>
          <legend className="hidden">{words.width}</legend>
          {(Object.keys(widths) as Width[]).map((width) => (
            <button
              key={width}
              type="button"
              className={`tool width width-${width}`}
              aria-label={`${words.width}: ${words.widths[width]}`}
              aria-pressed={brush.width === width}
              title={words.widths[width]}
              onClick={() => onChange({ ...brush, width })}
            >
              <span />
            </button>
          ))}
        </fieldset>
        <div className="tool-group">
          <button
            type="button"
            className="tool"
            aria-label={words.undo}
            title={words.undo}
            disabled={!live}
            onClick={() => commands.undo(content.id)}
          >
            <Icon name="undo" />
          </button>
          {presenter && (
            <button
              type="button"
              className="tool"
              aria-label={words.clear}
              title={words.clear}
              disabled={!live}
              onClick={() => setClearing(true)}
            >
              <Icon name="clear" />
            </button>
          )}
        </div>
      </div>
      {clearing && <Clear content={content} page={page} onClose={() => setClearing(false)} />}
    </>
  );
}

function Clear({
  content,
  page,
  onClose,
}: {
  readonly content: ContentView;
  readonly page: number;
  readonly onClose: () => void;
}) {
  const words = useWords().tools;
  const { commands } = useMeeting();
  const sure = () => commands.clear(content.id, page);
  return <Sure title={words.clear} text={words.clearSure} onSure={sure} onClose={onClose} />;
}
