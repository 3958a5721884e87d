import { declareInterface } from '../objects/interface.ts';

/** What a content can be ([MS-PSOM] §3.1.4.1.4); the type says which object is its child `extendedContent`. */
export const contentTypes = [
  'Content.Ppt',
  'Content.Whiteboard',
  'Content.NativeFileOnly',
  'Content.Poll',
] as const;
export type ContentType = (typeof contentTypes)[number];

/**
 * The contents of a meeting, their titles and the presenter's baton ([MS-PSOM] §3.1.4.1.4). Children: `UploadManager`, and
 * `content.<id>` for each content.
 */
export const contentManager = declareInterface({
  name: 'ContentManager',
  version: 10,
  server: {
    sDeleteContent: ['Int64 contentId'],
    sPresent: [],
    sReleaseTitle: ['Int32 cookie'],
    sReserveTitle: ['String title', 'Int32 cookie'],
    sStopPresenting: [],
    /** cookie is that of the reserved title: for contents that need no upload. Ours. */
    sCreateContent: ['Int32 cookie', 'String type'],
  },
  client: {
    cContentAdded: ['Int64 contentId', 'String type'],
    /** To its creator only. */
    cContentCreated: ['Int64 contentId', 'Int32 cookie'],
    cContentRemoved: ['Int64 contentId'],
    /** status: 1 reserved for creation, 2 for upgrade, 3 and 4 the same refused. */
    cReserveTitleCompleted: ['Int32 status', 'Int32 cookie', 'Int64 contentId', 'Int64 owningUserId'],
    /** 0 when nothing is shown. */
    cSetActiveContent: ['Int64 contentId'],
    /** 0 when nobody presents. */
    cSetActivePresenter: ['Int64 userId'],
    cTitleReleased: ['Int32 cookie'],
    /** The state is told; changes follow. Ours. */
    cConnectCompleted: [],
  },
});

/** One content ([MS-PSOM] §3.1.4.1.5). Child: `extendedContent`. */
export const content = declareInterface({
  name: 'Content',
  version: 10,
  server: {
    sForceSync: [],
    sMakeHighestPresentationOrder: [],
    sPresent: [],
    sSetTitle: ['String title'],
    /** 0 everyone, 1 presenters, 2 the organizer. */
    sSetVisibility: ['Int32 visibility'],
    sStopPresenting: [],
  },
  client: {
    cConnectCompleted: [],
    /** UTC, as in 2026-01-31T12:00:00Z. */
    cSetCreationTime: ['String utc'],
    cSetLastUsedTime: ['String utc'],
    /** key and iv are empty, hash is SHA-256. */
    cSetNativeFileInfo: ['String fileName', 'Byte[] key', 'Byte[] iv', 'Byte[] hash', 'Int64 size'],
    cSetOwnerId: ['Int64 userId'],
    cSetPresentInfo: ['Boolean presented', 'Int64 presenterId'],
    cSetPresentationOrder: ['Int64 order'],
    cSetTitle: ['String title'],
    /** status: 0 done, 1 taken, 2 not allowed. */
    cSetTitleComplete: ['Int32 status', 'String title'],
    cSetVisibility: ['Int32 visibility'],
  },
});

/** Slides ([MS-PSOM] §3.1.4.1.11). Child: `annotationContainer`. */
export const pptContent = declareInterface({
  name: 'PptContent',
  version: 2,
  server: {
    /** The slide that everyone sees, as text: its number from 1. */
    sSetLocation: ['String slide'],
  },
  client: {
    cConnectCompleted: [],
    cSetLocation: ['String slide'],
    cSetSlideCount: ['Int32 count'],
    /** slide from 1; url on the serving edge; key, iv and hash as in cSetNativeFileInfo. */
    cSetSlideJpegInfo: ['Int32 slide', 'String url', 'Byte[] key', 'Byte[] iv', 'Byte[] hash'],
  },
});
