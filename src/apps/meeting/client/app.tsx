import { lazy, Suspense, useEffect, useState } from 'react';
import { type MeetingLink, parseMeetingLink } from '#protocols/conference';
import type { MeetingSession, SessionSnapshot, Who } from '#protocols/meeting-session';
import { useWords } from './i18n/words.tsx';
import { JoinPage } from './join/join-page.tsx';
import { LinkPage } from './join/link-page.tsx';
import { OverPage } from './join/over-page.tsx';
import { useStore } from './ui/use-store.ts';

// The meeting itself is loaded while people write their name.
const loadRoom = () => import('./room/room.tsx');
const Room = lazy(async () => ({ default: (await loadRoom()).Room }));

/** Which page is shown: joining, the meeting, or what is left when it is over. */
export function App() {
  const link = useLink();
  const [session, setSession] = useState<MeetingSession>();
  const state = useStore(session ?? NO_SESSION);
  const [wasIn, setWasIn] = useState(false);
  const words = useWords();
  const inside = state.stage === 'in' || state.stage === 'reconnecting';
  useEffect(() => {
    if (state.stage === 'in') setWasIn(true);
  }, [state.stage]);
  useEffect(() => {
    if (!inside) document.title = words.product;
  }, [inside, words]);

  if (link === undefined) return <LinkPage />;
  const start = async (who: Who, signalling: string) => {
    const { openSession } = await loadRoom();
    setWasIn(false);
    setSession(openSession({ conference: link.conference, key: link.key, who, signalling }));
  };
  const forget = () => {
    setSession(undefined);
    setWasIn(false);
  };
  if (session !== undefined && wasIn) {
    if (state.end !== undefined) return <OverPage end={state.end} onAgain={forget} />;
    return (
      <Suspense fallback={<p className="waiting">{words.join.stages.entering}</p>}>
        <Room session={session} />
      </Suspense>
    );
  }
  return (
    <JoinPage
      key={link.key}
      stage={session === undefined ? 'idle' : state.stage}
      problem={state.end}
      onJoin={start}
      onIdle={() => void loadRoom()}
    />
  );
}

const IDLE: SessionSnapshot = {
  ...{ stage: 'idle', end: undefined, attempts: 0, retryMs: 0, offline: false },
};
const NO_SESSION = { subscribe: () => () => undefined, snapshot: () => IDLE };

/** The link that opened this page; another one may be put into the address bar. */
function useLink(): MeetingLink | undefined {
  const [address, setAddress] = useState(location.href);
  useEffect(() => {
    const changed = () => setAddress(location.href);
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  const [link, setLink] = useState<{ address: string; link: MeetingLink | undefined }>();
  if (link?.address === address) return link.link;
  const parsed = parseMeetingLink(address);
  setLink({ address, link: parsed });
  return parsed;
}
