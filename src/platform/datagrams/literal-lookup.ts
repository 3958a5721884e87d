import { isIP } from 'node:net';

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/**
 * For `createSocket({ lookup })`: node:dgram looks up the destination of every datagram and answers a literal one
 * turn of the event loop later; this answers at once. A name is an error: these sockets never resolve names.
 */
export function literalLookup(host: string, _options: unknown, done: LookupCallback): void {
  const family = isIP(host);
  if (family !== 0) {
    done(null, host, family);
    return;
  }
  const error: NodeJS.ErrnoException = new Error('not an IP literal');
  error.code = 'ENOTFOUND';
  done(error, '', 0);
}
