import type { Metrics } from '#platform/telemetry';

export function declareMeters(metrics: Metrics) {
  return {
    opened: metrics.counter('sallyport_psom_links_opened_total', 'PSOM links that were opened.'),
    ended: metrics.counter('sallyport_psom_links_ended_total', 'PSOM links that ended.'),
    refused: metrics.counter(
      'sallyport_psom_link_peers_refused_total',
      'Connections of verified peers that are no web conferencing service that the document names.',
    ),
    participants: metrics.counter(
      'sallyport_psom_link_participants_total',
      'Participants that came by a PSOM link.',
    ),
    contents: metrics.counter(
      'sallyport_psom_link_contents_total',
      'Files that were asked for by a PSOM link.',
    ),
  };
}
