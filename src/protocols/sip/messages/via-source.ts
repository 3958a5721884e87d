import type { Via } from './via.ts';

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
