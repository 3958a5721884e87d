import { useEffect, useState } from 'react';
import type { MeetingSession } from '#protocols/meeting-session';
import { useWords } from '../i18n/words.tsx';
import { Icon } from '../ui/icons.tsx';
import { useStore } from '../ui/use-store.ts';

const BACK_MS = 6_000;

/** Says plainly when the connection is gone, what happens next, and when it is back. */
export function ConnectionBanner({ session }: { readonly session: MeetingSession }) {
  const words = useWords().room;
  const { stage, attempts, retryMs, offline } = useStore(session);
  const [back, setBack] = useState(false);
  const [wasLost, setWasLost] = useState(false);
  const lost = stage === 'reconnecting';
  useEffect(() => {
    if (lost) setWasLost(true);
    if (lost || !wasLost) return;
    setWasLost(false);
    setBack(true);
  }, [lost, wasLost]);
  useEffect(() => {
    if (!back) return;
    const timer = setTimeout(() => setBack(false), BACK_MS);
    return () => clearTimeout(timer);
  }, [back]);
  return (
    <div className={lost ? 'banners banners-lost' : 'banners'}>
      <div role="alert" className={lost ? 'banner banner-lost' : 'hidden'}>
        {lost && (
          <>
            <span className="pulse" aria-hidden="true" />
            <p>
              <strong>{offline ? words.offline : words.lost}</strong> {words.lostText}
            </p>
          </>
        )}
      </div>
      {lost && !offline && (
        <section className="banner banner-next" aria-label={words.connection}>
          <Countdown key={attempts} ms={retryMs} />
          <button type="button" onClick={() => session.retryNow()}>
            {words.tryNow}
          </button>
        </section>
      )}
      <div role="status" className={back && !lost ? 'banner banner-back' : 'hidden'}>
        {back && !lost && (
          <>
            <Icon name="check" />
            <p>{words.back}</p>
          </>
        )}
      </div>
    </div>
  );
}

function Countdown({ ms }: { readonly ms: number }) {
  const words = useWords().room;
  const [left, setLeft] = useState(Math.ceil(ms / 1_000));
  useEffect(() => {
    const timer = setInterval(() => setLeft((seconds) => Math.max(seconds - 1, 0)), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <p>{left > 0 ? words.next(left) : words.trying}</p>;
}
