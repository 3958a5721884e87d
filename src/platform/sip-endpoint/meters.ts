import type { Counter, Metrics } from '#platform/telemetry';
import type { TransactionCounts } from '#protocols/sip';
import {
  type FlowCloseReason,
  flowCloseReasons,
  type MessageDropReason,
  messageDropReasons,
} from './types.ts';

const kinds = ['request', 'response'] as const;
const failures = ['server-timeout', 'server-transport', 'client-timeout', 'client-transport'] as const;

/** The metrics of one endpoint; `name` tells apart the endpoints of one process. */
export interface Meters {
  readonly received: Counter<(typeof kinds)[number]>;
  readonly sent: Counter;
  readonly dropped: Counter<MessageDropReason>;
  readonly closed: Counter<FlowCloseReason>;
  readonly failed: Counter<(typeof failures)[number]>;
}

/** What is asked for when the metrics are read. */
interface Levels {
  flows(): number;
  transactions(): TransactionCounts;
}

export function declareMeters(metrics: Metrics, name: string, levels: Levels): Meters {
  const prefix = `sallyport_${name}`;
  metrics.observe(`${prefix}_flows`, 'SIP connections open', () => levels.flows());
  metrics.observe(`${prefix}_server_transactions`, 'SIP requests in progress', () => {
    return levels.transactions().server;
  });
  metrics.observe(`${prefix}_client_transactions`, 'SIP requests sent and open', () => {
    return levels.transactions().client;
  });
  return {
    received: metrics.counter(`${prefix}_messages_received_total`, 'SIP messages received whole', {
      name: 'kind',
      values: kinds,
    }),
    sent: metrics.counter(`${prefix}_messages_sent_total`, 'SIP messages handed to a connection'),
    dropped: metrics.counter(`${prefix}_messages_dropped_total`, 'SIP messages that went no further', {
      name: 'reason',
      values: messageDropReasons,
    }),
    closed: metrics.counter(`${prefix}_flows_closed_total`, 'SIP connections closed', {
      name: 'reason',
      values: flowCloseReasons,
    }),
    failed: metrics.counter(
      `${prefix}_transactions_failed_total`,
      'SIP transactions without a final response or ACK',
      { name: 'cause', values: failures },
    ),
  };
}

/** Totals that say that something is wrong. */
export interface Troubles {
  /** Requests that nobody answered in time, and connections that nobody read. */
  readonly timedOut: number;
  /** Requests refused for want of room. */
  readonly dropped: number;
}

export function troublesOf({ failed, closed, dropped }: Meters): Troubles {
  return {
    timedOut: failed.value('client-timeout') + closed.value('slow-reader'),
    dropped: dropped.value('transactions-full') + dropped.value('flow-requests-full'),
  };
}
