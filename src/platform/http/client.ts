import { type IncomingMessage, request } from 'node:http';

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
