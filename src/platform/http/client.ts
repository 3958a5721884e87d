import { Agent, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { literalLookup } from '#kernel';

export interface SocketRequest {
  readonly socketPath: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Without any progress. Milliseconds. */
  readonly timeoutMs: number;
  /** A longer answer is an error. Bytes. */
  readonly answerBytes: number;
}
export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** One request over a Unix socket. Rejects with the error of the socket (`ENOENT`, `ECONNREFUSED`, `EACCES`, …). */
export function requestOverSocket(options: SocketRequest): Promise<HttpAnswer> {
  const { socketPath, method, path, timeoutMs, answerBytes } = options;
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const headers: Record<string, string> = { host: 'localhost', connection: 'close' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers, timeout: timeoutMs, agent: false });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      readAnswer(answer, answerBytes).then(resolve, reject);
    });
    outgoing.end(body);
  });
}

export interface StreamRequest extends Omit<SocketRequest, 'socketPath' | 'body'> {
  /** An open connection, encrypted elsewhere; used for this one request and closed with it unless kept. */
  readonly stream: Duplex;
  /** Name of the peer, for the Host field. */
  readonly host: string;
  readonly body?: Uint8Array;
  readonly keep?: boolean;
}

const agents = new WeakMap<Duplex, Agent>();

/** The runtime keeps a connection between two requests in an agent; here each connection has one for itself. */
function agentOf(stream: Duplex): Agent {
  const known = agents.get(stream);
  if (known !== undefined) return known;
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  agent.createConnection = () => stream;
  agents.set(stream, agent);
  return agent;
}

/** One request over a connection that is there already. Rejects when it breaks before the whole answer is here. */
export function requestOverStream(options: StreamRequest): Promise<HttpAnswer> {
  const { stream, host, method, path, body, timeoutMs, answerBytes, keep = false } = options;
  const headers: Record<string, string> = { host, connection: keep ? 'keep-alive' : 'close' };
  if (body !== undefined) headers['content-length'] = String(body.byteLength);
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent: agentOf(stream), host, lookup: literalLookup, method, path, headers });
    // The connection has no idle timer of its own, and whoever dialled it waits.
    const late = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    outgoing.on('error', reject);
    outgoing.on('close', () => clearTimeout(late));
    outgoing.on('response', (answer) => {
      readAnswer(answer, answerBytes).then(resolve, reject);
    });
    outgoing.end(body);
  });
}

async function readAnswer(answer: IncomingMessage, limit: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > limit) throw new Error(`the answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return { status: answer.statusCode ?? 0, body: Buffer.concat(chunks) };
}
