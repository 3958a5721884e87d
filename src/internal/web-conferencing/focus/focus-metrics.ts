import type { Counter, Metrics } from '#platform/telemetry';

/** What became of requests to conferences. */
export const focusOutcomes = [
  'joined',
  'refreshed',
  'left',
  'subscribed',
  'challenged',
  'wrong-key',
  'not-the-sender',
  'not-acceptable',
  'method',
  'no-dialog',
  'not-in',
  'busy',
  'unknown',
  'locked',
  'removed',
  'ended',
  'expired',
  'full',
  'not-allowed',
  'unavailable',
] as const;
export type FocusOutcome = (typeof focusOutcomes)[number];

export const noticeOutcomes = ['accepted', 'failed', 'unreachable'] as const;
const endings = ['left', 'removed', 'ended', 'absent', 'replaced', 'not-acknowledged'] as const;
export type CallEnding = (typeof endings)[number];

/** What the focus counts. */
export interface FocusMetrics {
  readonly requests: Counter<FocusOutcome>;
  readonly notices: Counter<(typeof noticeOutcomes)[number]>;
  readonly ended: Counter<CallEnding>;
}

export function focusMetrics(metrics: Metrics): FocusMetrics {
  return {
    requests: metrics.counter(
      'sallyport_web_conferencing_focus_requests_total',
      'Requests to conferences, by what became of them.',
      { name: 'outcome', values: focusOutcomes },
    ),
    notices: metrics.counter(
      'sallyport_web_conferencing_focus_notices_total',
      'NOTIFY requests about who takes part, by outcome.',
      { name: 'outcome', values: noticeOutcomes },
    ),
    ended: metrics.counter(
      'sallyport_web_conferencing_focus_calls_ended_total',
      'Calls that ended, by why.',
      {
        name: 'why',
        values: endings,
      },
    ),
  };
}
