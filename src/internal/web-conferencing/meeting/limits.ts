/** Bounds of one meeting. */
export interface MeetingLimits {
  readonly participants: number;
  /** Addresses about which something was decided. */
  readonly standings: number;
}
