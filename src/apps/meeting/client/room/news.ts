import { useEffect, useRef } from 'react';
import type { MeetingSnapshot } from '#protocols/psom';
import type { Words } from '../i18n/en.ts';
import { useWords } from '../i18n/words.tsx';
import { announce } from '../ui/announcer.tsx';
import { nameOf, useMeeting } from './meeting-context.tsx';

/** More people than this come or go at a time only after a break; nobody wants to hear them all. */
const MOST_NAMES = 3;

/** Says to screen readers what others see change: who comes and goes, what is presented, which slide. */
export function useNews(): void {
  const { meeting } = useMeeting();
  const words = useWords();
  const before = useRef(meeting);
  useEffect(() => {
    const news = newsOf(before.current, meeting, words);
    before.current = meeting;
    if (news.length > 0) announce(news.join(' '));
  }, [meeting, words]);
}

function newsOf(before: MeetingSnapshot, after: MeetingSnapshot, words: Words): string[] {
  if (before.phase !== 'live' || after.phase !== 'live') return [];
  return [...peopleNews(before, after, words), ...stageNews(before, after, words)];
}

function peopleNews(before: MeetingSnapshot, after: MeetingSnapshot, words: Words): string[] {
  if (before.users === after.users) return [];
  const missing = (from: MeetingSnapshot, to: MeetingSnapshot) => {
    const known = new Set(to.users.map(({ userId }) => userId));
    return from.users.filter(({ userId }) => !known.has(userId)).slice(0, MOST_NAMES);
  };
  return [
    ...missing(after, before).map(({ displayName }) => words.room.came(displayName)),
    ...missing(before, after).map(({ displayName }) => words.room.went(displayName)),
  ];
}

function stageNews(before: MeetingSnapshot, after: MeetingSnapshot, words: Words): string[] {
  const shown = after.contents.find(({ id }) => id === after.activeContent);
  if (shown === undefined) return [];
  const presented = presentedIn(after, words);
  const same = before.activeContent === after.activeContent;
  if (presented !== undefined && (!same || presentedIn(before, words) === undefined)) return [presented];
  const earlier = before.contents.find(({ id }) => id === shown.id)?.slides;
  const { slides } = shown;
  if (slides === undefined || earlier === undefined || slides.location === earlier.location) return [];
  return [words.stage.slide(slides.location, slides.slides.length)];
}

/** What is presented, and by whom; undefined until both are known, which are told one after the other. */
function presentedIn(meeting: MeetingSnapshot, words: Words): string | undefined {
  const { activePresenter, activeContent, contents } = meeting;
  const title = contents.find(({ id }) => id === activeContent)?.title ?? '';
  if (title === '' || activePresenter === 0) return undefined;
  return `${words.stage.presentedBy(nameOf(meeting, activePresenter, words.room.someone))}: ${title}.`;
}
