import { declareInterface } from '../objects/interface.ts';

/**
 * The root object of every connection; the server tells its state as soon as the participant has joined. Child:
 * `ContentManager`. Children are connected by the client here and below (but for upload streams), which waits for nothing;
 * the server tells a child's state when it is connected. Ours: the original's root is not published.
 */
export const meeting = declareInterface({
  name: 'Meeting',
  version: 1,
  server: {
    /** Presenter only: nobody new comes in. */
    sSetLocked: ['Boolean locked'],
    /** Presenter only: makes somebody a presenter or an attendee. */
    sSetPresenter: ['Int64 userId', 'Boolean presenter'],
    /** Presenter only. */
    sRemoveUser: ['Int64 userId'],
    /** Presenter only: the meeting is over for everyone. */
    sEnd: [],
  },
  client: {
    /** Who the other side is. */
    cSetSelf: ['Int64 userId', 'Boolean presenter'],
    cUserJoined: ['Int64 userId', 'String displayName', 'Boolean presenter', 'Boolean outside'],
    cUserChanged: ['Int64 userId', 'Boolean presenter'],
    cUserLeft: ['Int64 userId'],
    cSetTitle: ['String title'],
    cSetLocked: ['Boolean locked'],
    /** The token that brings this session back after a break; the one before is worth nothing any more. */
    cSetResumeToken: ['String token'],
    /** Opens `/content/<token>/<SHA-256 in hexadecimal>` on the place where this participant came in; again when it changes. */
    cSetContentToken: ['String token'],
    /** The state is told; changes follow. */
    cConnectCompleted: [],
    cEnded: [],
  },
});
