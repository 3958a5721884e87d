import type { Endpoint } from '#platform/net';
import { formatVia, type Via } from '#protocols/sip';

/**
 * The sender's Via with where its message really came from (RFC 3261 §18.2.1, RFC 3581 §4); undefined when nothing
 * has to be added.
 */
export function stampedVia(via: Via, remote: Endpoint): string | undefined {
  const asked = via.parameters.has('rport');
  if (!asked && hostAddress(via.host) === remote.address && !via.parameters.has('received')) return undefined;
  const parameters = new Map(via.parameters);
  parameters.set('received', remote.address);
  if (asked) parameters.set('rport', String(remote.port));
  return formatVia({ ...via, parameters });
}

function hostAddress(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}
