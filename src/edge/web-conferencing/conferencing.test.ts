import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '#kernel';
import { encodeOperation } from '#protocols/psom';
import { EdgeBench, HOST, NODE } from './testing/bench.ts';
import { get, HASH, Outside, TestService, webSocket } from './testing/ends.ts';

test('a participant shows its token, and calls go both ways until it leaves', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const token = service.token({ participant: 12, role: 'presenter' });
  const outside = await Outside.join(t, bench, token);
  assert.equal(outside.answer, 'joined');
  const [inside] = service.participants;
  assert.equal(inside?.edge, bench.name);
  assert.deepEqual(inside?.said.all[0], { kind: 'join', version: 1, show: 'conference', token });
  assert.equal(inside?.connection.remote.address, '127.0.0.1');
  outside.say({ kind: 'ping', cookie: 1 });
  inside?.ping(2);
  await until(() => inside?.said.all.length === 2 && outside.said.all.length === 2);
  const { participants } = await bench.verb<{ participants: Record<string, unknown>[] }>('participants');
  assert.deepEqual(
    [participants[0]?.participant, participants[0]?.role, participants[0]?.node],
    [12, 'presenter', NODE],
  );
  assert.match(bench.service.health().detail, /^1 participants, 1 services connected/);
  outside.socket.end();
  await until(() => inside?.closed !== undefined);
  assert.equal(bench.service.remaining(), 0);
  assert.equal((await bench.event('participant-left')).participant, 12);
});

test('the same in a WebSocket of a page of the edge', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const socket = webSocket(bench, `https://${HOST}`);
  await once(socket, 'open');
  const heard = once(socket, 'message');
  socket.send(encodeOperation({ kind: 'join', version: 1, show: 'conference', token: service.token() }));
  const [data, isBinary] = (await heard) as [Buffer, boolean];
  assert.equal(data[2], 17, 'JOINED');
  assert.equal(isBinary, true);
  socket.send(encodeOperation({ kind: 'ping', cookie: 1 }));
  await until(() => service.participants[0]?.said.all.length === 2);
  service.participants[0]?.connection.end();
  await once(socket, 'close');
});

test('the service tells the participant that it leaves, with its last words', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const outside = await Outside.join(t, bench, service.token());
  service.participants[0]?.ping(5);
  service.participants[0]?.connection.end();
  await until(() => outside.closed);
  assert.equal(outside.said.all.length, 2);
});

test('files go to who has a content token, and to nobody else', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const token = service.token({ purpose: 'content' });
  assert.match(await get(t, bench, `/content/${token}/${HASH}`), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\na slide$/);
  assert.deepEqual(service.asked, [{ token, hash: HASH }]);
  for (const wrong of [service.token(), service.token({ purpose: 'content', expires: 1 }), `${token}x`, 'x'])
    assert.match(await get(t, bench, `/content/${wrong}/${HASH}`), /^HTTP\/1\.1 403 /);
  assert.equal(service.asked.length, 1, 'nothing went inside');
  assert.match(
    await get(
      t,
      bench,
      `/content/${service.token({ purpose: 'content', node: 'fe2.corp.example' })}/${HASH}`,
    ),
    /^HTTP\/1\.1 503 /,
  );
});

test('no service behind the edge: the participant is told so, and may try again', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  const token = service.token();
  await service.linked(bench);
  service.links.close();
  await bench.event('web-conferencing-left');
  const outside = await Outside.join(t, bench, token);
  assert.deepEqual(outside.said.all, [{ kind: 'refused', reason: 'no-service', retrySeconds: 1 }]);
  assert.match(bench.service.health().detail, /no service connected/);
});

test('where to sign in is told to the page', async (t) => {
  const bench = await EdgeBench.start(t);
  assert.match(await get(t, bench, '/config.json'), /"signalling":"wss:\/\/sip\.example\.test\/"/);
});

test('web conferencing can be switched off and on while the edge runs', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const outside = await Outside.join(t, bench, service.token());
  bench.document.policy.features.webConferencing = false;
  await bench.commit();
  await until(() => outside.closed);
  assert.equal(bench.service.health().detail, 'web conferencing is off');
  bench.document.policy.features.webConferencing = true;
  await bench.commit();
  await until(() => service.ready === 2);
  assert.equal((await Outside.join(t, bench, service.token())).answer, 'joined');
});
