import { createSocket } from 'node:dgram';
import { connect, isIP, type Socket } from 'node:net';
import { literalLookup } from '#kernel';
import type { Transport } from './exchange.ts';

/** A name server, or anything else at an address. */
export interface ServerPlace {
  /** IP text without zone. */
  readonly address: string;
  readonly port: number;
}

export interface WireUser {
  /** A whole message, without the length that stands before it on TCP; the receiver's to keep. */
  handleMessage(bytes: Buffer): void;
  /** A datagram that did not come from the server. */
  handleStranger(): void;
  /** Nothing more will come. Not called after close. */
  handleFailure(): void;
}

export interface WireRequest {
  readonly transport: Transport;
  readonly server: ServerPlace;
  /** The address that the socket is bound to; of the server's family. */
  readonly localAddress: string;
  readonly bytes: Buffer;
}

/** Sends one question from a new socket with a port that the system chose at random, and listens; returns its end. */
export type Wire = (request: WireRequest, user: WireUser) => () => void;

/** The one that really sends. */
export const networkWire: Wire = (request, user) =>
  request.transport === 'udp' ? askByUdp(request, user) : askByTcp(request, user);

function askByUdp({ server, localAddress, bytes }: WireRequest, user: WireUser): () => void {
  const socket = createSocket({
    type: isIP(server.address) === 6 ? 'udp6' : 'udp4',
    lookup: literalLookup,
  });
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    socket.close();
  };
  socket.on('message', (message, from) => {
    if (!open) return;
    const same = from.port === server.port && from.address === server.address;
    if (same) user.handleMessage(message);
    else user.handleStranger();
  });
  socket.on('error', () => {
    if (!open) return;
    close();
    user.handleFailure();
  });
  socket.bind({ address: localAddress, port: 0, exclusive: true }, () => {
    // Connected: the system itself lets nobody else's datagrams in, and reports a closed port.
    if (open) socket.connect(server.port, server.address, () => open && socket.send(bytes));
  });
  return close;
}

function askByTcp({ server, localAddress, bytes }: WireRequest, user: WireUser): () => void {
  const socket = connect({
    host: server.address,
    port: server.port,
    localAddress,
    lookup: literalLookup,
    autoSelectFamily: false,
  });
  let open = true;
  const close = (): void => {
    open = false;
    socket.destroy();
  };
  const fail = (): void => {
    if (!open) return;
    close();
    user.handleFailure();
  };
  socket.on('error', fail);
  socket.on('close', fail);
  readOneMessage(socket, (message) => open && user.handleMessage(message));
  socket.write(Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]));
  return close;
}

/** The first message of a stream (RFC 1035 §4.2.2); at most 65,537 bytes are ever held. */
function readOneMessage(socket: Socket, done: (message: Buffer) => void): void {
  let held = Buffer.alloc(0);
  const receive = (chunk: Buffer): void => {
    held = Buffer.concat([held, chunk]);
    if (held.length < 2) return;
    const end = 2 + held.readUInt16BE(0);
    if (held.length < end) return;
    socket.off('data', receive);
    socket.pause();
    done(held.subarray(2, end));
  };
  socket.on('data', receive);
}
