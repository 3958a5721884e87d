/**
 * Run in a network namespace: one packet or connection, and what came of it.
 *   answer PORT...                                     answers TCP and UDP on these ports of every address, until its input ends
 *   tcp|udp USER SOURCE SOURCE-PORT DESTINATION PORT   prints open, refused or silent; for UDP the source as it was seen
 */
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Long enough for an answer on a cable between namespaces, short enough for tests of silence. */
const PATIENCE_MS = 700;

const [verb = '', ...words] = process.argv.slice(2);
if (verb === 'answer') await answer(words.map(Number));
else console.log(await probe(words));

async function answer(ports: readonly number[]): Promise<void> {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const usable = own.filter(({ address }) => !address.startsWith('fe80:'));
  await Promise.all(
    ports.flatMap((port) => [answerTcp(port), ...usable.map(({ address }) => answerUdp(address, port))]),
  );
  process.stdin.resume().on('end', () => process.exit());
  console.log('ready');
}

function answerTcp(port: number): Promise<void> {
  return new Promise((resolve) => createServer((socket) => socket.end()).listen(port, '::', resolve));
}

/** Each address has its own socket, so that answers come from the address that was asked. */
function answerUdp(address: string, port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (_, from) => socket.send(`${from.address} ${from.port}`, from.port, from.address));
    socket.bind(port, address, resolve);
  });
}

function probe([
  user = 'root',
  source = '',
  sourcePort = '0',
  destination = '',
  port = '0',
]: string[]): Promise<string> {
  if (user !== 'root') process.setuid?.(user);
  const local = { address: source, port: Number(sourcePort) };
  const remote = { address: destination, port: Number(port) };
  return Promise.race([
    verb === 'tcp' ? tcp(local, remote) : udp(local, remote),
    new Promise<string>((resolve) => setTimeout(resolve, PATIENCE_MS, 'silent')),
  ]).finally(() => setImmediate(() => process.exit()));
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

function tcp(local: Endpoint, remote: Endpoint): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: remote.address,
      port: remote.port,
      localAddress: local.address,
      localPort: local.port,
    });
    socket.on('connect', () => resolve('open'));
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNREFUSED' ? 'refused' : `${code}`),
    );
  });
}

function udp(local: Endpoint, remote: Endpoint): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(remote.address.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (text) => resolve(text.toString()));
    // A refusal by the firewall of the host is told by the system call, one by a peer with the next one.
    socket.on('error', () => resolve('refused'));
    socket.bind(local.port, local.address, () => {
      socket.connect(remote.port, remote.address, () =>
        socket.send('?', (error) => error && resolve('refused')),
      );
    });
  });
}
