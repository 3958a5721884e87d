import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenOptions, Socket } from 'node:net';
import type { Log } from '#platform/telemetry';

export interface HttpLimits {
  /** Request line and header fields together, bytes. */
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** Open at the same time; more are closed at once. */
  readonly connections: number;
  /** For one request to arrive, from its first byte to its last. Milliseconds. */
  readonly requestMs: number;
  /** Between two requests of a connection. Milliseconds. */
  readonly idleMs: number;
}

export interface HttpRequest {
  readonly method: string;
  /** Without the query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}
export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export function textResponse(status: number, text: string, type = 'text/plain; charset=utf-8'): HttpResponse {
  return { status, headers: { 'content-type': type }, body: text };
}
export function jsonResponse(status: number, value: unknown): HttpResponse {
  return textResponse(status, `${JSON.stringify(value)}\n`, 'application/json');
}

export interface HttpServiceOptions {
  readonly limits: HttpLimits;
  readonly log: Log;
  /** Gets whole requests. What it throws is logged and answered with 500. */
  readonly handle: (request: HttpRequest) => Promise<HttpResponse> | HttpResponse;
  /** A body was longer than the limit; the request was answered with 413. */
  readonly onTooLong?: () => void;
}

/** A bounded HTTP/1.1 server: whole requests in, whole responses out. */
export class HttpService {
  readonly #options: HttpServiceOptions;
  readonly #server: Server;

  constructor(options: HttpServiceOptions) {
    this.#options = options;
    const { limits } = options;
    this.#server = createServer(
      {
        maxHeaderSize: limits.headerBytes,
        headersTimeout: limits.requestMs,
        requestTimeout: limits.requestMs,
        keepAliveTimeout: limits.idleMs,
        connectionsCheckingInterval: Math.max(50, Math.min(1000, limits.requestMs / 2)),
      },
      (request, response) => {
        this.#serve(request, response).catch((error: unknown) => {
          options.log.error('http response failed', { error });
          response.destroy();
        });
      },
    );
    this.#server.maxConnections = limits.connections;
  }

  /** Listens on what `net.Server.listen` takes, for example `{ path }` or a bound handle. Rejects with its error. */
  listen(target: ListenOptions | object): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(target as ListenOptions, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#options.log.error('http server failed', { error }));
        resolve();
      });
    });
  }

  /** Serves a connection that was accepted, and possibly decrypted, elsewhere. */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /** Stops listening and closes every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    const body = await readBody(request, this.#options.limits.bodyBytes);
    if (body === 'aborted') return;
    const reply =
      body === 'too-long' ? textResponse(413, 'request body too long\n') : await this.#answer(request, body);
    if (body === 'too-long') {
      this.#options.onTooLong?.();
      response.setHeader('connection', 'close');
    }
    response.writeHead(reply.status, { 'content-length': Buffer.byteLength(reply.body), ...reply.headers });
    response.end(request.method === 'HEAD' ? undefined : reply.body);
  }

  async #answer(request: IncomingMessage, body: Buffer): Promise<HttpResponse> {
    try {
      // The authority is of no interest here and may be anything; only path and query are read.
      const target = request.url ?? '/';
      const mark = target.indexOf('?');
      const path = mark < 0 ? target : target.slice(0, mark);
      const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
      return await this.#options.handle({
        method: request.method ?? 'GET',
        path,
        query,
        headers: request.headers,
        body,
      });
    } catch (error) {
      this.#options.log.error('http request failed', { error });
      return textResponse(500, 'internal error; the log has more\n');
    }
  }
}

function readBody(request: IncomingMessage, limit: number): Promise<Buffer | 'too-long' | 'aborted'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.byteLength;
      if (length > limit) {
        chunks.length = 0;
        resolve('too-long');
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}
