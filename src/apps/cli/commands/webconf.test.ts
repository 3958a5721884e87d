import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { EdgeBench, NODE } from '../../../edge/web-conferencing/testing/bench.ts';
import { Outside, TestService } from '../../../edge/web-conferencing/testing/ends.ts';
import { sallyport } from '../testing/printed.ts';

test('webconf status and participants print what the edge knows', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  await Outside.join(t, bench, service.token({ participant: 12, role: 'presenter' }));
  await Outside.join(t, bench, 'no token');
  const socket = join(bench.document.host.stateDirectory, 'admin.sock');
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { service: name, verb } = JSON.parse(body) as Record<string, unknown>;
    assert.equal(name, 'web-conferencing');
    response.end(JSON.stringify(await bench.verb(String(verb))));
  };
  const server = createServer((request, response) => void answer(request, response)).listen(socket);
  await once(server, 'listening');
  t.after(() => server.close());
  const status = await sallyport('webconf', 'status', '--socket', socket);
  assert.equal(status.status, 0, status.error);
  assert.match(status.out, /^1 participants, 1 links/);
  assert.match(status.out, new RegExp(`${NODE} +127\\.14\\.5\\.1 +ready +1`));
  assert.match(status.out, /token-malformed +1/);
  const participants = await sallyport('webconf', 'participants', '--socket', socket);
  assert.match(participants.out, new RegExp(`abcdefghijklmno2 +12 +presenter +${NODE} +127\\.0\\.0\\.1 `));
});
