import { type DatagramCounters, type DatagramError, datagramErrors } from '#platform/datagrams';
import type { Counter, Metrics } from '#platform/telemetry';
import { ErrorCode, MsErrorCode } from '#protocols/stun';
import {
  type AllocationEnd,
  allocationEnds,
  type ClientTransport,
  clientTransports,
  type Face,
  type TurnDrop,
  type TurnRelay,
  turnDrops,
} from '#protocols/turn';
import { type StreamFault, streamFaults } from './stream-client.ts';

const faces: readonly Face[] = ['external', 'internal'];
type Direction = 'to-peers' | 'to-clients' | 'switched';
const directions: readonly Direction[] = ['to-peers', 'to-clients', 'switched'];
/** Where a socket stands: a listener that clients reach, or a relayed transport address. */
export type Side = 'clients' | 'peers';
const sides: readonly Side[] = ['clients', 'peers'];
const errorCodes: readonly string[] = [
  ...new Set([...Object.values(ErrorCode), ...Object.values(MsErrorCode)].map(String)),
];

export interface Meters {
  readonly opened: Counter<Face>;
  readonly openedOver: Counter<ClientTransport>;
  readonly streams: Counter<ClientTransport>;
  readonly streamFaults: Counter<StreamFault>;
  readonly paced: Counter;
  readonly closed: Counter<AllocationEnd>;
  readonly drops: Counter<TurnDrop>;
  readonly refusals: Counter<string>;
  readonly packets: Counter<Direction>;
  readonly bytes: Counter<'to-peers' | 'to-clients'>;
  readonly queueFull: Counter<Side>;
  readonly unread: Counter<Side>;
  readonly datagramErrors: Counter<DatagramError>;
}

export function declareMeters(metrics: Metrics): Meters {
  const counter = <const Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
  ): Counter<Value> => metrics.counter(`sallyport_av_${name}_total`, help, { name: label, values });
  return {
    opened: counter('allocations_opened', 'Allocations made, by interface.', 'face', faces),
    openedOver: counter(
      'allocations_opened_over',
      'Allocations made, by how the client came.',
      'transport',
      clientTransports,
    ),
    streams: counter(
      'streams_opened',
      'Connections of clients, by what they turned out to speak.',
      'transport',
      clientTransports,
    ),
    paced: metrics.counter('sallyport_av_paced_total', 'Times that a client of a stream was made to wait.'),
    streamFaults: counter(
      'stream_faults',
      'Connections of clients that we closed, by reason.',
      'reason',
      streamFaults,
    ),
    closed: counter('allocations_closed', 'Allocations ended, by cause.', 'cause', allocationEnds),
    drops: counter('drops', 'Datagrams ignored, by reason.', 'reason', turnDrops),
    refusals: counter('refusals', 'Requests answered with an error, by code.', 'code', errorCodes),
    packets: counter('relayed_packets', 'Datagrams of application data relayed.', 'direction', directions),
    bytes: counter('relayed_bytes', 'Octets of application data relayed.', 'direction', [
      'to-peers',
      'to-clients',
    ]),
    queueFull: counter('queue_full', 'Datagrams dropped at a full send queue.', 'side', sides),
    unread: counter('unread', 'Datagrams of threads dropped since the service was too busy.', 'side', sides),
    datagramErrors: counter('datagram_errors', 'Errors that the network reported.', 'error', datagramErrors),
  };
}

/** Moves totals that others keep into counters, by what they grew since it looked last. */
export class TotalsPublisher {
  readonly #seen = new Map<string, number>();

  /** `add` gets the growth since the last call with this key, when there is any. */
  publish(key: string, total: number, add: (growth: number) => void): void {
    const growth = total - (this.#seen.get(key) ?? 0);
    if (growth <= 0) return;
    this.#seen.set(key, total);
    add(growth);
  }
}

export function publishRelay(publisher: TotalsPublisher, meters: Meters, relay: TurnRelay): void {
  const { counters, refusals } = relay;
  publisher.publish('sent', counters.sentPackets, (by) => meters.packets.inc('to-peers', by));
  publisher.publish('received', counters.receivedPackets, (by) => meters.packets.inc('to-clients', by));
  publisher.publish('switched', counters.switchedPackets, (by) => meters.packets.inc('switched', by));
  publisher.publish('sent-bytes', counters.sentBytes, (by) => meters.bytes.inc('to-peers', by));
  publisher.publish('received-bytes', counters.receivedBytes, (by) => meters.bytes.inc('to-clients', by));
  for (const [code, total] of refusals) {
    publisher.publish(`refusal-${code}`, total, (by) => meters.refusals.inc(String(code), by));
  }
}

export function publishDatagrams(
  publisher: TotalsPublisher,
  meters: Meters,
  side: Side,
  counters: DatagramCounters,
): void {
  publisher.publish(`${side}-unread`, counters.unread, (by) => meters.unread.inc(side, by));
  publisher.publish(`${side}-full`, counters.queueFull, (by) => meters.queueFull.inc(side, by));
  for (const error of datagramErrors) {
    publisher.publish(`${side}-${error}`, counters.errors[error], (by) =>
      meters.datagramErrors.inc(error, by),
    );
  }
}
