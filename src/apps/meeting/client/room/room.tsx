import { useEffect, useRef, useState } from 'react';
import type { MeetingSession } from '#protocols/meeting-session';
import { ContentPanel } from '../content/content-panel.tsx';
import { useUploadJobs } from '../content/upload-jobs.ts';
import { LanguageChoice, useWords } from '../i18n/words.tsx';
import { PeoplePanel } from '../people/people-panel.tsx';
import { Stage } from '../stage/stage.tsx';
import '../styles/room.css';
import { Announcer } from '../ui/announcer.tsx';
import { Icon, type IconName, Mark } from '../ui/icons.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { MeetingProvider, useMeeting } from './meeting-context.tsx';
import { useNews } from './news.ts';

export { openSession } from './open-session.ts';

/** The meeting. */
export function Room({ session }: { readonly session: MeetingSession }) {
  return (
    <MeetingProvider session={session}>
      <Inside session={session} />
      <Announcer />
    </MeetingProvider>
  );
}

type Tab = 'stage' | 'content' | 'people';
const tabs: readonly (readonly [Tab, IconName])[] = [
  ['stage', 'board'],
  ['content', 'slides'],
  ['people', 'people'],
];

function Inside({ session }: { readonly session: MeetingSession }) {
  const words = useWords();
  const { meeting } = useMeeting();
  const [tab, setTab] = useState<Tab>('stage');
  const [side, setSide] = useState<'content' | 'people'>('content');
  /** What somebody looks at alone, in place of what is presented. */
  const [looked, setLooked] = useState<number>();
  const jobs = useUploadJobs();
  const heading = useRef<HTMLHeadingElement>(null);
  useNews();
  useEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    document.title = `${meeting.title} – ${words.product}`;
  }, [meeting.title, words]);
  const choose = (chosen: Tab) => {
    setTab(chosen);
    if (chosen !== 'stage') setSide(chosen);
  };
  const look = (contentId: number | undefined) => {
    setLooked(contentId);
    setTab('stage');
  };
  return (
    <div className={`room tab-${tab}`}>
      <a className="skip" href="#stage">
        {words.skip}
      </a>
      <header className="bar">
        <Mark />
        <h1 ref={heading} tabIndex={-1}>
          {meeting.title}
        </h1>
        {meeting.locked && (
          <span className="badge badge-brass">
            <Icon name="lock" />
            {words.room.locked}
          </span>
        )}
        <span className="count">{words.room.people(meeting.users.length)}</span>
        <button type="button" aria-label={words.room.leave} onClick={() => void session.leave()}>
          <Icon name="leave" />
          <span>{words.room.leave}</span>
        </button>
      </header>
      <ConnectionBanner session={session} />
      <main className="parts">
        <section id="stage" className="stage" aria-label={words.stage.label} tabIndex={-1}>
          <Stage looked={looked} onLook={look} />
        </section>
        <div className="side">
          <div className="side-tabs" role="tablist" aria-label={words.content.title}>
            {(['content', 'people'] as const).map((one) => (
              <button
                key={one}
                type="button"
                role="tab"
                id={`tab-${one}`}
                aria-selected={side === one}
                aria-controls="side-panel"
                tabIndex={side === one ? 0 : -1}
                onClick={() => choose(one)}
                onKeyDown={(event) => {
                  if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
                  const other = one === 'content' ? 'people' : 'content';
                  choose(other);
                  document.getElementById(`tab-${other}`)?.focus();
                }}
              >
                {words.room.tabs[one]}
              </button>
            ))}
          </div>
          <div id="side-panel" className="panel" role="tabpanel" aria-labelledby={`tab-${side}`}>
            {side === 'content' ? <ContentPanel jobs={jobs} onLook={look} /> : <PeoplePanel />}
          </div>
          <LanguageChoice />
        </div>
      </main>
      <nav className="tabs" aria-label={words.product}>
        {tabs.map(([one, icon]) => (
          <button
            key={one}
            type="button"
            aria-current={tab === one ? 'page' : undefined}
            onClick={() => choose(one)}
          >
            <Icon name={icon} />
            {words.room.tabs[one]}
          </button>
        ))}
      </nav>
    </div>
  );
}
