import type { Metrics } from '#platform/telemetry';
import { followFaults } from '#protocols/psom';
import { refusals } from './policy/refusals.ts';

export type EdgeMetrics = ReturnType<typeof edgeMetrics>;

export function edgeMetrics(metrics: Metrics) {
  return {
    admitted: metrics.counter(
      'sallyport_webconf_participants_total',
      'Participants that came in, by what they showed.',
      {
        name: 'by',
        values: ['join', 'resume'],
      },
    ),
    refused: metrics.counter(
      'sallyport_webconf_refused_total',
      'Joins and requests for files that were refused, by reason.',
      { name: 'reason', values: refusals },
    ),
    bytes: metrics.counter('sallyport_webconf_bytes_total', 'Bytes of participants that were passed on.', {
      name: 'direction',
      values: ['inward', 'outward'],
    }),
    unfollowed: metrics.counter(
      'sallyport_webconf_unfollowed_total',
      'Participants whose operations could not be followed any more for events, by reason.',
      { name: 'reason', values: followFaults },
    ),
    slow: metrics.counter(
      'sallyport_webconf_slow_participants_total',
      'Participants that were reset because too much waited for them.',
    ),
  };
}
