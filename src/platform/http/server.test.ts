import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { memoryLog } from '#platform/telemetry';
import { requestOverSocket } from './client.ts';
import { type HttpLimits, type HttpRequest, HttpService, jsonResponse } from './server.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-http-'));
after(() => rmSync(folder, { recursive: true }));

const limits: HttpLimits = {
  headerBytes: 4096,
  bodyBytes: 64,
  connections: 4,
  requestMs: 30_000,
  idleMs: 1000,
};
let sockets = 0;

async function serve(
  handle: (request: HttpRequest) => ReturnType<typeof jsonResponse>,
  changed: Partial<HttpLimits> = {},
) {
  const socketPath = join(folder, `s${sockets++}`);
  const log = memoryLog();
  const service = new HttpService({ limits: { ...limits, ...changed }, log, handle });
  await service.listen({ path: socketPath });
  const ask = (method: 'GET' | 'POST', path: string, body?: unknown) =>
    requestOverSocket({ socketPath, method, path, body, timeoutMs: 30_000, answerBytes: 10_000 });
  return { service, socketPath, log, ask };
}

/** Everything that the server sends to these bytes, until it closes. */
async function raw(socketPath: string, bytes: string): Promise<string> {
  const socket = connect(socketPath);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

test('a whole request goes in, a whole response comes out', async () => {
  const { service, ask } = await serve((request) =>
    jsonResponse(200, { path: request.path, q: request.query.get('q'), body: request.body.toString() }),
  );
  const answer = await ask('POST', '/a%20b?q=1', { x: 1 });
  assert.equal(answer.status, 200);
  assert.deepEqual(JSON.parse(answer.body.toString()), { path: '/a%20b', q: '1', body: '{"x":1}' });
  await service.close();
});

test('a body or a header beyond its limit is refused', async () => {
  const { service, ask, socketPath } = await serve(() => jsonResponse(200, {}));
  assert.equal((await ask('POST', '/', 'x'.repeat(100))).status, 413);
  assert.match(
    await raw(socketPath, `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(5000)}\r\n\r\n`),
    /^HTTP\/1.1 431 /,
  );
  await service.close();
});

test('a request that does not arrive in time is closed', async () => {
  const { service, socketPath } = await serve(() => jsonResponse(200, {}), { requestMs: 100 });
  assert.match(await raw(socketPath, 'GET / HTTP/1.1\r\nhost'), /^HTTP\/1.1 408 /);
  await service.close();
});

test('something that is not HTTP is answered with 400 and closed', async () => {
  const { service, socketPath } = await serve(() => jsonResponse(200, {}));
  assert.match(await raw(socketPath, '\x16\x03\x01\x02\x00\x01'), /^HTTP\/1.1 400 /);
  await service.close();
});

test('connections beyond the limit are closed', async () => {
  const { service, socketPath, ask } = await serve(() => jsonResponse(200, {}), { connections: 1 });
  const first = connect(socketPath);
  await once(first, 'connect');
  first.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(first, 'data');
  await assert.rejects(ask('GET', '/'));
  first.destroy();
  await service.close();
});

test('what a handler throws is logged and answered with 500', async () => {
  const { service, ask, log } = await serve(() => {
    throw new Error('bug');
  });
  const answer = await ask('GET', '/');
  assert.equal(answer.status, 500);
  assert.equal(answer.body.includes('bug'), false);
  assert.equal(log.lines[0]?.event, 'http request failed');
  await service.close();
});

test('the client refuses a longer answer and names a socket that is not there', async () => {
  const { service, ask, socketPath } = await serve(() => jsonResponse(200, 'x'.repeat(20_000)));
  await assert.rejects(ask('GET', '/'), /longer than/);
  await service.close();
  await assert.rejects(
    requestOverSocket({ socketPath, method: 'GET', path: '/', timeoutMs: 1000, answerBytes: 10 }),
    /ENOENT|ECONNREFUSED/,
  );
});

test('an answer that cannot be sent ends its connection and nothing else', async () => {
  const { service, socketPath, log, ask } = await serve(({ path }) =>
    path === '/bad' ? { status: 99_999, body: '' } : jsonResponse(200, {}),
  );
  assert.equal(await raw(socketPath, 'GET /bad HTTP/1.1\r\nHost: x\r\n\r\n'), '');
  assert.equal(log.lines[0]?.event, 'http response failed');
  assert.equal((await ask('GET', '/good')).status, 200);
  await service.close();
});
