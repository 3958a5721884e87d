import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { requestOverSocket } from '#platform/http';
import { silentLog } from '#platform/telemetry';
import { type Administered, Administration } from './administration.ts';
import { AdministrationClient } from './administration-client.ts';
import { Bench, Outside } from './testdata/bench.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-administration-'));
after(() => rmSync(folder, { recursive: true }));

const drained: unknown[] = [];
const administered: Administered = {
  status: () => Promise.reject(new Error('not here')),
  reload: async () => ({ outcome: 'applied', version: 2, problems: [] }),
  drain: async (args) => {
    drained.push(args);
    return { services: [] };
  },
  undrain: async () => ({ services: [] }),
  call: async () => ({ anything: 1 }),
  metrics: async () => ({ text: 'x 1\n' }),
  events: async ({ after: seen = -1, limit }) => ({ events: [], latest: seen, dropped: limit }),
};

async function open(path: string): Promise<Administration> {
  const administration = new Administration(path, administered, silentLog());
  const opened = await administration.open();
  assert.ok(opened.ok, opened.ok ? '' : opened.error.message);
  return administration;
}

async function refusal(path: string): Promise<string> {
  const opened = await new Administration(path, administered, silentLog()).open();
  return opened.ok ? 'opened' : `${opened.error.code} ${opened.error.message}`;
}

async function request(socketPath: string, method: 'GET' | 'POST', path: string, body?: unknown) {
  const answer = await requestOverSocket({
    socketPath,
    method,
    path,
    body,
    timeoutMs: 30_000,
    answerBytes: 100_000,
  });
  return { status: answer.status, body: JSON.parse(answer.body.toString()) as Record<string, unknown> };
}

test('T20: every verb parses its arguments: defaults are filled in, strangers refused', async () => {
  const socket = join(folder, 'verbs.sock');
  const administration = await open(socket);
  const client = new AdministrationClient(socket);
  assert.deepEqual(await client.call('events', {}), {
    ok: true,
    value: { events: [], latest: -1, dropped: 100 },
  });
  assert.deepEqual(await client.call('drain', { service: 'av' }), { ok: true, value: { services: [] } });
  assert.deepEqual(drained, [{ service: 'av' }]);
  assert.deepEqual(await request(socket, 'GET', '/metrics'), { status: 200, body: { text: 'x 1\n' } });
  for (const [path, body, status, code] of [
    ['/drain', { service: 1 }, 400, 'SLP-SVC-0010'],
    ['/drain', { servise: 'av' }, 400, 'SLP-SVC-0010'],
    ['/events', { limit: 100_000 }, 400, 'SLP-SVC-0010'],
    ['/reload', [], 400, 'SLP-SVC-0010'],
    ['/nothing', {}, 404, 'SLP-SVC-0011'],
    ['/constructor', {}, 404, 'SLP-SVC-0011'],
    ['/', {}, 404, 'SLP-SVC-0011'],
  ] as const) {
    const answer = await request(socket, 'POST', path, body);
    assert.equal(answer.status, status, path);
    assert.equal((answer.body.error as { code: string }).code, code);
  }
  await administration.close();
  assert.equal(existsSync(socket), false);
});

test('T20: the file belongs to its owner alone from the first moment', async () => {
  const socket = join(folder, 'mode.sock');
  const before = process.umask(0);
  const administration = new Administration(socket, administered, silentLog());
  const opening = administration.open();
  while (!existsSync(socket)) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  await opening;
  assert.equal(process.umask(before), 0);
  await administration.close();
});

test('a socket on which somebody answers is left alone, one left behind is replaced, another file is never touched', async () => {
  const socket = join(folder, 'taken.sock');
  const first = await open(socket);
  assert.match(await refusal(socket), /SLP-SVC-0007 .*another server answers/);
  assert.ok((await new AdministrationClient(socket).call('metrics', {})).ok);
  await first.close();

  const file = join(folder, 'file');
  writeFileSync(file, 'precious');
  assert.match(await refusal(file), /SLP-SVC-0007 .*is not a socket/);
  assert.equal(existsSync(file), true);
  assert.match(await refusal(join(folder, 'none', 'a.sock')), /SLP-SVC-0007 /);
  assert.match(await refusal(join(folder, 'x'.repeat(120))), /SLP-SVC-0007 .*longer than/);
});

test('another service on the socket is no administration', async () => {
  const socket = join(folder, 'other.sock');
  const other = createServer((connection) => connection.end('SSH-2.0-x\r\n')).listen(socket);
  await once(other, 'listening');
  const outcome = await new AdministrationClient(socket).call('status', {});
  assert.equal(outcome.ok ? '' : outcome.error.code, 'SLP-SVC-0015');
  other.close();
});

test('the socket is where the document says [setting host.administration.socket]', async () => {
  await using bench = await Bench.create();
  const socket = join(bench.folder, 'elsewhere', 'a.sock');
  bench.write({ host: { ...bench.document.host, administration: { socket } } });
  const outside = new Outside(bench.file);
  await outside.said('running');
  assert.ok((await new AdministrationClient(socket).call('status', {})).ok);
  assert.equal(existsSync(bench.socket), false);
  outside.process.kill('SIGINT');
  assert.equal(await outside.ended(), 0);
  assert.equal(existsSync(socket), false);
});
