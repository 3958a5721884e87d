import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { FailureError } from '#kernel';
import { Stage } from '../../../internal/web-conferencing/testing/stage.ts';
import { sallyport } from '../testing/printed.ts';

test('a meeting is created, shown, ruled and ended from the command line', async (t) => {
  await using stage = await Stage.open();
  const socket = join(stage.folder, 'admin.sock');
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const asked = JSON.parse(body) as { service: string; verb: string; arguments: object };
    assert.equal(asked.service, 'web-conferencing-service');
    try {
      response.end(JSON.stringify(await stage.ask(asked.verb, asked.arguments)));
    } catch (error) {
      assert.ok(error instanceof FailureError);
      response
        .writeHead(422)
        .end(
          JSON.stringify({ error: { code: error.failure.code, message: error.failure.message, remedy: '' } }),
        );
    }
  };
  const server = createServer((request, response) => void answer(request, response)).listen(socket);
  await once(server, 'listening');
  t.after(() => server.close());
  const meeting = (...words: string[]) => sallyport('internal', 'meeting', ...words, '--socket', socket);

  const created = await meeting(
    'create',
    'Plans',
    '--organizer',
    'alice@example.com',
    '--guests',
    '--expires',
    '2d',
  );
  assert.equal(created.status, 0, created.error);
  const [first = '', link = ''] = created.out.split('\n');
  assert.match(
    link,
    /^https:\/\/conf\.example\.com\/#conference=sip%3A[a-z2-7]{16}%40conf\.example\.com&key=[\w-]{16}$/,
  );
  const id = first.replace('created ', '');
  assert.match((await meeting('list')).out, new RegExp(`${id} +Plans +alice@example.com +open`));
  const shown = await meeting('show', link);
  assert.match(shown.out, /^title +Plans/);
  assert.match(shown.out, /for +users, guests\n/);
  for (const [verb, ...rest] of [
    ['lock'],
    ['admit', 'bob@example.com'],
    ['present', 'bob@example.com'],
  ] as const)
    assert.equal((await meeting(verb, id, ...rest)).status, 0, verb);
  assert.match(
    (await meeting('show', `sip:${id}@conf.example.com`)).out,
    /presenters +bob@example.com\n.*\n?state +locked/s,
  );
  assert.equal((await meeting('remove', id, 'bob@example.com')).status, 0);
  assert.equal((await meeting('unlock', id)).status, 0);
  assert.equal((await meeting('end', id)).status, 0);
  assert.match((await meeting('show', id)).out, /state +ended/);
  const unknown = await meeting('lock', 'nothing');
  assert.equal(unknown.status, 1);
  assert.match(unknown.error, /SLP-WEB-0052/);
  assert.equal((await meeting('create', 'x', '--organizer', 'a@b.example', '--expires', 'soon')).status, 2);
});
