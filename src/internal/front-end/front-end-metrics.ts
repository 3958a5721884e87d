import type { Counter, Metrics } from '#platform/telemetry';
import { type ChallengeReason, challengeReasons } from './authentication.ts';
import { notifyOutcomes, type PresenceRefusal, presenceRefusals } from './presence-desk.ts';
import { type RefusalReason, refusalReasons } from './routing.ts';

const destinations = [
  'registrar',
  'provisioning',
  'options',
  'presence',
  'relay-credentials',
  'user',
  'partner',
  'peer',
  'flow',
  'edge',
  'refused',
] as const;

/** What the front end counts. */
export interface FrontEndMetrics {
  readonly requests: Counter<(typeof destinations)[number]>;
  readonly refusals: Counter<RefusalReason>;
  readonly challenges: Counter<ChallengeReason>;
  readonly notified: Counter<(typeof notifyOutcomes)[number]>;
  readonly webSocketRefusals: Counter<'http' | 'origin' | 'silent'>;
  readonly presenceRefused: Counter<PresenceRefusal>;
}

export function frontEndMetrics(metrics: Metrics): FrontEndMetrics {
  return {
    requests: metrics.counter('sallyport_front_end_requests_total', 'Requests by where they went.', {
      name: 'destination',
      values: destinations,
    }),
    refusals: metrics.counter(
      'sallyport_front_end_refusals_total',
      'Requests refused by routing, by reason.',
      {
        name: 'reason',
        values: refusalReasons,
      },
    ),
    notified: metrics.counter(
      'sallyport_front_end_notifications_total',
      'NOTIFY requests sent, by outcome.',
      {
        name: 'outcome',
        values: notifyOutcomes,
      },
    ),
    presenceRefused: metrics.counter(
      'sallyport_front_end_presence_refusals_total',
      'SUBSCRIBE and PUBLISH requests about presence that were refused, by status.',
      { name: 'status', values: presenceRefusals },
    ),
    webSocketRefusals: metrics.counter(
      'sallyport_front_end_websocket_refusals_total',
      'Connections of clients that became no SIP: an HTTP request that was refused, a page of another origin, silence.',
      { name: 'reason', values: ['http', 'origin', 'silent'] },
    ),
    challenges: metrics.counter(
      'sallyport_front_end_challenges_total',
      'Digest challenges sent, by reason.',
      {
        name: 'reason',
        values: challengeReasons,
      },
    ),
  };
}
