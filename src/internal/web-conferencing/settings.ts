import type { InternalDocument } from '#platform/topology';
import type { MeetingLimits } from './meeting/limits.ts';
import type { SessionLimits } from './session.ts';

/** What the document says about the service, in the units that code uses. */
export interface MeetingSettings {
  /** Of the conferences' addresses. */
  readonly domain: string;
  readonly meetingUrl: string;
  readonly graceMs: number;
  readonly expiryMs: number;
  readonly keptMs: number;
  readonly meetings: number;
  readonly limits: MeetingLimits;
  readonly session: SessionLimits;
}

const HOUR_MS = 3_600_000;
const STANDINGS = 1000;

/** Undefined when there is nothing to do. */
export function settingsOf({ webConferencing }: InternalDocument): MeetingSettings | undefined {
  const { domain, meetingUrl, limits } = webConferencing;
  if (domain === undefined) return undefined;
  return {
    domain,
    meetingUrl,
    graceMs: webConferencing.graceSeconds * 1000,
    expiryMs: webConferencing.expiryHours * HOUR_MS,
    keptMs: webConferencing.keptHours * HOUR_MS,
    meetings: limits.meetings,
    limits: {
      ...{ participants: limits.participants, standings: STANDINGS },
      ...{ contents: limits.contents, annotations: limits.annotations },
      ...{ fileBytes: limits.fileBytes, meetingBytes: limits.meetingBytes },
    },
    session: { callsPerSecond: limits.callsPerSecond, waitingBytes: limits.waitingBytes },
  };
}
