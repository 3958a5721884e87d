import type { Counter, Metrics } from '#platform/telemetry';

export const directions = ['to-sip', 'to-xmpp'] as const;

/** What may have to be told once more, and to whom: see retelling.ts. */
export const owedKinds = ['state', 'question', 'refusal'] as const;
export type OwedKind = (typeof owedKinds)[number];

/** Why something was not passed on. */
export const refusals = [
  /** A partner of type public-unverified, and the user has not invited the sender. */
  'not-invited',
  'foreign-domain',
  'address',
  /** Neither message nor presence. */
  'not-supported',
  'media-type',
  'too-large',
  'limit',
  /** From another address than the one that the exchange is with. */
  'not-of-dialog',
  /** It may have arrived, and nobody can say: it is not passed on a second time. */
  'delivery-unknown',
] as const;
export type Refusal = (typeof refusals)[number];

export const outcomes = [
  'delivered',
  'accepted',
  'refused',
  'unreachable',
  /** Nobody knows whether it arrived; its sender was told so. */
  'unknown',
  /** The other side said no after the message had been accepted. */
  'failed-later',
] as const;
export type Outcome = (typeof outcomes)[number];

export interface GatewayMetrics {
  readonly stanzas: Counter<'message' | 'presence' | 'iq'>;
  readonly toSip: Counter<Outcome>;
  readonly toXmpp: Counter<Outcome>;
  readonly refused: Counter<Refusal>;
  readonly duplicates: Counter;
  readonly notifications: Counter<(typeof directions)[number]>;
  readonly undelivered: Counter;
  readonly retold: Counter<OwedKind>;
}

export function gatewayMetrics(metrics: Metrics): GatewayMetrics {
  const name = 'sallyport_xmpp_gateway';
  return {
    stanzas: metrics.counter(`${name}_stanzas_total`, 'Stanzas of partners', {
      name: 'kind',
      values: ['message', 'presence', 'iq'],
    }),
    toSip: metrics.counter(`${name}_messages_to_sip_total`, 'Messages of partners, by what became of them', {
      name: 'outcome',
      values: outcomes,
    }),
    toXmpp: metrics.counter(
      `${name}_messages_to_xmpp_total`,
      'Messages to partners, by what became of them',
      {
        name: 'outcome',
        values: outcomes,
      },
    ),
    refused: metrics.counter(`${name}_refused_total`, 'What was not passed on, by its reason', {
      name: 'reason',
      values: refusals,
    }),
    duplicates: metrics.counter(`${name}_duplicates_total`, 'Stanzas that came a second time'),
    notifications: metrics.counter(`${name}_notifications_total`, 'Presence that was passed on', {
      name: 'direction',
      values: directions,
    }),
    undelivered: metrics.counter(
      `${name}_presence_undelivered_total`,
      'Presence that came back because its partner could not be reached',
    ),
    retold: metrics.counter(
      `${name}_presence_retold_total`,
      'Presence that partners may have missed, said again',
      {
        name: 'kind',
        values: owedKinds,
      },
    ),
  };
}
