import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sallyport } from '../testing/printed.ts';

/** What a program answers whose services have been started and have no document yet. */
const STARTING = {
  ...{ program: 'edge', mode: 'processes', pid: 7, node: 'v24.0.0', startedAt: 0, healthy: false },
  document: { file: 'edge.yaml', version: 0, acceptedAt: 0 },
  services: [],
  listeners: [],
  events: { latest: 0, dropped: 0 },
};

async function serve(t: TestContext, status: object): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'status-'));
  const socket = join(folder, 'admin.sock');
  const server = createServer((_, response) => response.end(JSON.stringify(status))).listen(socket);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return socket;
}

test('status of a program that is still starting says that it has no document yet, and no date of long ago', async (t) => {
  const { out } = await sallyport('status', '--socket', await serve(t, STARTING));
  assert.match(out, /NOT HEALTHY/);
  assert.match(out, /^no document yet: edge\.yaml$/m);
  assert.doesNotMatch(out, /1970/);
});

test('status ends with 0 when all is well and with 4 when it is not, as JSON too', async (t) => {
  const ill = await serve(t, STARTING);
  const well = await serve(t, { ...STARTING, healthy: true });
  for (const form of [[], ['--json']]) {
    assert.equal((await sallyport('status', '--socket', ill, ...form)).status, 4);
    assert.equal((await sallyport('status', '--socket', well, ...form)).status, 0);
  }
});
