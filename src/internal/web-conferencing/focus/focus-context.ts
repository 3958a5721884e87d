import type { Clock, Random } from '#kernel';
import type { SipSide } from '#platform/sip-agent';
import type { Log } from '#platform/telemetry';
import type { Place } from '#protocols/conference';
import type { Conferences } from '../conferences.ts';
import type { FocusMetrics } from './focus-metrics.ts';

/** What the document says about the focus. */
export interface FocusSettings {
  /** Domains whose users are ours. */
  readonly domains: ReadonlySet<string>;
  /** Between two NOTIFY requests of one subscription. */
  readonly notifyMs: number;
  /** Participants' dialogs at a time. */
  readonly calls: number;
  /** Subscriptions at a time. */
  readonly subscriptions: number;
}

/** What all parts of the focus stand on. */
export interface FocusContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: FocusMetrics;
  readonly sip: Pick<SipSide, 'respond' | 'inDialog'>;
  readonly conferences: Conferences;
  readonly settings: () => FocusSettings;
  /** Where somebody outside, or inside, gets at the meeting; the best one first. */
  readonly places: (outside: boolean) => readonly Place[];
}
