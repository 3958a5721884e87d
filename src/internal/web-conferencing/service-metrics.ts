import type { CloseReason } from '#platform/net';
import type { Counter, Metrics } from '#platform/telemetry';
import type { JoinKind, JoinRefusal } from '#protocols/psom';

const refusals = [
  ...['version', 'token', 'expired', 'used', 'no-service', 'locked', 'removed', 'ended', 'full', 'slow-down'],
] as const satisfies readonly string[];
const contents = ['served', 'not-allowed', 'not-found', 'busy'] as const;
const endings = [
  ...['peer-closed', 'local', 'reset', 'tls-error', 'slow-reader', 'idle', 'timeout', 'protocol', 'limit'],
  ...['policy', 'shutdown'],
];

export interface ServiceMetrics {
  readonly joins: Counter<JoinKind>;
  readonly refusedJoins: Counter<JoinRefusal>;
  readonly ended: Counter<CloseReason>;
  readonly contents: Counter<(typeof contents)[number]>;
  readonly unwritten: Counter;
  readonly swept: Counter;
}

export function serviceMetrics(metrics: Metrics): ServiceMetrics {
  const name = 'sallyport_web_conferencing';
  return {
    joins: metrics.counter(`${name}_joins_total`, 'Connections of participants, by what they showed', {
      name: 'show',
      values: ['conference', 'resume'],
    }),
    refusedJoins: metrics.counter(`${name}_joins_refused_total`, 'Joins that were refused, by reason', {
      name: 'reason',
      values: refusals,
    }) as Counter<JoinRefusal>,
    ended: metrics.counter(`${name}_connections_ended_total`, 'Connections of participants that ended', {
      name: 'reason',
      values: endings,
    }) as Counter<CloseReason>,
    contents: metrics.counter(`${name}_files_total`, 'Files that were asked for, by what became of it', {
      name: 'outcome',
      values: contents,
    }),
    unwritten: metrics.counter(
      `${name}_unwritten_total`,
      'Times that what happened in meetings could not be written to the disk',
    ),
    swept: metrics.counter(`${name}_files_swept_total`, 'Files that no meeting named any more'),
  };
}
