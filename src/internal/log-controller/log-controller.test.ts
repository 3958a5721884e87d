import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { traceOf } from '#platform/message-log';
import type { LogEvent } from '#protocols/log-query';
import { controlAnswer, copyAnswer, openedAnswer, readAnswer, segmentsAnswer } from './index.ts';
import { Bench, EDGES } from './testing/bench.ts';

const [ONE, TWO] = EDGES;
const NOW = 1_790_000_000_000;

function event(node: string, sequence: number, more: Partial<LogEvent> = {}): LogEvent {
  return {
    time: NOW + sequence,
    sequence,
    node,
    service: 'access',
    component: 'sip',
    provider: 'Sip',
    level: 'info',
    kind: 'message',
    name: 'sip-message',
    flags: [],
    text: `message ${sequence}`,
    keys: { callId: ['call-1'] },
    ...more,
  };
}

interface Found {
  readonly texts: string[];
  readonly edges: ReturnType<typeof readAnswer.parse>['edges'];
}
async function readAll(bench: Bench, verb: 'search' | 'follow', args: object): Promise<Found> {
  const { reading } = openedAnswer.parse(await bench.verb(verb, args));
  const texts: string[] = [];
  for (;;) {
    const part = readAnswer.parse(await bench.verb('read', { reading, waitMs: 20_000 }));
    texts.push(...part.events.map(({ text }) => text));
    if (part.over) return { texts, edges: part.edges };
  }
}
async function command(bench: Bench, wanted: object) {
  const { reading } = openedAnswer.parse(await bench.verb('command', { command: wanted }));
  for (;;) {
    const answer = await bench.verb('outcome', { reading, waitMs: 20_000 });
    const whole = controlAnswer.safeParse(answer);
    if (whole.success) return whole.data.edges;
  }
}
const call = { query: { keys: { callId: ['call-1'] } } };
async function bench(t: TestContext) {
  const made = await Bench.start(t);
  const [one, two] = made.agents;
  if (one === undefined || two === undefined) throw new Error('two agents');
  return { made, one, two };
}

test('what two edges have is one list, oldest first, however much it is [setting logging.edges[].searchPort]', async (t) => {
  const { made, one, two } = await bench(t);
  for (let n = 0; n < 20_000; n++) (n % 3 === 0 ? two : one).events.push(event(n % 3 === 0 ? TWO : ONE, n));
  one.events.push(event(ONE, 99_999, { keys: { callId: ['another'] } }));
  const { texts, edges } = await readAll(made, 'search', { query: { ...call.query, limit: 50_000 } });
  assert.equal(texts.length, 20_000);
  assert.deepEqual(texts.slice(0, 3), ['message 0', 'message 1', 'message 2']);
  assert.ok(texts.every((text, at) => text === `message ${at}`));
  assert.deepEqual(
    edges.map(({ edge, state, more }) => [edge, state, more]),
    [
      [ONE, 'done', false],
      [TWO, 'done', false],
    ],
  );
});

test('an agent that is refused, silent, somebody else or closed is named with its cause, and the others answer', async (t) => {
  const { made, one, two } = await bench(t);
  one.events.push(event(ONE, 1));
  const problemOf = async () => {
    const { texts, edges } = await readAll(made, 'search', call);
    assert.deepEqual(texts, ['message 1']);
    assert.equal(edges[0]?.problem, undefined);
    return `${edges[1]?.problem?.code} ${edges[1]?.problem?.message}`;
  };
  const [first, second] = made.edges();
  two.behaviour.silent = true;
  const silent = problemOf();
  await until(() => one.asked.includes('search search') && two.asked.includes('search search'));
  await until(() => one.open === 0);
  made.clock.advance(30_000);
  assert.match(
    await silent,
    /edge2\.corp\.example at 127\.0\.9\.72 port \d+ \(port row int-10\) has said nothing for 30 s$/,
  );
  two.behaviour.silent = false;
  two.behaviour.node = 'edge9.corp.example';
  assert.match(await problemOf(), /^SLP-LOG-0105 .*edge2.* says that it is edge9\.corp\.example$/);
  delete two.behaviour.node;
  two.behaviour.closes = true;
  assert.match(await problemOf(), /^SLP-LOG-0104 .*edge2/);
  two.behaviour.closes = false;
  await made.apply([first ?? {}, { ...second, searchPort: 1 }]);
  assert.match(
    await problemOf(),
    /^SLP-LOG-0101 .*edge2\.corp\.example at 127\.0\.9\.72 port 1 \(port row int-10\)$/,
  );
  const stranger = await made.agent('edge2b', '127.0.9.73', 'stranger.corp.example');
  t.after(() => stranger.stop());
  await made.apply([first ?? {}, { ...second, address: '127.0.9.73', searchPort: stranger.ports.search }]);
  assert.match(await problemOf(), /^SLP-LOG-0108 .*edge2.*expected edge2\.corp\.example, found stranger/);
  await made.apply([first ?? {}, { ...second, address: '::1' }]);
  assert.match(await problemOf(), /^SLP-LOG-0107 .*edge2/);
});

test('the document says where agents are, who they are and how long they may be silent [setting logging.edges[].name] [setting logging.edges[].address] [setting logging.answerSeconds]', async (t) => {
  const { made, one, two } = await bench(t);
  const [first, second] = made.edges();
  one.events.push(event(ONE, 1));
  two.events.push(event(TWO, 2));
  await made.apply([first ?? {}]);
  assert.deepEqual((await readAll(made, 'search', call)).texts, ['message 1']);
  await made.apply([{ ...second }]);
  assert.deepEqual((await readAll(made, 'search', call)).texts, ['message 2']);
  await made.apply([{ ...first, name: 'edge7.corp.example' }]);
  const { edges } = await readAll(made, 'search', call);
  assert.deepEqual([edges[0]?.edge, edges[0]?.problem?.code], ['edge7.corp.example', 'SLP-LOG-0108']);
  one.behaviour.silent = true;
  made.answerSeconds = 2;
  await made.apply([first ?? {}]);
  const searches = one.asked.length;
  const late = readAll(made, 'search', call);
  await until(() => one.asked.slice(searches).includes('search search'));
  made.clock.advance(2000);
  assert.match((await late).edges[0]?.problem?.message ?? '', /nothing for 2 s$/);
  await assert.rejects(made.verb('search', { ...call, edges: ['nobody.example'] }), /SLP-LOG-0113|nobody/);
});

test('a call is found whole by its Call-ID: both edges, the decisions, and the relays of its parties', async (t) => {
  const { made, one, two } = await bench(t);
  const keys = {
    callId: ['call-1'],
    uri: ['alice@example.com', 'bob@example.com'],
    trace: [traceOf('call-1')],
  };
  const issued = (uri: string, trace: string): Partial<LogEvent> => ({
    provider: 'AvAuthentication',
    name: 'credentials-issued',
    keys: { callId: ['service-1'], uri: [uri], trace: [trace, traceOf('service-1')] },
  });
  const relay = (trace: string, text: string): Partial<LogEvent> => ({
    service: 'av',
    provider: 'Turn',
    name: 'allocation-opened',
    text,
    remote: '198.51.100.7:4000',
    keys: { trace: [trace], address: ['198.51.100.7'] },
  });
  const answer = (remote: string, text: string): Partial<LogEvent> => ({
    service: 'av',
    provider: 'Stun',
    text,
    remote,
    keys: { address: ['198.51.100.7'] },
  });
  one.events.push(
    event(ONE, 1, { ...issued('alice@example.com', 'a11ce'), text: 'alice has credentials' }),
    event(ONE, 2, { ...issued('carol@example.com', 'ca201'), text: 'carol has credentials' }),
    event(ONE, 10, relay('a11ce', 'relay of alice')),
    event(ONE, 11, { keys, text: 'INVITE' }),
    event(ONE, 12, relay('ca201', 'relay of carol')),
    event(ONE, 13, answer('198.51.100.7:4000', 'answer to alice')),
    event(ONE, 14, answer('198.51.100.7:4001', 'answer to somebody else')),
    event(ONE, 21, { keys, text: '200' }),
  );
  two.events.push(
    event(TWO, 3, { ...issued('bob@example.com', 'b0b'), text: 'bob has credentials' }),
    event(TWO, 15, relay('b0b', 'relay of bob')),
    event(TWO, 16, { keys, kind: 'decision', text: 'decided' }),
    event(TWO, 200_000, relay('b0b', 'much later')),
  );
  const { texts, edges } = await readAll(made, 'search', { ...call, call: true });
  assert.deepEqual(texts, [
    ...['relay of alice', 'INVITE', 'answer to alice'],
    ...['relay of bob', 'decided', '200'],
  ]);
  assert.deepEqual(
    edges.map((edge) => edge.events),
    [4, 2],
  );
});

test('a start is believed when an event was traced and found, and not before [setting logging.edges[].controlPort]', async (t) => {
  const { made, one, two } = await bench(t);
  two.behaviour.deaf = true;
  const started = await command(made, { type: 'start', scenario: 'Federation' });
  assert.deepEqual(
    started.map(({ edge, verified, problem }) => [edge, verified, problem?.code]),
    [
      [ONE, true, undefined],
      [TWO, false, 'SLP-LOG-0109'],
    ],
  );
  assert.deepEqual(
    started[0]?.scenarios?.map(({ name }) => name),
    ['AlwaysOn', 'Federation'],
  );
  assert.deepEqual(
    one.asked.filter((asked) => asked.startsWith('control')),
    ['control hello', 'control start', 'control mark', 'control sync'],
  );
  const refused = await command(made, { type: 'start', scenario: 'XMPP' });
  assert.equal(refused[0]?.problem?.code, 'SLP-LOG-0106');
  assert.match(
    refused[0]?.problem?.message ?? '',
    /edge1\.corp\.example: SLP-LOG-0007 two scenarios run already/,
  );
  const stopped = await command(made, { type: 'stop', scenario: 'Federation' });
  assert.deepEqual(
    stopped.map(({ scenarios }) => scenarios?.map(({ name }) => name)),
    [['AlwaysOn'], ['AlwaysOn']],
  );
});

test('a clock that is off is told', async (t) => {
  const { made, one } = await bench(t);
  one.behaviour.aheadMs = 600_000;
  const [first, second] = await command(made, { type: 'show' });
  assert.ok(Math.abs((first?.skewMs ?? 0) - 600_000) < 60_000);
  assert.equal(second?.skewMs, undefined);
});

test('a follow goes on behind the last event when a connection was lost [setting logging.edges[].collectionPort]', async (t) => {
  const { made, one, two } = await bench(t);
  const { reading } = openedAnswer.parse(await made.verb('follow', call));
  const next = async (count: number): Promise<string[]> => {
    const texts: string[] = [];
    while (texts.length < count) {
      const part = readAnswer.parse(await made.verb('read', { reading, waitMs: 20_000 }));
      texts.push(...part.events.map(({ text }) => text));
    }
    return texts.sort();
  };
  await until(() => [one, two].every(({ asked }) => asked.includes('collection follow')));
  one.happen(event(ONE, 1));
  two.happen(event(TWO, 2));
  two.happen(event(TWO, 3, { keys: { callId: ['another'] } }));
  assert.deepEqual(await next(2), ['message 1', 'message 2']);
  await one.hangUp();
  one.happen(event(ONE, 4));
  await until(async () => {
    const { edges } = readAnswer.parse(await made.verb('read', { reading, waitMs: 0 }));
    return edges[0]?.state === 'failed';
  });
  made.clock.advance(2000);
  two.happen(event(TWO, 5));
  assert.deepEqual(await next(2), ['message 4', 'message 5']);
  await made.verb('close', { reading });
  await assert.rejects(made.verb('read', { reading, waitMs: 0 }), /SLP-LOG-0112|not open/);
});

test('a segment is copied whole, and a hash that differs is told', async (t) => {
  const { made, one } = await bench(t);
  for (let n = 0; n < 500; n++) one.events.push(event(ONE, n));
  const opened = openedAnswer.parse(await made.verb('segments', { edges: [ONE] }));
  const listed = segmentsAnswer.parse(
    await made.verb('outcome', { reading: opened.reading, waitMs: 20_000 }),
  );
  assert.deepEqual(
    listed.edges.map(({ edge, segments }) => [edge, segments?.length, segments?.[0]?.events]),
    [[ONE, 1, 500]],
  );
  const copy = async () => {
    const { reading } = openedAnswer.parse(await made.verb('copy', { edge: ONE, segment: 1 }));
    const octets: Buffer[] = [];
    for (;;) {
      const part = copyAnswer.parse(await made.verb('copy-read', { reading }));
      octets.push(Buffer.from(part.octets, 'base64'));
      if (part.over) return { ...part, content: Buffer.concat(octets) };
    }
  };
  const whole = await copy();
  assert.equal(whole.content.toString().split('\n').length, 501);
  assert.equal(whole.sha256, createHash('sha256').update(whole.content).digest('hex'));
  one.behaviour.lies = true;
  assert.equal((await copy()).problem?.code, 'SLP-LOG-0110');
});
