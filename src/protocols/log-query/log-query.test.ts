import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ALWAYS_ON,
  boundRecord,
  commonVersion,
  compareEvents,
  cutText,
  demandOf,
  EVENT_BOUNDS,
  EventMerge,
  encodeMessage,
  encodeOctets,
  FRAME_BYTES,
  type Frame,
  isFlag,
  keyNames,
  type LogEvent,
  LogFrameReader,
  matches,
  normaliseKey,
  providerNames,
  readAgentMessage,
  readEvent,
  readProviderRequest,
  readRecord,
  readRequest,
  requestIdOf,
  scenarioNamed,
  scenarios,
  searchQuery,
  wants,
} from './index.ts';
import { anyEvent, sampleEvent } from './testing/events.ts';

const LIMITS = { frameBytes: FRAME_BYTES.toAgent, frameMs: 10_000 };

function failureOf(result: { ok: boolean; error?: unknown }): string {
  assert.equal(result.ok, false);
  return (result.error as { message: string }).message;
}

test('an event survives the wire, and members that are not known are left behind', () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      const read = readEvent(JSON.parse(JSON.stringify({ ...event, tomorrow: 1 })));
      assert.deepEqual(read, JSON.parse(JSON.stringify(event)));
    }),
  );
  const newer = { ...sampleEvent(), provider: 'Fax', keys: { callId: ['x'], faxId: 7 } };
  assert.deepEqual(readEvent(newer)?.keys, { callId: ['x'] });
});

test('an event beyond a bound is none', () => {
  const wrong: Partial<Record<keyof LogEvent, unknown>>[] = [
    { text: 'x'.repeat(EVENT_BOUNDS.text + 1) },
    { body: 'x'.repeat(EVENT_BOUNDS.body + 1) },
    { component: 'x'.repeat(65) },
    { flags: new Array(9).fill('protocol') },
    { flags: 'protocol' },
    { keys: [] },
    { keys: { callId: 'x' } },
    { keys: { callId: ['1', '2', '3', '4', '5'] } },
    { keys: { callId: ['x'.repeat(257)] } },
    { time: -1 },
    { time: 9e15 },
    { time: '1' },
    { level: 'fatal' },
    { kind: 'rumour' },
    { direction: 'up' },
    { local: 'x'.repeat(129) },
    { fields: { a: null } },
    { fields: { a: Number.NaN } },
    { fields: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`f${at}`, 1])) },
    { sequence: 1.5 },
    { node: undefined },
  ];
  for (const more of wrong) {
    assert.equal(readEvent({ ...sampleEvent(), ...more }), undefined, JSON.stringify(more).slice(0, 80));
  }
  for (const nothing of [null, 1, 'event', [], {}]) assert.equal(readRecord(nothing), undefined);
});

test('whatever a service emits fits after it was cut, and its frame fits too, however it is escaped', () => {
  const long = '\u0001'.repeat(100_000);
  const many = (count: number) => Array.from({ length: count }, () => long);
  const record = boundRecord({
    ...sampleEvent(),
    component: long,
    name: long,
    text: long,
    body: long,
    flags: many(20).map((flag) => flag.slice(0, 64)),
    connection: long,
    local: long,
    remote: long,
    keys: Object.fromEntries(keyNames.map((name) => [name, many(9)])),
    fields: Object.fromEntries(many(30).map((text, at) => [`${at}${text}`, text])),
  });
  assert.notEqual(readRecord(record), undefined);
  const event = { ...record, sequence: Number.MAX_SAFE_INTEGER, node: long.slice(0, 253), service: 'access' };
  assert.notEqual(readEvent(event), undefined);
  const frame = encodeMessage({ type: 'events', id: 1, events: [event], resume: `${'z'.repeat(32)}.1` });
  assert.ok(frame.length <= FRAME_BYTES.fromAgent, `${frame.length}`);
});

test('text is cut between characters and says how much is missing', () => {
  const cut = cutText(`${'a'.repeat(75)}${'🦊'.repeat(50)}`, 100);
  assert.match(cut, /^a{75}… \[100 more\]$/);
  assert.equal(cutText('short', 100), 'short');
});

test('keys have one form, whoever writes them', () => {
  for (const [name, written, stored] of [
    ['uri', '"Alice" <sip:Alice@Example.COM;transport=tls>;tag=1', 'alice@example.com'],
    ['uri', 'xmpp:bob@partner.example/phone', 'bob@partner.example/phone'],
    ['uri', 'SIPS:carol@example.com?subject=x', 'carol@example.com'],
    ['phone', 'tel:+33-1 23.45', '+3312345'],
    ['phone', 'sip:+33123@example.com;user=phone', '+33123'],
    ['phone', '(01) 23', '0123'],
    ['address', '[2001:DB8::1]:5061', '2001:db8::1'],
    ['address', '192.0.2.1:5061', '192.0.2.1'],
    ['address', '::ffff:192.0.2.1', '192.0.2.1'],
    ['domain', 'Partner.Example.', 'partner.example'],
    ['conference', 'sip:ABCDEFGH234567xy@conf.example.com', 'abcdefgh234567xy'],
    ['conference', 'AB12CD', 'ab12cd'],
    ['callId', ' AbC@x ', 'AbC@x'],
  ] as const) {
    assert.equal(normaliseKey(name, written), stored, written);
    assert.equal(normaliseKey(name, stored), stored, `${stored} is its own form`);
  }
});

test('scenarios, providers, levels and flags that are not known are errors that say what was meant', () => {
  assert.match(failureOf(scenarioNamed('AlwaysOm')), /did you mean AlwaysOn\?/);
  assert.match(failureOf(readProviderRequest('Sipp:info')), /did you mean Sip\?/);
  assert.match(failureOf(readProviderRequest('Sip:vebrose')), /did you mean verbose\?/);
  assert.match(failureOf(readProviderRequest('Sip:info:protocoll')), /did you mean protocol\?/);
  assert.match(failureOf(readProviderRequest('Sip:info:TF_SOMETHING')), /known are connection, security/);
  assert.deepEqual(readProviderRequest('tls:Verbose:Security+connection'), {
    ok: true,
    value: { provider: 'Tls', level: 'verbose', flags: ['security', 'connection'] },
  });
  for (const { name, providers: asked } of scenarios) {
    assert.equal(scenarioNamed(name.toLowerCase()).ok, true);
    for (const { provider, flags } of asked) {
      assert.ok(providerNames.includes(provider) && flags.every(isFlag));
    }
  }
});

test('what all scenarios want together is the most that one wants, and no event that one wants is outside it', () => {
  const named = (name: string) => scenarios.find((scenario) => scenario.name === name)!;
  const together = demandOf([named(ALWAYS_ON), named('MediaConnectivity')]);
  assert.deepEqual(together.providers.Stun, { level: 'verbose', bodies: true });
  assert.deepEqual(together.providers.Xmpp, { level: 'info', bodies: false });
  assert.deepEqual(demandOf([]).providers, {});
  fc.assert(
    fc.property(fc.subarray([...scenarios], { maxLength: 2 }), anyEvent, (running, event) => {
      const of = demandOf(running).providers[event.provider as 'Sip'];
      if (running.some((scenario) => wants(scenario, event))) assert.notEqual(of, undefined);
    }),
  );
});

test('flags narrow what a scenario wants', () => {
  const scenario = {
    name: 'X',
    bodies: false,
    providers: [{ provider: 'Tls' as const, level: 'info' as const, flags: ['security' as const] }],
  };
  const tls = { provider: 'Tls', level: 'warning' as const };
  assert.equal(wants(scenario, { ...tls, flags: ['security'] }), true);
  assert.equal(wants(scenario, { ...tls, flags: ['connection'] }), false);
  assert.equal(wants(scenario, { ...tls, level: 'verbose', flags: ['security'] }), false);
});

test('a query narrows by time, level and place, and of its terms wants any or all', () => {
  const event = sampleEvent({ keys: { callId: ['c'], uri: ['alice@example.com'] }, body: 'Hello' });
  const finds = (query: Parameters<typeof searchQuery.parse>[0]) => matches(searchQuery.parse(query), event);
  assert.equal(finds({}), true);
  assert.equal(finds({ from: event.time, to: event.time + 1 }), true);
  assert.equal(finds({ to: event.time }), false);
  assert.equal(finds({ from: event.time + 1 }), false);
  assert.equal(finds({ level: 'info' }), true);
  assert.equal(finds({ level: 'warning' }), false);
  assert.equal(finds({ components: ['registrar'] }), false);
  assert.equal(finds({ services: ['access', 'av'] }), true);
  assert.equal(finds({ providers: ['Tls'] }), false);
  assert.equal(finds({ keys: { uri: ['<sip:ALICE@example.com>'] } }), true);
  assert.equal(finds({ keys: { uri: ['nobody@example.com'], callId: ['c'] } }), true);
  assert.equal(finds({ match: 'all', keys: { uri: ['nobody@example.com'], callId: ['c'] } }), false);
  assert.equal(finds({ match: 'all', keys: { callId: ['c'] }, text: ['invite SIP', 'HELLO'] }), true);
  assert.equal(finds({ match: 'all', keys: { callId: ['c'] }, text: ['goodbye'] }), false);
  assert.equal(finds({ keys: { callId: ['C'] } }), false);
});

test('frames come whole out of any pieces, and hold one message or octets', () => {
  const sent = [encodeMessage({ type: 'list', id: 1 }), encodeOctets(Buffer.from([1, 2, 3]))];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
      const reader = new LogFrameReader(LIMITS);
      const frames: Frame[] = [];
      const stream = Buffer.concat([...sent, ...sent]);
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        frames.push(...reader.push(stream.subarray(at, at + size), 0));
        at += size;
      }
      assert.equal(frames.length, 4);
      assert.deepEqual(frames[2], { kind: 'message', text: '{"type":"list","id":1}' });
      assert.deepEqual(frames[3], { kind: 'octets', octets: new Uint8Array([1, 2, 3]) });
    }),
  );
});

test('frames that are empty, too long, too slow or of an unknown kind end the stream', () => {
  const length = (count: number) => Buffer.from([count >>> 24, count >>> 16, count >>> 8, count]);
  for (const [bytes, fault] of [
    [length(0), 'empty-frame'],
    [length(FRAME_BYTES.toAgent + 1), 'frame-too-long'],
    [length(0xffff_ffff), 'frame-too-long'],
    [Buffer.concat([length(2), Buffer.from('[]')]), 'unknown-kind'],
  ] as const) {
    const reader = new LogFrameReader(LIMITS);
    assert.deepEqual([...reader.push(bytes, 0)], []);
    assert.equal(reader.fault, fault);
    assert.deepEqual([...reader.push(encodeMessage({}), 0)], []);
  }
  const slow = new LogFrameReader(LIMITS);
  assert.deepEqual([...slow.push(encodeMessage({}).subarray(0, 5), 0)], []);
  assert.equal(slow.isLate(10_000), false);
  assert.equal(slow.isLate(10_001), true);
  assert.deepEqual([...slow.push(Buffer.from('}'), 10_001)], []);
  assert.equal(slow.fault, 'frame-too-slow');
});

test('a request is read with its bounds, and one that is not understood still tells its number', () => {
  const read = readRequest('search', JSON.stringify({ type: 'search', id: 3, query: {}, tomorrow: true }));
  assert.ok(read.ok && read.value.type === 'search');
  assert.deepEqual([read.value.query.match, read.value.query.limit], ['any', 10_000]);
  for (const [port, text] of [
    ['control', '{"type":"search","id":1,"query":{}}'],
    ['control', '{"type":"start","id":1,"scenario":"../etc"}'],
    ['control', '{"type":"start","id":1,"scenario":"X","durationMs":1}'],
    ['control', '{"type":"mark","id":1,"marker":"a"}'],
    ['search', '{"type":"search","id":0,"query":{}}'],
    ['search', '{"type":"search","id":1,"query":{"text":["ab"]}}'],
    ['search', '{"type":"search","id":1,"query":{"limit":1000001}}'],
    ['collection', '{"type":"follow","id":1,"query":{},"after":"nonsense"}'],
    ['collection', '{"type":"copy","id":1,"segment":-1}'],
    ['collection', 'no json'],
  ] as const) {
    assert.match(failureOf(readRequest(port, text)), /cannot be read/, text);
  }
  assert.equal(requestIdOf('{"type":"tomorrow","id":9}'), 9);
  assert.equal(requestIdOf('{"type":"tomorrow"}'), null);
  assert.equal(requestIdOf('{'), null);
});

test('a controller of another version speaks the newest version that both know', () => {
  assert.equal(commonVersion([1, 2]), 1);
  assert.equal(commonVersion([2, 3]), undefined);
});

test('events of a message that cannot be read are counted, the others are taken', () => {
  const read = readAgentMessage(
    JSON.stringify({ type: 'events', id: 1, events: [sampleEvent(), { time: 'now' }] }),
  );
  assert.ok(read.ok);
  assert.deepEqual([read.value.events.length, read.value.unread], [1, 1]);
});

test('events of several edges come out in time order, whatever order the edges answer in', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 60 }), fc.infiniteStream(fc.nat(5)), (events, turns) => {
      const edges = ['edge1', 'edge2'].map((node) => ({
        node,
        events: events.filter((event) => event.node === node).sort(compareEvents),
      }));
      const merge = new EventMerge();
      for (const { node } of edges) merge.add(node);
      const out: LogEvent[] = [];
      while (edges.length > 0) {
        const turn = turns.next().value ?? 0;
        const edge = edges[turn % edges.length]!;
        if (edge.events.length === 0) {
          out.push(...merge.end(edge.node));
          edges.splice(edges.indexOf(edge), 1);
        } else out.push(...merge.push(edge.node, edge.events.splice(0, 1 + (turn % 3))));
      }
      assert.deepEqual(out, [...events].sort(compareEvents));
      assert.equal(merge.waiting('edge1'), 0);
    }),
  );
});
