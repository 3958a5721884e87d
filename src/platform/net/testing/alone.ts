import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Nothing else uses it. */
const ADDRESS = '127.77.0.2';
const LOOK_MS = 50;
const PATIENCE_MS = 240_000;

/**
 * Waits until no other process runs tests that need this port, and keeps others waiting until this one ends: ports such as
 * those of federation are fixed, and test files run side by side.
 */
export async function alone(port: number): Promise<void> {
  const late = Date.now() + PATIENCE_MS;
  for (;;) {
    const socket = createSocket('udp4');
    socket.bind({ address: ADDRESS, port, exclusive: true });
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
