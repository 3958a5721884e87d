import type { Metrics } from '#platform/telemetry';
import { streamReasons } from '#protocols/xmpp';

export type Meters = ReturnType<typeof declareMeters>;

export function declareMeters(metrics: Metrics) {
  const directions = ['in', 'out'] as const;
  return {
    streams: metrics.counter('sallyport_xmpp_streams_total', 'Streams with partners that were opened.', {
      name: 'direction',
      values: directions,
    }),
    ends: metrics.counter('sallyport_xmpp_streams_ended_total', 'Streams that ended, by reason.', {
      name: 'reason',
      values: streamReasons,
    }),
    stanzas: metrics.counter('sallyport_xmpp_stanzas_total', 'Stanzas that crossed to or from partners.', {
      name: 'direction',
      values: directions,
    }),
    refusedConnections: metrics.counter(
      'sallyport_xmpp_connections_refused_total',
      'Connections beyond a limit.',
    ),
    refusedQuestions: metrics.counter(
      'sallyport_xmpp_dialback_questions_refused_total',
      'Dialback keys that were not asked about, for want of a place.',
    ),
    undeliverable: metrics.counter(
      'sallyport_xmpp_undeliverable_total',
      'Stanzas that no server of the partner took.',
    ),
  };
}
