import { formatVia, type Via } from './via.ts';

/** Where a message came from. */
export interface Source {
  /** IP address text, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
}

/**
 * The topmost Via of a received request with `received` and `rport` as its receiver must set them
 * (RFC 3261 §18.2.1, RFC 3581 §4); undefined when nothing has to be written. What the sender wrote into these
 * parameters itself is never kept.
 */
export function viaWithSource(via: Via, source: Source): Via | undefined {
  const sameHost = bare(via.host) === source.address.toLowerCase();
  const needed = !sameHost || via.rport !== undefined || via.received !== undefined;
  if (!needed) return undefined;
  const parameters = new Map(via.parameters);
  const asked = parameters.has('rport');
  parameters.delete('received');
  if (!sameHost || asked) parameters.set('received', source.address);
  if (asked) parameters.set('rport', String(source.port));
  const received = parameters.get('received');
  return { ...via, parameters, received, rport: asked ? source.port : undefined };
}

function bare(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

const ASKED = ';rport';
const RECEIVED = /;received(?:[;=]|$)/i;

/**
 * The sender's Via with where its message really came from, as a server writes it that is asked for nothing else
 * (RFC 3261 §18.2.1, RFC 3581 §4); undefined when nothing has to be added.
 */
export function stampedVia(via: Via, source: Source): string | undefined {
  const { written } = via.parameters;
  const told = written === undefined ? via.parameters.has('received') : RECEIVED.test(written);
  if (via.rport === undefined && !told && bare(via.host) === source.address) return undefined;
  const end = written === undefined || told || via.rport !== true ? -1 : endOfAsked(written);
  if (written !== undefined && end >= 0) {
    const port = via.port === undefined ? '' : `:${via.port}`;
    const parameters = `${written.slice(0, end)}=${source.port}${written.slice(end)};received=${source.address}`;
    return `${via.protocol}/${via.transport} ${via.host}${port}${parameters}`;
  }
  const parameters = new Map(via.parameters);
  parameters.set('received', source.address);
  if (via.rport !== undefined) parameters.set('rport', String(source.port));
  return formatVia({ ...via, parameters });
}

/** Behind the name of a parameter rport without a content; -1 when it is written in another way. */
function endOfAsked(written: string): number {
  const at = written.indexOf(ASKED);
  const end = at + ASKED.length;
  return at >= 0 && (end === written.length || written[end] === ';') ? end : -1;
}
