import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import type { EdgeTarget } from '#platform/edge-dial';
import { PSOM_LINK_ALPN } from '../index.ts';
import { END_HEADERS, frame, HEADERS, RST_STREAM, SETTINGS } from './frames.ts';
import { anchors, identity } from './link-bench.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const ADDRESS = '127.14.1.240';

/** Each field a literal that is not remembered. */
function request(
  stream: number,
  method: string,
  path: string,
  more: Readonly<Record<string, string>>,
): Buffer {
  const fields = { ':method': method, ':scheme': 'https', ':authority': 'x', ':path': path, ...more };
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const block = Object.entries(fields).flatMap(([name, value]) => [
    Buffer.from([0]),
    text(name),
    text(value),
  ]);
  return frame(HEADERS, END_HEADERS, stream, Buffer.concat(block));
}
export function reset(stream: number): Buffer {
  return frame(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8]));
}
export const hello = (name: string, stream: number): Buffer =>
  request(stream, 'GET', '/hello', {
    'sallyport-edge': name,
    'sallyport-place': 'conf.example.com:443',
    'sallyport-state': 'ready',
  });
export const participant = (stream: number): Buffer =>
  request(stream, 'POST', '/participant', { 'sallyport-remote': '203.0.113.7 40000' });
export const content = (stream: number): Buffer =>
  request(stream, 'GET', `/content/token/${'ab'.repeat(32)}`, {});
export const nothing = (stream: number): Buffer => request(stream, 'GET', '/nothing', {});

/** An edge with a good certificate that writes HTTP/2 frames of its own making; each connection is begun, and given. */
export async function startHostileEdge(
  t: TestContext,
  name: string,
): Promise<{ readonly target: EdgeTarget; readonly linked: Promise<TLSSocket> }> {
  const options = (await identity(name)).secureContextOptions();
  const { pem } = await anchors();
  const server = createServer({
    ...options,
    ca: pem,
    requestCert: true,
    ALPNProtocols: [PSOM_LINK_ALPN],
  });
  const linked = once(server, 'secureConnection').then(([socket]) => {
    const tls = socket as TLSSocket;
    tls.on('error', () => {});
    tls.resume();
    t.after(() => tls.destroy());
    tls.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]));
    return tls;
  });
  server.listen(0, ADDRESS);
  await once(server, 'listening');
  t.after(() => server.close());
  return { target: { name, address: ADDRESS, port: (server.address() as AddressInfo).port }, linked };
}
