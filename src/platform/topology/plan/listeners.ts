import { endpointText } from '../address.ts';
import type { Draft } from '../document/read-document.ts';
import type { Path } from '../finding.ts';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import type { InternalDocument } from '../schema/internal-schema.ts';
import { valueAt } from '../value-at.ts';
import { featureState } from './features.ts';
import { rowDefinitions } from './rows/index.ts';
import type { RowDefinition, SettingPort } from './rows/row-definition.ts';
import type { ListenerOwner, PlannedService } from './service-names.ts';

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
export interface TracedListener extends Omit<ListenerPlan, 'service'> {
  readonly service: PlannedService;
  readonly addressPath: Path;
  readonly portPath: Path;
}

/** Where the sockets of one row come from. */
interface ListenerSource {
  readonly rows: readonly [string, ...string[]];
  readonly service: PlannedService;
  readonly transport: 'tcp' | 'udp';
  readonly interface: ListenerPlan['interface'];
  readonly addresses: Path;
  readonly port: Path;
  readonly plus?: number | undefined;
  /** A setting without which there is no such socket. */
  readonly needs?: Path;
}

const administration = { addresses: ['host', 'administration', 'metrics', 'address'] };
const metricsPort = ['host', 'administration', 'metrics', 'port'];

/** Internal clients come to the front end where the edge does. */
const internalSources: readonly ListenerSource[] = [
  {
    rows: ['int-03', 'more-02'],
    service: 'front-end',
    transport: 'tcp',
    interface: 'internal',
    addresses: ['host', 'addresses', 'internal'],
    port: ['frontEnd', 'port'],
  },
  // Of pages: browsers refuse SIP's own ports, and a WebSocket whose server asks for a certificate.
  {
    rows: ['more-02'],
    service: 'front-end',
    transport: 'tcp',
    interface: 'internal',
    addresses: ['host', 'addresses', 'internal'],
    port: ['frontEnd', 'webSocket', 'port'],
    needs: ['frontEnd', 'webSocket', 'enabled'],
  },
  {
    rows: ['more-12'],
    service: 'web-conferencing-service',
    transport: 'tcp',
    interface: 'internal',
    addresses: ['host', 'addresses', 'internal'],
    port: ['webConferencing', 'port'],
    needs: ['webConferencing', 'domain'],
  },
  {
    rows: ['more-01'],
    service: 'supervisor',
    transport: 'tcp',
    interface: 'loopback',
    ...administration,
    port: metricsPort,
  },
];

/** Every socket that the edge binds for `document`, a pure function of it. */
export function edgeListeners(document: EdgeDocument): ListenerPlan[] {
  const ours = edgeRows(document).filter((row) => row.service !== 'host');
  return merged(plan(ours.map(sourceOf), document)).map(untraced);
}

/** Every socket that the internal program binds. */
export function internalListeners(document: InternalDocument): ListenerPlan[] {
  return plan(internalSources, document).map(untraced);
}

/**
 * Every socket that the rows of a document under check ask for, those of services to come and of the host's own too, as
 * far as it has addresses and ports.
 */
export function tracedEdgeListeners(draft: Draft<EdgeDocument>): TracedListener[] {
  return plan(edgeRows(draft).map(sourceOf), draft);
}

export function tracedInternalListeners(draft: Draft<InternalDocument>): TracedListener[] {
  return plan(internalSources, draft);
}

type ListeningRow = RowDefinition & { readonly port: SettingPort };

/** The rows that are on and for which a program of this host listens, each flow once. */
function edgeRows(document: Draft<EdgeDocument>): ListeningRow[] {
  return rowDefinitions.filter((row): row is ListeningRow => {
    const here = row.service !== 'reverse-proxy';
    const listens = row.direction === 'inbound' && 'setting' in row.port && row.sameAs === undefined;
    return listens && here && featureState(row.feature, document).on;
  });
}

function sourceOf(row: ListeningRow): ListenerSource {
  const { port, id, service, transport, interface: side, edge } = row;
  const rest = {
    rows: [id],
    service,
    transport,
    interface: side,
    port: port.setting,
    plus: port.plus,
  } as const;
  return edge === 'loopback'
    ? { ...rest, ...administration }
    : { ...rest, addresses: ['host', 'addresses', edge] };
}

function plan(sources: readonly ListenerSource[], document: unknown): TracedListener[] {
  const listeners: TracedListener[] = [];
  for (const source of sources) {
    const port = valueAt(document, source.port);
    const needed = source.needs === undefined ? true : valueAt(document, source.needs);
    const off = needed === undefined || needed === false;
    if (typeof port !== 'number' || off) continue;
    const addresses = valueAt(document, source.addresses);
    const list = Array.isArray(addresses) ? addresses.entries() : [[undefined, addresses] as const].values();
    for (const [index, address] of list) {
      if (typeof address !== 'string') continue;
      const addressPath = index === undefined ? source.addresses : [...source.addresses, index];
      listeners.push(listener(source, address, port + (source.plus ?? 0), addressPath));
    }
  }
  return listeners;
}

/** Rows of one service on the same address and port share the socket. */
function merged(listeners: readonly TracedListener[]): TracedListener[] {
  const sockets = new Map<string, TracedListener>();
  for (const listener of listeners) {
    const { transport, address, port } = listener;
    const socket = `${transport}:${endpointText(address, port)}`;
    const first = sockets.get(socket);
    if (first === undefined) sockets.set(socket, listener);
    else first.rows.push(...listener.rows);
  }
  return [...sockets.values()];
}

function listener(source: ListenerSource, address: string, port: number, addressPath: Path): TracedListener {
  return {
    id: `${source.rows[0]}:${source.transport}:${endpointText(address, port)}`,
    rows: [...source.rows],
    service: source.service,
    transport: source.transport,
    address,
    port,
    interface: source.interface,
    addressPath,
    portPath: source.port,
  };
}

function untraced({ addressPath: _, portPath: __, service, ...rest }: TracedListener): ListenerPlan {
  return { ...rest, service: service as ListenerOwner };
}
