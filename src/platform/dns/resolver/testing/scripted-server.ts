import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { ServerPlace } from '../dns-sockets.ts';

/** One question as the server got it. */
export interface Heard {
  readonly bytes: Buffer;
  readonly transport: 'udp' | 'tcp';
  readonly from: ServerPlace;
}

/** What the server does with a question; undefined: nothing. Bytes are sent as they are. */
export type Script = (heard: Heard) => Buffer | undefined;

/** A name server for one test that does what real ones do not do on request: lie, stall, cut. */
export class ScriptedServer {
  readonly place: ServerPlace;
  readonly heard: Heard[] = [];

  private constructor(place: ServerPlace) {
    this.place = place;
  }

  static async start(t: TestContext, address: string, script: Script): Promise<ScriptedServer> {
    const tcp = createServer().listen(0, address);
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(port, address);
    await once(udp, 'listening');
    const server = new ScriptedServer({ address, port });
    const sockets = new Set<Socket>();
    udp.on('message', (bytes, from: RemoteInfo) => {
      const answer = server.#hear({ bytes, transport: 'udp', from }, script);
      if (answer !== undefined) udp.send(answer, from.port, from.address);
    });
    tcp.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        const from = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
        const answer = server.#hear({ bytes: chunk.subarray(2), transport: 'tcp', from }, script);
        if (answer !== undefined) sendSlowly(socket, answer);
      });
    });
    t.after(() => {
      udp.close();
      tcp.close();
      for (const socket of sockets) socket.destroy();
    });
    return server;
  }

  #hear(heard: Heard, script: Script): Buffer | undefined {
    this.heard.push(heard);
    return script(heard);
  }
}

/** In three pieces, the first of which cuts the length in two. */
function sendSlowly(socket: Socket, message: Buffer): void {
  const framed = Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]);
  socket.write(framed.subarray(0, 1));
  setImmediate(() => {
    socket.write(framed.subarray(1, 20));
    setImmediate(() => socket.write(framed.subarray(20)));
  });
}
