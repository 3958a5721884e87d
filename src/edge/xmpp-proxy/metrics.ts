import type { Metrics } from '#platform/telemetry';
import { refusals } from './policy/refusals.ts';

export type ProxyMetrics = ReturnType<typeof proxyMetrics>;

export function proxyMetrics(metrics: Metrics) {
  return {
    refusedFromPartners: metrics.counter(
      'sallyport_xmpp_proxy_refused_from_partners_total',
      'Stanzas of partners that went no further, by reason.',
      { name: 'reason', values: refusals },
    ),
    refusedFromGateways: metrics.counter(
      'sallyport_xmpp_proxy_refused_from_gateways_total',
      'Stanzas of gateways that reached no partner, by reason.',
      { name: 'reason', values: refusals },
    ),
    passed: metrics.counter(
      'sallyport_xmpp_proxy_passed_total',
      'Stanzas that the next one has taken over.',
      { name: 'direction', values: ['inward', 'outward'] },
    ),
    answered: metrics.counter(
      'sallyport_xmpp_proxy_answered_total',
      'IQ requests of partners that the edge answered itself.',
    ),
  };
}
