import { useEffect, useRef, useState } from 'react';
import type { AnnotationKind, AnnotationView, ContentView } from '#protocols/psom';
import { useMeeting } from '../room/meeting-context.tsx';
import { isHit, type Point } from './geometry.ts';
import { type Brush, colours, strokeWidth } from './tools.ts';

/** Points go out in bundles: often enough to look alive, seldom enough for 30 people at a time. */
const BUNDLE_MS = 40;
/** A stroke that is longer goes on as another one. */
const MOST_POINTS = 2_000;
/** Points nearer to one another than this are one. */
const STEP = 1.5;

interface Look {
  readonly page: number;
  readonly colour: number;
  readonly width: number;
}
interface Stroke {
  readonly kind: AnnotationKind;
  readonly number: number;
  readonly waiting: number[];
  last: Point;
  count: number;
}

/** What a tool does when it is put down, moved and lifted, by whichever hand: pointer or keyboard. */
export interface Pen {
  /** A line, box or arrow that is being drawn out; not in the meeting yet. */
  readonly draft: AnnotationView | undefined;
  readonly isDown: boolean;
  press(at: Point): void;
  move(at: Point): void;
  release(at: Point): void;
  abandon(): void;
}

/** A stroke of the pen or the marker, whose points go out in bundles. */
function useStroke(content: ContentView, look: Look) {
  const { commands } = useMeeting();
  const stroke = useRef<Stroke | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const flush = () => {
    const current = stroke.current;
    clearTimeout(timer.current);
    timer.current = undefined;
    if (current !== undefined && current.waiting.length > 0)
      commands.extend(content.id, current.number, current.waiting.splice(0));
  };
  const begin = (kind: AnnotationKind, at: Point) => {
    const points = [at.x, at.y].map(Math.round);
    const number = commands.draw(content.id, { ...look, kind, points });
    if (number !== undefined) stroke.current = { kind, number, waiting: [], last: at, count: 1 };
  };
  const extend = (at: Point) => {
    const current = stroke.current;
    if (current === undefined || Math.hypot(at.x - current.last.x, at.y - current.last.y) < STEP) return;
    current.waiting.push(Math.round(at.x), Math.round(at.y));
    current.last = at;
    current.count += 1;
    timer.current ??= setTimeout(flush, BUNDLE_MS);
    if (current.count < MOST_POINTS) return;
    flush();
    begin(current.kind, at);
  };
  const end = () => {
    flush();
    stroke.current = undefined;
  };
  return { begin, extend, end };
}

/** What a pointer and an eraser do: nothing that stays under way. */
function usePassing(content: ContentView, page: number) {
  const { meeting, commands } = useMeeting();
  const pointed = useRef(0);
  return {
    erase(at: Point) {
      const { userId, presenter } = meeting.self;
      const found = content.annotations?.all.findLast((one) => {
        return one.page === page && (presenter || one.userId === userId) && isHit(one, at);
      });
      if (found !== undefined) commands.erase(content.id, found.userId, found.number);
    },
    point(at: Point) {
      const now = performance.now();
      if (now - pointed.current < BUNDLE_MS) return;
      pointed.current = now;
      commands.point(content.id, page, Math.round(at.x), Math.round(at.y));
    },
  };
}

export function usePen(content: ContentView, page: number, brush: Brush, onText: (at: Point) => void): Pen {
  const { meeting, commands, live } = useMeeting();
  const [draft, setDraft] = useState<AnnotationView>();
  const [isDown, setDown] = useState(false);
  const { tool } = brush;
  const look = { page, colour: colours[brush.colour], width: strokeWidth(brush) };
  const stroke = useStroke(content, look);
  const passing = usePassing(content, page);
  const drawOut = (kind: AnnotationKind, from: Point, to: Point): AnnotationView => {
    const points = [from.x, from.y, to.x, to.y].map(Math.round);
    return { ...look, userId: meeting.self.userId, number: 0, kind, points, text: '' };
  };
  const from = (drawn: AnnotationView): Point => ({ x: drawn.points[0] ?? 0, y: drawn.points[1] ?? 0 });
  const stop = () => {
    stroke.end();
    setDraft(undefined);
    setDown(false);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another tool, page or content, or no connection, ends what was begun
  useEffect(() => stop, [tool, page, content.id, live]);

  return {
    draft,
    isDown,
    press(at) {
      if (!live) return;
      if (tool === 'text') return onText(at);
      setDown(true);
      if (tool === 'pen' || tool === 'marker') stroke.begin(tool, at);
      else if (tool === 'eraser') passing.erase(at);
      else if (tool !== 'pointer') setDraft(drawOut(tool, at, at));
    },
    move(at) {
      if (!live) return;
      if (tool === 'pointer') passing.point(at);
      else if (!isDown) return;
      else if (tool === 'eraser') passing.erase(at);
      else if (draft === undefined) stroke.extend(at);
      else setDraft(drawOut(draft.kind, from(draft), at));
    },
    release(at) {
      if (!isDown) return;
      if (draft === undefined) stroke.extend(at);
      else if (Math.hypot(at.x - from(draft).x, at.y - from(draft).y) > STEP)
        commands.draw(content.id, drawOut(draft.kind, from(draft), at));
      stop();
    },
    abandon: stop,
  };
}
