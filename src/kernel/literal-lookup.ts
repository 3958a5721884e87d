type Told = (error: (Error & { code?: string }) | null, address: string, family: number) => void;

/**
 * For the option `lookup` of whatever opens a socket of Node: who connects with it connects to addresses, never to names,
 * which this product resolves by itself and not by the C library. A name is an error.
 *
 * node:dgram asks it for the destination of every datagram, and answers a literal one turn of the event loop later by itself;
 * this answers at once, so that a socket listens before `bind` returns. Others ask it only for what they take for a name.
 */
export function literalLookup(host: string, _options: unknown, done: Told): void {
  // No host name has a colon, and no top-level domain is a number.
  const family = host.includes(':') ? 6 : IPV4.test(host) ? 4 : 0;
  if (family !== 0) {
    done(null, host, family);
    return;
  }
  done(Object.assign(new Error('not an IP literal'), { code: 'ENOTFOUND' }), '', 0);
}
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
