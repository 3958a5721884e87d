import { ADDRESSES, type BenchFolder, NAMES, PORTS, RELAY_SECRET } from './bench-folder.ts';
import { PinnedProcess, SERVER_CORE } from './pinned-process.ts';
import { bindingAnswered } from './ready.ts';

/**
 * coturn for UDP alone, silent.
 * @param relayThreads one for its one core, more beside an edge with as many; with none, its listener's thread relays too
 */
export async function startCoturn(folder: BenchFolder, relayThreads = 1): Promise<PinnedProcess> {
  const server = new PinnedProcess({
    title: 'coturn',
    core: SERVER_CORE,
    command: 'turnserver',
    args: [
      '-n',
      `--listening-ip=${ADDRESSES.peerServer}`,
      `--relay-ip=${ADDRESSES.peerServer}`,
      `--listening-port=${PORTS.turn}`,
      '--min-port=50000',
      '--max-port=59999',
      `--relay-threads=${relayThreads}`,
      '--use-auth-secret',
      `--static-auth-secret=${RELAY_SECRET}`,
      `--realm=${NAMES.domain}`,
      '--allow-loopback-peers',
      '--no-tcp',
      '--no-tls',
      '--no-dtls',
      '--no-cli',
      '--no-rfc5780',
      `--userdb=${folder.file('turndb.sqlite')}`,
      `--pidfile=${folder.file('turn.pid')}`,
      `--log-file=${folder.file('turn.log')}`,
      '--simple-log',
    ],
    folder: folder.path,
  });
  await server.ready(() => bindingAnswered(ADDRESSES.peerServer, PORTS.turn));
  return server;
}
