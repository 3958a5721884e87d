import { createContext, type ReactNode, use, useMemo } from 'react';
import type { MeetingSession } from '#protocols/meeting-session';
import type { MeetingCommands, MeetingSnapshot } from '#protocols/psom';
import { useStore } from '../ui/use-store.ts';

interface Shared {
  readonly meeting: MeetingSnapshot;
  readonly commands: MeetingCommands;
  /** False while the connection is gone: what is seen is how it was, and nothing can be changed. */
  readonly live: boolean;
  readonly presenter: boolean;
}
const MeetingContext = createContext<Shared | undefined>(undefined);

export function MeetingProvider({
  session,
  children,
}: {
  readonly session: MeetingSession;
  readonly children: ReactNode;
}) {
  const meeting = useStore(session.view);
  const { commands } = session.view;
  const shared = useMemo(() => {
    const live = meeting.phase === 'live';
    return { meeting, commands, live, presenter: meeting.self.presenter };
  }, [meeting, commands]);
  return <MeetingContext value={shared}>{children}</MeetingContext>;
}

export function useMeeting(): Shared {
  const shared = use(MeetingContext);
  if (shared === undefined) throw new Error('outside of a meeting');
  return shared;
}

/** The name of a participant, whoever that is. */
export function nameOf(meeting: MeetingSnapshot, userId: number, someone: string): string {
  return meeting.users.find((user) => user.userId === userId)?.displayName ?? someone;
}
