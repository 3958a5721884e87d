import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '#kernel';
import { EdgeBench, HOST, NODE } from './testing/bench.ts';
import { get, Outside, TestService, webSocket } from './testing/ends.ts';

test('who the document names may open a link [setting policy.webConferencing.services]', async (t) => {
  const bench = await EdgeBench.start(t);
  assert.deepEqual(bench.document.policy.webConferencing.services, [
    'pool.corp.example',
    NODE,
    'fe2.corp.example',
  ]);
  const stranger = await TestService.start(t, [bench], { name: 'other.corp.example' });
  await until(() => stranger.ends.length > 0);
  assert.match(JSON.stringify(bench.log.lines), /SLP-WEB-0001/);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const outside = await Outside.join(t, bench, service.token());
  bench.document.policy.webConferencing.services = ['other.corp.example'];
  await bench.commit();
  await until(() => outside.closed);
  await until(() => stranger.ready === 1);
});

test('pages of origins that are listed may open a WebSocket [setting policy.webConferencing.origins]', async (t) => {
  const bench = await EdgeBench.start(t);
  await once(webSocket(bench, `https://${HOST}`), 'open');
  await once(webSocket(bench, 'https://meet.example.test'), 'unexpected-response');
  bench.document.policy.webConferencing.origins = ['https://meet.example.test'];
  await bench.commit();
  await once(webSocket(bench, 'https://meet.example.test'), 'open');
});

test('no more participants than the document allows [setting policy.webConferencing.limits.participants]', async (t) => {
  const bench = await EdgeBench.start(t, ({ policy }) => {
    policy.webConferencing.limits.participants = 1;
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const first = await Outside.join(t, bench, service.token());
  const token = service.token();
  const second = await Outside.join(t, bench, token);
  assert.deepEqual(second.said.all, [{ kind: 'refused', reason: 'full', retrySeconds: 30 }]);
  first.socket.end();
  await until(() => bench.service.remaining() === 0);
  assert.equal((await Outside.join(t, bench, token)).answer, 'joined', 'the token was not used up');
  bench.document.policy.webConferencing.limits.participants = 2;
  await bench.commit();
  assert.equal((await Outside.join(t, bench, service.token())).answer, 'joined');
});

test('no more of them from one source [setting policy.webConferencing.limits.participantsPerSource]', async (t) => {
  const bench = await EdgeBench.start(t, ({ policy }) => {
    policy.webConferencing.limits.participantsPerSource = 1;
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const join = (localAddress: string) =>
    Outside.join(t, bench, service.token(), 'conference', { localAddress });
  assert.equal((await join('127.14.6.1')).answer, 'joined');
  assert.equal((await join('127.14.6.1')).answer, 'full');
  assert.equal((await join('127.14.6.2')).answer, 'joined');
  assert.deepEqual(bench.refused(), ['too-many-from-source']);
  bench.document.policy.webConferencing.limits.participantsPerSource = 2;
  await bench.commit();
  assert.equal((await join('127.14.6.1')).answer, 'joined');
});

test('a participant is read no faster than its allowance [setting policy.webConferencing.limits.bytesPerSecond]', async (t) => {
  const bench = await EdgeBench.start(t, ({ policy }) => {
    policy.webConferencing.limits.bytesPerSecond = 16_384;
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const outside = await Outside.join(t, bench, service.token());
  const [inside] = service.participants;
  outside.socket.write(Buffer.alloc(4 << 20));
  await until(() => (inside?.bytes ?? 0) > 32_768);
  // The other direction has no such allowance: a round trip later what was read is what was read.
  inside?.ping(1);
  await until(() => outside.said.all.length === 2);
  assert.ok((inside?.bytes ?? 0) < 1 << 20, `${inside?.bytes} bytes were read at once`);
  bench.document.policy.webConferencing.limits.bytesPerSecond = 1 << 30;
  await bench.commit();
  await until(() => (inside?.bytes ?? 0) > 4 << 20);
});

test('a participant for whom too much waits is reset [setting policy.webConferencing.limits.bytesWaiting]', async (t) => {
  const bench = await EdgeBench.start(t, ({ policy }) => {
    policy.webConferencing.limits.bytesWaiting = 262_144;
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const waitingOf = async () => {
    const frozen = await Outside.join(t, bench, service.token());
    frozen.socket.pause();
    const inside = service.participants.at(-1)!;
    while (inside.closed === undefined) {
      inside.connection.write(Buffer.alloc(16_384));
      await new Promise((resolve) => setImmediate(resolve));
      if (inside.connection.bytesSent > 64 << 20) throw new Error('never reset');
    }
    return inside.connection.bytesSent;
  };
  const small = await waitingOf();
  assert.equal((await bench.event('participant-left')).rule, 'slow-reader');
  bench.document.policy.webConferencing.limits.bytesWaiting = 32 << 20;
  await bench.commit();
  assert.ok((await waitingOf()) > small + (16 << 20), 'the larger bound holds more');
});

test('an edge that drains sends its participants away within the time of the document [setting policy.webConferencing.limits.drainSeconds]', async (t) => {
  const bench = await EdgeBench.start(t, ({ policy }) => {
    policy.webConferencing.limits.drainSeconds = 3600;
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const all = await Promise.all(Array.from({ length: 4 }, () => Outside.join(t, bench, service.token())));
  await bench.service.drain();
  await until(() => all.some(({ closed }) => closed));
  const staying = all.filter(({ closed }) => !closed);
  assert.equal(staying.length, 3, 'one of four at first');
  await bench.service.undrain();
  bench.document.policy.webConferencing.limits.drainSeconds = 1;
  await bench.commit();
  await bench.service.drain();
  assert.equal(bench.service.remaining(), 0, 'all at once');
});

test('after too many refusals a source is told to slow down, whatever it shows [setting policy.webConferencing.limits.refusalsPerMinute]', async (t) => {
  const bench = await EdgeBench.start(t, ({ policy }) => {
    policy.webConferencing.limits.refusalsPerMinute = 2;
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const join = (token: string, localAddress = '127.14.6.1') =>
    Outside.join(t, bench, token, 'conference', { localAddress });
  assert.equal((await join('x')).answer, 'token');
  assert.equal((await join('y')).answer, 'token');
  const slowed = await join(service.token());
  assert.deepEqual(slowed.said.all, [{ kind: 'refused', reason: 'slow-down', retrySeconds: 30 }]);
  assert.equal((await join(service.token(), '127.14.6.2')).answer, 'joined', 'others are not');
  bench.document.policy.webConferencing.limits.refusalsPerMinute = 100;
  await bench.commit();
  assert.equal((await join(service.token())).answer, 'joined');
});

test('the place is told to services, and where to sign in to pages, as the document has them', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await until(() => service.links.places().length === 1);
  assert.deepEqual(service.links.places(), [{ host: HOST, port: 443 }]);
  bench.document.policy.names.webConferencing = 'other.example.test';
  bench.document.policy.ports.accessClients = 5061;
  await bench.commit();
  await until(() => service.links.places()[0]?.host === 'other.example.test');
  assert.match(await get(t, bench, '/config.json'), /"wss:\/\/sip\.example\.test:5061\/"/);
});
