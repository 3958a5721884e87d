import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { err, failure, literalLookup, ok, type Result, SystemClock } from '#kernel';

/** `ms` in front: in the dialect that the original spoke; its disguise of a stream is `pseudo-tls`. */
export const probeTransports = ['udp', 'tcp', 'tls', 'ms-udp', 'pseudo-tls'] as const;
export type ProbeTransport = (typeof probeTransports)[number];

export interface ProbeTarget {
  readonly transport: ProbeTransport;
  readonly address: string;
  readonly port: number;
  /** What its certificate has to name. */
  readonly name: string;
  readonly username: string;
  readonly password: string;
}

/** Longest wait for one answer, milliseconds. */
export const PATIENCE_MS = 5_000;
export const clock = new SystemClock();

/** How bytes reach the relay, and how the way is left. */
export interface Wire {
  /** A copy is made. */
  send(bytes: Uint8Array): void;
  close(): void;
}

export function whereIs({ transport, address, port }: ProbeTarget): string {
  return `${transport.toUpperCase()} ${address} port ${port}`;
}

/** Opens the way: a socket, or a connection, with TLS and the name in the certificate checked where it is TLS. */
export function openWire(target: ProbeTarget, receive: (bytes: Buffer) => void): Promise<Result<Wire>> {
  const { transport } = target;
  return transport === 'udp' || transport === 'ms-udp'
    ? openUdp(target, receive)
    : openStream(target, receive);
}

async function openUdp(
  { address, port }: ProbeTarget,
  receive: (bytes: Buffer) => void,
): Promise<Result<Wire>> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: literalLookup });
  socket.on('error', () => {});
  socket.on('message', receive);
  // The edge's own address of that interface: no other may be on this host for sure.
  // Heard of before it is bound: with a lookup that answers at once it listens as soon as that.
  const bound = Promise.race([once(socket, 'listening'), once(socket, 'close')]);
  socket.bind(0, address);
  await bound;
  return ok({
    send: (bytes) => socket.send(Buffer.from(bytes), port, address),
    close: () => socket.close(),
  });
}

async function openStream(target: ProbeTarget, receive: (bytes: Buffer) => void): Promise<Result<Wire>> {
  const { address, port, transport, name } = target;
  const where = whereIs(target);
  const plain = connectTcp({ host: address, port, localAddress: address, lookup: literalLookup });
  const opened = await outcome(plain, 'connect');
  if (opened !== undefined) return err(failure('SLP-AV-0403', `${where}: ${opened}`));
  const stream = transport === 'tls' ? secure(plain, name) : plain;
  if (stream !== plain) {
    const handshake = await outcome(stream, 'secureConnect');
    if (handshake !== undefined) return err(failure('SLP-AV-0403', `${where}: ${handshake}`));
    const wrong = checkServerIdentity(name, (stream as TLSSocket).getPeerCertificate());
    if (wrong !== undefined) return err(failure('SLP-AV-0404', `${where}: ${wrong.message}`));
  }
  stream.on('error', () => {});
  stream.on('data', receive);
  return ok({ send: (bytes) => void stream.write(Buffer.from(bytes)), close: () => void stream.destroy() });
}

/** The chain is not what is tested here: the name is, below. */
function secure(socket: Socket, name: string): TLSSocket {
  return connectTls({ socket, servername: name, ALPNProtocols: ['stun.turn'], rejectUnauthorized: false });
}

/** Waits for the event; what went wrong instead. */
async function outcome(socket: Socket, event: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const cancel = clock.after(PATIENCE_MS, () => finish('no answer'));
    const finish = (problem?: string) => {
      cancel();
      if (problem !== undefined) socket.destroy();
      resolve(problem);
    };
    socket.once(event, () => finish());
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.once('close', () => finish('it was closed'));
  });
}

/** Waits for what others bring about, and keeps a client's retransmissions going meanwhile. */
export class Patience {
  readonly #each: () => void;
  #wake: () => void = () => {};

  /** @param each called again and again while somebody waits */
  constructor(each: () => void) {
    this.#each = each;
  }
  /** Something has come about. */
  wake(): void {
    this.#wake();
  }
  /** The first value that is found before the patience ends. */
  async until<T>(find: () => T | undefined): Promise<T | undefined> {
    const end = clock.now() + PATIENCE_MS;
    for (let found = find(); ; found = find()) {
      const left = end - clock.now();
      if (found !== undefined || left <= 0) return found;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(Math.min(left, 500), resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#each();
    }
  }
}
