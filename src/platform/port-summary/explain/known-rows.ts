import {
  type PlannedRow,
  type PortRange,
  type PortSource,
  type RowDefinition,
  rowDefinitions,
  settings,
} from '#platform/topology';
import { overlap } from '../ports.ts';
import type { Query } from './query.ts';

/** A row with its ports, those of a document or the usual ones. */
export interface KnownRow extends Omit<RowDefinition, 'port' | 'sourcePort' | 'feature' | 'peers'> {
  readonly ports: readonly PortRange[];
  readonly sourcePorts: readonly PortRange[];
}

/** Every row on the ports that it has unless a document says otherwise. */
export function usualRows(): KnownRow[] {
  const usual = new Map(
    settings('edge').map((setting) => [setting.name, setting.default ?? setting.example]),
  );
  const number = (name: string): number[] => {
    const value = usual.get(name);
    return typeof value === 'number' ? [value] : [];
  };
  const portsOf = (source: PortSource): readonly PortRange[] => {
    if ('ranges' in source) return source.ranges;
    if ('setting' in source) {
      return number(source.setting.join('.')).map((port) => rangeOf(port + (source.plus ?? 0)));
    }
    const [first] = number('policy.relay.ports.first');
    const [last] = number('policy.relay.ports.last');
    return first === undefined || last === undefined ? [] : [{ first, last }];
  };
  return rowDefinitions.map(({ port, sourcePort, feature: _, peers: __, ...row }) => ({
    ...row,
    ports: portsOf(port),
    sourcePorts: sourcePort === undefined ? [] : portsOf(sourcePort),
  }));
}

/** A row on the ports that a document gives it. */
export function plannedRow({ flows, ...row }: PlannedRow): KnownRow {
  return {
    ...row,
    ports: distinct(flows.flatMap(({ ports }) => ports)),
    sourcePorts: distinct(flows.flatMap(({ sourcePorts }) => sourcePorts ?? [])),
  };
}

function rangeOf(port: number): PortRange {
  return { first: port, last: port };
}

function distinct(ranges: readonly PortRange[]): PortRange[] {
  return [...new Map(ranges.map((range) => [`${range.first}-${range.last}`, range])).values()];
}

/**
 * The ports that a row is known by. Where the edge chooses the source port, the wide range of ports that its peers may
 * have tells nothing.
 */
export function tellingPorts({ ports, sourcePorts }: KnownRow): PortRange[] {
  if (sourcePorts.length === 0) return [...ports];
  return distinct([...sourcePorts, ...ports.filter(({ first, last }) => first === last)]);
}

/** The rows that a question about a port is about. */
export function rowsWith(
  rows: readonly KnownRow[],
  { range, transport }: Extract<Query, { kind: 'port' }>,
): KnownRow[] {
  return rows.filter(
    (row) =>
      (transport === undefined || row.transport === transport) &&
      tellingPorts(row).some((port) => overlap(port, range)),
  );
}
