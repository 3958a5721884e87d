import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Nothing else uses it: whoever holds it may use the addresses and ports of these tests. */
const LOCK = { address: '127.77.0.2', port: 5269, exclusive: true };
const LOOK_MS = 50;
const PATIENCE_MS = 240_000;

/**
 * Waits until no other process runs these tests, and keeps others waiting until this one ends: the ports of XMPP and of
 * name servers are fixed, and test files run side by side.
 */
export async function alone(): Promise<void> {
  const late = Date.now() + PATIENCE_MS;
  for (;;) {
    const socket = createSocket('udp4');
    socket.bind(LOCK);
    try {
      await once(socket, 'listening');
      socket.unref();
      return;
    } catch (problem) {
      socket.close();
      if ((problem as NodeJS.ErrnoException).code !== 'EADDRINUSE' || Date.now() > late) throw problem;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
