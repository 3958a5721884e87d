import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMessage, encodeOctets, FRAME_BYTES, type LogPort } from '#protocols/log-query';
import { AgentBench } from './testing/agent-bench.ts';

const PORTS: readonly LogPort[] = ['control', 'search', 'collection'];

/** Whoever breaks the rules is gone, and the next one is answered. */
async function stillAnswers(bench: AgentBench, port: LogPort): Promise<void> {
  const client = await bench.dial(port);
  client.connection.destroy('local');
}

test('frames that nobody may send end the connection, on each port', async () => {
  await using bench = await AgentBench.start();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(FRAME_BYTES.toAgent + 1);
  for (const port of PORTS) {
    for (const bytes of [
      Buffer.alloc(4),
      length,
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      encodeOctets(Buffer.from('octets')),
      encodeMessage({ type: port === 'collection' ? 'list' : 'show', id: 1 }),
    ]) {
      const client = await bench.connect(port);
      client.connection.write(bytes);
      await client.closed;
      assert.ok(client.received.every(({ message }) => message.type === 'refused'));
    }
    const twice = await bench.dial(port);
    twice.send({ type: 'hello', versions: [1], product: 'x' });
    await twice.closed;
    await stillAnswers(bench, port);
  }
});

test('a controller of another version is told so, and the connection ends', async () => {
  await using bench = await AgentBench.start();
  const client = await bench.connect('control');
  client.send({ type: 'hello', versions: [7, 8], product: 'x' });
  const { message } = await client.next(() => true);
  assert.ok(message.type === 'refused' && message.code === 'SLP-LOG-0009');
  await client.closed;
});

test('a request that is not known is refused by its number, and the connection goes on', async () => {
  await using bench = await AgentBench.start();
  for (const port of PORTS) {
    const client = await bench.dial(port);
    for (const request of [
      { type: 'tomorrow' },
      { type: 'search', query: { limit: 0 } },
      { type: 'start' },
    ]) {
      const { last } = await client.ask(request);
      assert.ok(last.type === 'refused' && last.code === 'SLP-LOG-0002', JSON.stringify(last));
    }
    assert.equal(client.connection.closed, false);
  }
});

test('who greets late, sends a frame slowly or says nothing is closed', async () => {
  await using bench = await AgentBench.start();
  const silent = await bench.connect('search');
  const slow = await bench.dial('search');
  const idle = await bench.dial('control');
  slow.connection.write(encodeMessage({ type: 'search', id: 1, query: {} }).subarray(0, 20));
  // The octets have arrived when what was sent after them on another connection is answered.
  await (await bench.dial('search')).ask({ type: 'search', query: {} });
  for (let second = 0; second < 12; second++) bench.clock.advance(1000);
  await Promise.all([silent.closed, slow.closed]);
  assert.equal(idle.connection.closed, false);
  bench.clock.advance(600_001);
  for (let second = 0; second < 60; second++) bench.clock.advance(1000);
  await idle.closed;
});

test('more requests at once than a connection may have are refused', async () => {
  await using bench = await AgentBench.start();
  const client = await bench.dial('collection');
  for (let number = 0; number < 8; number++) client.begin({ type: 'follow', query: {} });
  const { last } = await client.ask({ type: 'list' });
  assert.ok(last.type === 'refused' && last.code === 'SLP-LOG-0008');
  client.send({ type: 'cancel', id: 1 });
  await client.next((message) => message.type === 'done');
  assert.equal((await client.ask({ type: 'list' })).last.type, 'segments');
  client.send({ type: 'follow', id: 2, query: {} });
  const { message } = await client.next((one) => one.type === 'refused');
  assert.match(message.type === 'refused' ? message.message : '', /number 2 is in use/);
});

test('a search is cancelled, or ends with its connection; the agent goes on taking events meanwhile', async () => {
  await using bench = await AgentBench.start();
  for (let at = 0; at < 4000; at++)
    bench.emit({ component: `c${at % 20}`, text: `event ${at} ${'x'.repeat(1500)}` });
  const client = await bench.dial('search');
  const id = client.begin({ type: 'search', query: {} });
  const { events } = await client.next((message) => message.type === 'events');
  assert.ok(events.length > 0);
  client.send({ type: 'cancel', id });
  const { last } = await client.answerTo(id);
  assert.ok(last.type === 'found' && last.more);
  const gone = await bench.dial('search');
  gone.begin({ type: 'search', query: {} });
  await gone.next((message) => message.type === 'events');
  gone.connection.destroy('local');
  bench.emit({ text: 'meanwhile' });
  const found = await client.ask({ type: 'search', query: { text: ['meanwhile'] } });
  assert.equal(found.events.length, 1);
});

test('a controller that does not read holds a bounded part, and is closed in the end', async () => {
  await using bench = await AgentBench.start();
  for (let at = 0; at < 6000; at++)
    bench.emit({ component: `c${at % 20}`, text: `event ${at} ${'x'.repeat(4000)}` });
  const client = await bench.dial('search');
  client.connection.pause();
  client.begin({ type: 'search', query: { limit: 6000 } });
  // Another controller is answered all the while.
  const other = await bench.dial('search');
  const connections = () => Number(/(\d+) controller/.exec(bench.service.health().detail)?.[1]);
  assert.equal(connections(), 2);
  let seconds = 0;
  while (connections() === 2 && seconds < 600) {
    assert.equal((await other.ask({ type: 'search', query: { text: ['event 17 '] } })).events.length, 1);
    bench.clock.advance(1000);
    seconds += 1;
  }
  assert.ok(seconds > 60 && seconds < 600, `closed after ${seconds} seconds`);
});
