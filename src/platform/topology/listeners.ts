import { endpointText } from './address.ts';
import type { EdgeDocument } from './edge-schema.ts';
import type { Path } from './finding.ts';
import type { InternalDocument } from './internal-schema.ts';
import type { Draft } from './read-document.ts';
import { type ListenerOwner, type ListeningRow, rowServices } from './service-names.ts';

/** One socket to bind. `id` changes exactly when the socket has to change. */
export interface ListenerPlan {
  /** For example `ext-05:tcp:192.0.2.10:443`; unique within a document. */
  id: string;
  /** Port rows that this socket serves; the first one is its own. */
  rows: string[];
  service: ListenerOwner;
  transport: 'tcp' | 'udp';
  address: string;
  port: number;
  interface: 'external' | 'internal' | 'loopback';
}

/** A planned socket and the settings that it comes from. */
export interface TracedListener extends ListenerPlan {
  readonly addressPath: Path;
  readonly portPath: Path;
}

/** Where the sockets of one row come from. */
interface ListenerSource {
  readonly rows: readonly [ListeningRow, ...ListeningRow[]];
  readonly transport: 'tcp' | 'udp';
  readonly interface: ListenerPlan['interface'];
  readonly addresses: Path;
  readonly port: Path;
}

const internal = ['host', 'addresses', 'internal'];
const metrics = ['host', 'administration', 'metrics'];

const administration: ListenerSource = {
  rows: ['more-01'],
  transport: 'tcp',
  interface: 'loopback',
  addresses: [...metrics, 'address'],
  port: [...metrics, 'port'],
};

const edgeSources: readonly ListenerSource[] = [
  {
    rows: ['ext-05'],
    transport: 'tcp',
    interface: 'external',
    addresses: ['host', 'addresses', 'access'],
    port: ['policy', 'ports', 'accessClients'],
  },
  {
    rows: ['ext-14'],
    transport: 'udp',
    interface: 'external',
    addresses: ['host', 'addresses', 'av'],
    port: ['policy', 'ports', 'avUdp'],
  },
  {
    rows: ['int-02'],
    transport: 'tcp',
    interface: 'internal',
    addresses: internal,
    port: ['policy', 'ports', 'accessInternal'],
  },
  {
    rows: ['int-05'],
    transport: 'tcp',
    interface: 'internal',
    addresses: internal,
    port: ['policy', 'ports', 'avAuthentication'],
  },
  {
    rows: ['int-06'],
    transport: 'udp',
    interface: 'internal',
    addresses: internal,
    port: ['policy', 'ports', 'avUdp'],
  },
  administration,
];

const internalSources: readonly ListenerSource[] = [
  {
    rows: ['int-03', 'more-02'],
    transport: 'tcp',
    interface: 'internal',
    addresses: internal,
    port: ['frontEnd', 'port'],
  },
  administration,
];

/** Every socket that the edge binds for `document`, a pure function of it. */
export function edgeListeners(document: EdgeDocument): ListenerPlan[] {
  return plan(edgeSources, document).map(untraced);
}

/** Every socket that the internal program binds. */
export function internalListeners(document: InternalDocument): ListenerPlan[] {
  return plan(internalSources, document).map(untraced);
}

/** As far as a document under check has addresses and ports. */
export function tracedEdgeListeners(draft: Draft<EdgeDocument>): TracedListener[] {
  return plan(edgeSources, draft);
}

export function tracedInternalListeners(draft: Draft<InternalDocument>): TracedListener[] {
  return plan(internalSources, draft);
}

function plan(sources: readonly ListenerSource[], document: unknown): TracedListener[] {
  const listeners: TracedListener[] = [];
  for (const source of sources) {
    const port = valueAt(document, source.port);
    if (typeof port !== 'number') continue;
    const addresses = valueAt(document, source.addresses);
    const list = Array.isArray(addresses) ? addresses.entries() : [[undefined, addresses] as const].values();
    for (const [index, address] of list) {
      if (typeof address !== 'string') continue;
      const addressPath = index === undefined ? source.addresses : [...source.addresses, index];
      listeners.push(listener(source, address, port, addressPath));
    }
  }
  return listeners;
}

function listener(source: ListenerSource, address: string, port: number, addressPath: Path): TracedListener {
  const [row] = source.rows;
  return {
    id: `${row}:${source.transport}:${endpointText(address, port)}`,
    rows: [...source.rows],
    service: rowServices[row],
    transport: source.transport,
    address,
    port,
    interface: source.interface,
    addressPath,
    portPath: source.port,
  };
}

function untraced(listener: TracedListener): ListenerPlan {
  const { addressPath: _, portPath: __, ...rest } = listener;
  return rest;
}

/** The value that a path leads to, or undefined. */
export function valueAt(document: unknown, path: Path): unknown {
  let value: unknown = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
