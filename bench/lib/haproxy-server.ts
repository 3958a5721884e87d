import { readFileSync } from 'node:fs';
import { ADDRESSES, type BenchFolder, NAMES } from './bench-folder.ts';
import { PinnedProcess, SERVER_CORE } from './pinned-process.ts';
import { acceptsTcp } from './ready.ts';

export const HAPROXY = { port: 8443, farPort: 8444 } as const;

/** HAProxy that takes TLS and passes the bytes on by TLS with a verified server, one thread; nothing that the flow does not need. */
export async function startHaproxy(folder: BenchFolder): Promise<PinnedProcess> {
  const pair = ['access.pem', 'access.key'].map((name) => readFileSync(folder.file(name), 'utf8'));
  const certificate = folder.write('haproxy.pem', pair.join('\n'));
  const configuration = folder.write(
    'haproxy.cfg',
    `global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 10s
  timeout client 5m
  timeout server 5m
listen conferencing
  bind ${ADDRESSES.peerServer}:${HAPROXY.port} ssl crt ${certificate} alpn sallyport-psom/1
  server far ${ADDRESSES.nextHop}:${HAPROXY.farPort} ssl verify required ca-file ${folder.file('ca.pem')} verifyhost ${NAMES.nextHop}
`,
  );
  const server = new PinnedProcess({
    title: 'haproxy',
    core: SERVER_CORE,
    command: 'haproxy',
    args: ['-db', '-f', configuration],
    folder: folder.path,
  });
  await server.ready(() => acceptsTcp(ADDRESSES.peerServer, HAPROXY.port));
  return server;
}
