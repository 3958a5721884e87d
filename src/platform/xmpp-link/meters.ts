import type { Metrics } from '#platform/telemetry';

export function declareMeters(metrics: Metrics) {
  const directions = ['in', 'out'] as const;
  return {
    stanzas: metrics.counter(
      'sallyport_xmpp_link_stanzas_total',
      'Stanzas on links between XMPP proxy and XMPP gateway.',
      { name: 'direction', values: directions },
    ),
    opened: metrics.counter('sallyport_xmpp_links_opened_total', 'Links that were opened.'),
    ended: metrics.counter('sallyport_xmpp_links_ended_total', 'Links that ended.'),
    refused: metrics.counter(
      'sallyport_xmpp_link_peers_refused_total',
      'Connections of verified peers that are none of those named.',
    ),
    undeliverable: metrics.counter(
      'sallyport_xmpp_link_undeliverable_total',
      'Stanzas that no link took over.',
    ),
  };
}
