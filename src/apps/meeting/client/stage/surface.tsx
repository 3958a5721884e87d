import { type KeyboardEvent, type PointerEvent, useId, useMemo, useRef, useState } from 'react';
import type { AnnotationView, ContentView } from '#protocols/psom';
import { useWords } from '../i18n/words.tsx';
import { nameOf, useMeeting } from '../room/meeting-context.tsx';
import { announce } from '../ui/announcer.tsx';
import type { Point } from './geometry.ts';
import { PointerMark, Shape } from './shape.tsx';
import { TextEntry } from './text-entry.tsx';
import { type Brush, colours, strokeWidth } from './tools.ts';
import { type Pen, usePen } from './use-pen.ts';

/** Of the cursor that arrow keys move, in thousandths of the width. */
const STEP = 10;
const LONG_STEP = 60;
const moves: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** One page that can be drawn on: what is on it, and the hand that draws, with a pointer or with the keyboard. */
export function Surface({
  content,
  page,
  height,
  brush,
  label,
}: {
  readonly content: ContentView;
  readonly page: number;
  /** In thousandths of the width. */
  readonly height: number;
  readonly brush: Brush;
  readonly label: string;
}) {
  const words = useWords();
  const { meeting, commands, live } = useMeeting();
  const [cursor, setCursor] = useState<Point>();
  const [writing, setWriting] = useState<Point>();
  const svg = useRef<SVGSVGElement>(null);
  const help = useId();
  const pen = usePen(content, page, brush, setWriting);
  const drawn = useMemo(
    () => content.annotations?.all.filter((one) => one.page === page) ?? [],
    [content.annotations, page],
  );
  const pointers = content.annotations?.pointers.filter((one) => one.page === page) ?? [];
  const place = (event: PointerEvent<SVGSVGElement>): Point => {
    const box = event.currentTarget.getBoundingClientRect();
    const scale = 1_000 / box.width;
    return bounded({ x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale }, height);
  };
  const onKeyDown = useKeyboard(pen, brush, height, cursor, setCursor);
  const write = (text: string) => {
    const at = writing;
    setWriting(undefined);
    svg.current?.focus();
    if (at === undefined || text.trim() === '') return;
    const points = [at.x, at.y].map(Math.round);
    const look = { page, colour: colours[brush.colour], width: strokeWidth(brush) };
    commands.draw(content.id, { ...look, kind: 'text', points, text: text.trim() });
  };
  return (
    <>
      <svg
        ref={svg}
        className={`surface tool-${brush.tool}`}
        viewBox={`0 0 1000 ${height}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is drawn on with the keyboard
        tabIndex={0}
        role="application"
        aria-label={label}
        aria-describedby={help}
        aria-disabled={!live}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          if (brush.tool !== 'text') event.currentTarget.focus({ preventScroll: true });
          event.currentTarget.setPointerCapture(event.pointerId);
          setCursor(undefined);
          pen.press(place(event));
        }}
        // A press that moves the focus would take it from the text that is about to be written.
        onMouseDown={(event) => event.preventDefault()}
        onPointerMove={(event) => pen.move(place(event))}
        onPointerUp={(event) => pen.release(place(event))}
        onPointerCancel={pen.abandon}
        onKeyDown={onKeyDown}
        onBlur={() => setCursor(undefined)}
      >
        {drawn.map((one) => (
          <Shape key={`${one.userId} ${one.number}`} annotation={one} />
        ))}
        {pen.draft !== undefined && <Shape annotation={pen.draft} />}
        {pointers.map((one) => (
          <PointerMark
            key={one.userId}
            pointer={one}
            name={nameOf(meeting, one.userId, words.room.someone)}
          />
        ))}
        {cursor !== undefined && <Crosshair at={cursor} down={pen.isDown} />}
      </svg>
      {writing !== undefined && <TextEntry at={writing} height={height} brush={brush} onDone={write} />}
      <Help id={help} drawn={drawn} />
    </>
  );
}

/** The hand that draws with arrow keys, Enter, Space and Escape. */
function useKeyboard(
  pen: Pen,
  brush: Brush,
  height: number,
  cursor: Point | undefined,
  setCursor: (to: Point) => void,
): (event: KeyboardEvent) => void {
  const words = useWords().stage;
  return (event) => {
    const move = moves[event.key];
    const from = cursor ?? { x: 500, y: height / 2 };
    if (move !== undefined) {
      const step = event.shiftKey ? LONG_STEP : STEP;
      const to = bounded({ x: from.x + move.x * step, y: from.y + move.y * step }, height);
      setCursor(to);
      pen.move(to);
    } else if (event.key === 'Enter' || event.key === ' ') {
      setCursor(from);
      if (pen.isDown) pen.release(from);
      else pen.press(from);
      if (brush.tool !== 'text') announce(pen.isDown ? words.up : words.down);
    } else if (event.key === 'Escape') pen.abandon();
    else return;
    event.preventDefault();
  };
}

/** For those who do not see it: how it is drawn on, and what can be told of what is there. */
function Help({ id, drawn }: { readonly id: string; readonly drawn: readonly AnnotationView[] }) {
  const words = useWords().stage;
  const texts = drawn.flatMap(({ kind, text }) => (kind === 'text' ? [text] : []));
  return (
    <div id={id} className="hidden">
      <p>{words.boardHelp}</p>
      <p>{words.drawings(drawn.length)}</p>
      {texts.length > 0 && (
        <p>
          {words.texts} {texts.join('; ')}
        </p>
      )}
    </div>
  );
}

function Crosshair({ at: { x, y }, down }: { readonly at: Point; readonly down: boolean }) {
  return (
    <g className={down ? 'crosshair crosshair-down' : 'crosshair'}>
      <circle cx={x} cy={y} r={9} />
      <path d={`M${x - 20} ${y}h14M${x + 6} ${y}h14M${x} ${y - 20}v14M${x} ${y + 6}v14`} />
    </g>
  );
}

function bounded({ x, y }: Point, height: number): Point {
  return { x: Math.min(Math.max(x, 0), 1_000), y: Math.min(Math.max(y, 0), height) };
}
