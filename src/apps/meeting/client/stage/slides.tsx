import { useEffect, useRef, useState } from 'react';
import type { ContentView } from '#protocols/psom';
import { contentUrl } from '../content/content-url.ts';
import { useWords } from '../i18n/words.tsx';
import { useMeeting } from '../room/meeting-context.tsx';
import { Icon } from '../ui/icons.tsx';
import { Surface } from './surface.tsx';
import type { Brush } from './tools.ts';

/** Until an image says otherwise. */
const USUAL_HEIGHT = 562;

/** One slide with what is drawn on it, and the way to the others. */
export function Slides({
  content,
  page,
  active,
  brush,
  onPage,
}: {
  readonly content: ContentView;
  readonly page: number;
  readonly active: boolean;
  readonly brush: Brush;
  readonly onPage: (page: number) => void;
}) {
  const words = useWords().stage;
  const { commands, presenter, live } = useMeeting();
  const [heights, setHeights] = useState<Readonly<Record<string, number>>>({});
  const slides = content.slides?.slides ?? [];
  const slide = slides[page - 1];
  if (slide === undefined || slide.hash === '') return <p className="waiting">{words.noSlides}</p>;
  const height = heights[slide.hash] ?? USUAL_HEIGHT;
  const mayTurn = !active || presenter;
  const turn = (to: number) => {
    if (active) commands.setSlide(content.id, to);
    else onPage(to);
  };
  return (
    <>
      <div className="page" style={{ '--ratio': 1_000 / height } as object}>
        <SlideImage
          key={slide.hash}
          hash={slide.hash}
          alt={words.slideAlt(page, content.title)}
          onHeight={(found) => setHeights((known) => ({ ...known, [slide.hash]: found }))}
        />
        <Surface
          content={content}
          page={page}
          height={height}
          brush={brush}
          label={`${words.boardLabel}: ${words.slideAlt(page, content.title)}`}
        />
      </div>
      <nav className="turner" aria-label={content.title}>
        {mayTurn && (
          <button
            type="button"
            aria-label={words.previous}
            disabled={page <= 1 || (active && !live)}
            onClick={() => turn(page - 1)}
          >
            <Icon name="left" />
          </button>
        )}
        <span>{words.slide(page, slides.length)}</span>
        {mayTurn && (
          <button
            type="button"
            aria-label={words.next}
            disabled={page >= slides.length || (active && !live)}
            onClick={() => turn(page + 1)}
          >
            <Icon name="right" />
          </button>
        )}
      </nav>
    </>
  );
}

/** Between one try and the next, at first; a whole office asks for the same slide at the same moment. */
const RETRY_MS = 500;
const MOST_TRIES = 7;

/**
 * The image keeps its address when the token changes, and asks by the new one only when the old one is refused. A place that is busy is
 * asked again, later and later.
 */
function SlideImage({
  hash,
  alt,
  onHeight,
}: {
  readonly hash: string;
  readonly alt: string;
  readonly onHeight: (height: number) => void;
}) {
  const { contentToken } = useMeeting().meeting;
  const [token, setToken] = useState(contentToken);
  const [tries, setTries] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const again = () => {
    setToken(contentToken);
    if (tries >= MOST_TRIES) return;
    const wait = RETRY_MS * 2 ** tries * (1 + Math.random());
    timer.current = setTimeout(() => setTries(tries + 1), wait);
  };
  return (
    <img
      key={tries}
      src={contentUrl(token, hash)}
      alt={alt}
      draggable={false}
      onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
        if (naturalWidth > 0) onHeight(Math.round((1_000 * naturalHeight) / naturalWidth));
      }}
      onError={again}
    />
  );
}
