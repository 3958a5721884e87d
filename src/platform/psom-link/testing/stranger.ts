import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import type { EdgeTarget } from '#platform/edge-dial';
import { PSOM_LINK_ALPN } from '../index.ts';
import { identity, SERVICE } from './link-bench.ts';

/** The service's certificate in the hands of something that speaks no HTTP/2. */
export async function startStranger(t: TestContext, { address, port }: EdgeTarget): Promise<TLSSocket> {
  const socket = connect({
    host: address,
    port,
    ALPNProtocols: [PSOM_LINK_ALPN],
    rejectUnauthorized: false,
    secureContext: createSecureContext((await identity(SERVICE)).secureContextOptions()),
  });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  socket.resume();
  return socket;
}
