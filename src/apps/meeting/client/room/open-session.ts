import { SystemClock, SystemRandom } from '#kernel';
import type { ConferenceAddress } from '#protocols/conference';
import { MeetingSession, type Who } from '#protocols/meeting-session';
import { webTransport } from '../browser/web-channels.ts';

/** Begins to join; the page's own network and life are told to the session. */
export function openSession(options: {
  readonly conference: ConferenceAddress;
  readonly key: string;
  readonly who: Who;
  readonly signalling: string;
}): MeetingSession {
  const { signalling, ...rest } = options;
  const session = new MeetingSession({
    ...{ clock: new SystemClock(), random: new SystemRandom(), transport: webTransport(signalling) },
    ...rest,
  });
  window.addEventListener('offline', () => session.handleOffline());
  window.addEventListener('online', () => session.retryNow());
  // Who closes the page leaves; a page that is only put aside may be gone on with.
  window.addEventListener('pagehide', (event) => {
    if (!event.persisted) void session.leave();
  });
  session.start();
  return session;
}
