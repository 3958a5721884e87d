import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server with revocation lists that can lie and stall, on request. */
export class ListServer {
  readonly port: number;
  readonly asked: { path: string; from: string; host: string }[] = [];
  answer: Answering;

  private constructor(port: number, answer: Answering) {
    this.port = port;
    this.answer = answer;
  }
  static async start(t: TestContext, address: string, answer: Answering): Promise<ListServer> {
    let list: ListServer | undefined;
    const server = createServer((request, response) => {
      const { url = '', socket, headers } = request;
      list?.asked.push({ path: url, from: socket.remoteAddress ?? '', host: headers.host ?? '' });
      list?.answer(request, response);
    });
    server.listen(0, address);
    await once(server, 'listening');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    list = new ListServer((server.address() as AddressInfo).port, answer);
    return list;
  }
}
