/** Bounds of one meeting. */
export interface MeetingLimits {
  readonly participants: number;
  /** Addresses about which something was decided. */
  readonly standings: number;
  readonly contents: number;
  /** Annotations of one content. */
  readonly annotations: number;
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Bytes of all files of the meeting. */
  readonly meetingBytes: number;
}

/** Bounds that no document changes. */
export const bounds = {
  titleCharacters: 120,
  /** Titles that one connection may hold back, and for how long. */
  reservations: 8,
  reservationMs: 600_000,
  /** Pages of a whiteboard, and images of one content of slides. */
  pages: 500,
  /** Numbers, two a point: of one annotation; and of all of a content, with what else is told of them: 1.6 MB. */
  annotationPoints: 10_000,
  contentPoints: 400_000,
  textCharacters: 500,
  /** Coordinates, in thousandths of the width of the page; pages are higher than wide, and lines begin beside them. */
  coordinate: 10_000,
  questionCharacters: 500,
  choices: 20,
  choiceCharacters: 200,
  /** Voters of one poll over its life. */
  voters: 5000,
  /** Uploads of one connection, and of all, at a time. */
  uploadsOfSeat: 4,
  uploads: 40,
  /** An upload of which nothing comes for so long is over. */
  uploadIdleMs: 120_000,
  slideBytes: 20 * 1_048_576,
  /** Bytes of an upload that may be under way. */
  grantBytes: 262_144,
  /** Of a slide: pixels of one side, and in all. */
  imageSide: 16_384,
  imagePixels: 80_000_000,
} as const;
