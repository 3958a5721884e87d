import { readFileSync } from 'node:fs';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { literalLookup, SeededRandom } from '#kernel';
import type { KeyPairFiles } from '#platform/topology';

/** A stream listener that garbage is thrown at. */
export interface Target {
  readonly name: string;
  readonly place: NetConnectOpts;
  /** What it speaks. HTTP is spoken in the clear, SIP over TLS. */
  readonly speaks: 'sip' | 'http';
  /** What has to be shown in the TLS handshake. */
  readonly identity?: KeyPairFiles;
}

/** How a connection ended: closed by the other side, or answered with an error. */
export type End = 'closed' | 'error-answered';

const random = new SeededRandom(2013);
const MEGABYTE = 1 << 20;
/** An error of HTTP or SIP. */
const ERROR = /^(HTTP\/1\.1|SIP\/2\.0) [45]\d\d /;
/** A TLS record with the beginning of a ClientHello that claims 512 octets (RFC 8446 §4.1.2). */
const HELLO = Buffer.concat([
  Buffer.from('160301020001 0001fc0303'.replace(' ', ''), 'hex'),
  Buffer.alloc(502, 7),
]);
const HTTP = Buffer.from('GET /garbage HTTP/1.1\r\nHost: edge\r\n\r\n');
const LONG_HEADER = Buffer.concat([
  Buffer.from('OPTIONS sip:lab.test SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKx\r\nSubject: '),
  Buffer.alloc(MEGABYTE, 'a'),
]);
const LONG_HTTP_HEADER = Buffer.concat([
  Buffer.from('GET / HTTP/1.1\r\nX-Long: '),
  Buffer.alloc(MEGABYTE, 'a'),
]);

export function randomBytes(most: number): Buffer {
  return Buffer.from(random.bytes(1 + random.integer(most)));
}

/** What is sent on a new connection, and that it is answered with an error or with the end of the connection. */
export const garbage: Readonly<Record<string, (target: Target) => Promise<End>>> = {
  'random bytes': (target) => clear(target, randomBytes(4096)),
  'an HTTP request': (target) => clear(target, HTTP),
  'a TLS hello': (target) => (target.speaks === 'http' ? clear(target, HELLO) : insideTls(target, HELLO)),
  'a header of 1 MB': (target) => {
    return target.speaks === 'http' ? clear(target, LONG_HTTP_HEADER) : insideTls(target, LONG_HEADER);
  },
  'a header of 1 MB in the clear': (target) => clear(target, LONG_HEADER),
  'random bytes where a message is expected': (target) => {
    return target.speaks === 'http' ? clear(target, randomBytes(4096)) : insideTls(target, randomBytes(4096));
  },
  'half of a connection': (target) => halfClosed(target),
};
/** The same, for what only time brings to an end. */
export const silences: Readonly<Record<string, (target: Target) => Promise<End>>> = {
  'one byte and silence': (target) =>
    clear(target, Buffer.from(target.speaks === 'http' ? 'G' : '\x16', 'latin1')),
  'half a hello and silence': (target) =>
    clear(target, target.speaks === 'http' ? HTTP.subarray(0, 9) : HELLO.subarray(0, 300)),
  'half a message and silence': (target) => {
    const half = LONG_HEADER.subarray(0, 60);
    return target.speaks === 'http' ? clear(target, HTTP.subarray(0, 20)) : insideTls(target, half);
  },
};

/** Connections that say nothing, all at once; gives those that are still open. */
export async function openSilently(target: Target, count: number): Promise<Socket[]> {
  const sockets = await Promise.all(
    Array.from({ length: count }, () => {
      return new Promise<Socket>((resolve) => {
        const socket = connect({ ...target.place, lookup: literalLookup });
        socket.once('connect', () => resolve(socket)).once('close', () => resolve(socket));
        socket.on('error', () => {});
        socket.resume();
      });
    }),
  );
  return sockets.filter((socket) => !socket.destroyed);
}

function clear(target: Target, bytes: Buffer): Promise<End> {
  const socket = connect({ ...target.place, lookup: literalLookup });
  const end = endOf(socket);
  socket.write(bytes);
  return end;
}

function insideTls(target: Target, bytes: Buffer): Promise<End> {
  const { identity } = target;
  const options: ConnectionOptions = {
    ...target.place,
    lookup: literalLookup,
    // Whom it meets does not matter here.
    rejectUnauthorized: false,
    ...(identity && { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) }),
  };
  const socket = connectTls(options, () => socket.write(bytes));
  return endOf(socket);
}

function halfClosed(target: Target): Promise<End> {
  const socket = connect({ ...target.place, lookup: literalLookup, allowHalfOpen: true }, () => socket.end());
  return endOf(socket);
}

function endOf(socket: Socket): Promise<End> {
  return new Promise((resolve) => {
    const finish = (end: End) => {
      socket.destroy();
      resolve(end);
    };
    socket.on('error', () => {});
    socket.on('end', () => finish('closed'));
    socket.on('close', () => finish('closed'));
    socket.on('data', (chunk: Buffer) => {
      if (ERROR.test(chunk.toString('latin1', 0, 20))) finish('error-answered');
    });
  });
}
