import { readFileSync } from 'node:fs';
import type { TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { literalLookup, SystemClock } from '#kernel';
import { type SipResponse, SipStreamFramer, sipLimits } from '#protocols/sip';
import type { Perimeter } from '../testing/perimeter.ts';
import { until } from './until.ts';

const clock = new SystemClock();
let serial = 0;

export interface RawSipOptions {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  /** What the certificate must hold. */
  readonly name: string;
  /** Key pair to show; none by default. */
  readonly identity?: { readonly certificate: string; readonly key: string };
}

/** A TLS connection that sends whatever it is told to, and keeps what comes back as messages. */
export class RawSip {
  readonly socket: TLSSocket;
  readonly responses: SipResponse[] = [];
  closed = false;
  readonly #framer = new SipStreamFramer(
    { ...sipLimits, messageBytes: 1 << 20, headerLineBytes: 1 << 16 },
    'asks',
  );

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const event of this.#framer.push(chunk, clock.now())) {
        if (event.type === 'message' && event.message.kind === 'response') this.responses.push(event.message);
      }
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => {});
  }
  /** Rejects when the connection is refused before or in its handshake. */
  static async open(perimeter: Perimeter, options: RawSipOptions): Promise<RawSip> {
    const { address, port, localAddress, name, identity } = options;
    const tls: ConnectionOptions & TcpNetConnectOpts = {
      host: address,
      port,
      localAddress,
      lookup: literalLookup,
      servername: name,
      ca: readFileSync(perimeter.files.authority),
      ...(identity === undefined
        ? {}
        : { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) }),
    };
    const socket = connect(tls);
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve).once('error', reject);
      socket.once('close', () => reject(new Error('closed before the handshake was over')));
    });
    return new RawSip(socket);
  }
  /** A client on the internal network. */
  static inside(perimeter: Perimeter): Promise<RawSip> {
    const { frontEnd, clients, names } = perimeter.plan;
    return RawSip.open(perimeter, { ...frontEnd, localAddress: clients.bob, name: names.frontEnd });
  }
  /** A client outside. */
  static outside(perimeter: Perimeter): Promise<RawSip> {
    const { access, clients, names } = perimeter.plan;
    return RawSip.open(perimeter, { ...access, localAddress: clients.alice, name: names.access });
  }

  /** Resolves when the kernel has taken it, or when the connection has ended. */
  send(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }
  /** Resolves with the final response to this Call-ID; rejects when the connection is closed before it came. */
  async answer(callId: string): Promise<SipResponse> {
    const found = () => this.responses.find((one) => one.status >= 200 && one.callId === callId);
    await until(`an answer to ${callId}`, () => this.closed || found() !== undefined);
    return found() ?? Promise.reject(new Error('the connection was closed'));
  }
  async isClosed(): Promise<void> {
    await until('the connection is closed', () => this.closed);
  }
  /** Reads no more, until `resume`. */
  pause(): void {
    this.socket.pause();
  }
  resume(): void {
    this.socket.resume();
  }
  close(): void {
    this.socket.destroy();
  }
}

/** A request with what every request has; header fields replace those of the same name. */
export function requestText(
  method: string,
  uri: string,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
  body = '',
): { readonly callId: string; readonly text: string } {
  serial += 1;
  const callId = `raw-${process.pid}-${serial}`;
  const all: Record<string, string | readonly string[]> = {
    Via: `SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK${callId}`,
    'Max-Forwards': '70',
    From: '<sip:nobody@lab.test>;tag=raw',
    To: `<${uri}>`,
    'Call-ID': callId,
    CSeq: `1 ${method}`,
    ...fields,
    'Content-Length': `${Buffer.byteLength(body)}`,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}`),
  );
  return { callId, text: [`${method} ${uri} SIP/2.0`, ...lines, '', body].join('\r\n') };
}
