import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LabAuthority } from '#platform/pki';
import type { AgentMessage, LogEvent } from '#protocols/log-query';
import { AgentBench, CONTROLLER } from './testing/agent-bench.ts';
import type { LogClient } from './testing/log-client.ts';

const HOUR = 3_600_000;

/** Texts of what other services told. */
function texts(events: readonly LogEvent[]): string[] {
  return events.filter((event) => event.service !== 'logging-agent').map((event) => event.text);
}
async function running(control: LogClient): Promise<string[]> {
  const { last } = await control.ask({ type: 'show' });
  assert.ok(last.type === 'scenarios');
  return last.running.map(({ name }) => name);
}
function refusal(message: AgentMessage): string {
  assert.ok(message.type === 'refused', JSON.stringify(message));
  return `${message.code} ${message.message}`;
}
async function statusOf(control: LogClient) {
  const { last } = await control.ask({ type: 'status' });
  assert.ok(last.type === 'status');
  return last.status;
}

test('what services tell is found by its keys, its text, its time and its level, in time order', async () => {
  await using bench = await AgentBench.start();
  const now = bench.clock.wall();
  bench.emit({ time: now + 5, text: 'second', keys: { callId: ['c1'] } });
  bench.emit({ time: now, text: 'first', keys: { callId: ['c1'], uri: ['alice@example.com'] } }, 'av');
  bench.emit({ time: now + 9, text: 'other call', keys: { callId: ['c2'] }, level: 'warning' });
  const search = await bench.dial('search');
  const find = async (query: object) => texts((await search.ask({ type: 'search', query })).events);
  assert.deepEqual(await find({ keys: { callId: ['c1'] } }), ['first', 'second']);
  assert.deepEqual(await find({ keys: { uri: ['<sip:Alice@example.com>'] } }), ['first']);
  assert.deepEqual(await find({ text: ['SECOND'] }), ['second']);
  assert.deepEqual(await find({ from: now + 5, to: now + 9 }), ['second']);
  assert.deepEqual(await find({ level: 'warning' }), ['other call']);
  assert.deepEqual(await find({ services: ['av'] }), ['first']);
  const { last, events } = await search.ask({ type: 'search', query: { keys: { callId: ['c1'] } } });
  assert.deepEqual(last, {
    type: 'found',
    id: 8 - 1,
    events: 2,
    more: false,
    segments: { all: 1, opened: 1 },
  });
  assert.deepEqual([events[0]?.node, events[0]?.service], ['edge.corp.test', 'av']);
});

test('a message is stored without its secrets, and with its body only if a scenario asks for bodies', async () => {
  await using bench = await AgentBench.start();
  const message = (call: string) =>
    Buffer.from(
      [
        'MESSAGE sip:bob@example.com SIP/2.0',
        'Via: SIP/2.0/TLS a.example.com;branch=z9hG4bK1',
        'From: <sip:alice@example.com>;tag=1',
        'To: <sip:bob@example.com>',
        `Call-ID: ${call}`,
        'CSeq: 1 MESSAGE',
        'Authorization: Digest username="alice", response="0123456789abcdef"',
        'Content-Type: text/plain',
        'Content-Length: 5',
        '',
        'hello',
      ].join('\r\n'),
    );
  const give = (call: string) => {
    const bytes = message(call);
    const peer = Buffer.from('7\n192.0.2.1:5061\n192.0.2.9:4444');
    const capture = { time: bench.clock.wall(), provider: 'Sip', protocol: 'sip', level: 'info' } as const;
    bench.give({
      type: 'capture',
      capture: { ...capture, direction: 'in', peer, bytes, length: bytes.length },
    });
  };
  const [control, search] = [await bench.dial('control'), await bench.dial('search')];
  const find = async (call: string) =>
    (await search.ask({ type: 'search', query: { keys: { callId: [call] } } })).events[0];
  give('without');
  assert.equal(bench.demand.providers.Sip?.bodies, false);
  await control.ask({ type: 'start', scenario: 'IMAndPresence' });
  assert.deepEqual(bench.demand.providers.Sip, { level: 'verbose', bodies: true });
  give('with');
  assert.equal((await find('without'))?.body, undefined);
  assert.equal((await find('with'))?.body, 'hello');
  for (const call of ['without', 'with']) {
    assert.doesNotMatch(JSON.stringify(await find(call)), /0123456789abcdef/);
    assert.equal((await find(call))?.remote, '192.0.2.9:4444');
  }
});

test('AlwaysOn runs by itself, unless the document or an operator says otherwise [setting policy.logging.alwaysOn]', async () => {
  await using bench = await AgentBench.start();
  assert.deepEqual(await running(await bench.dial('control')), ['AlwaysOn']);
  await bench.apply((document) => {
    document.policy.logging.alwaysOn = false;
  });
  assert.deepEqual(await running(await bench.dial('control')), []);
  assert.deepEqual(bench.demand, { providers: {} });
  bench.emit({ text: 'unasked' });
  await bench.apply((document) => {
    document.policy.logging.alwaysOn = true;
  });
  bench.emit({ text: 'asked' });
  const search = await bench.dial('search');
  assert.deepEqual(texts((await search.ask({ type: 'search', query: {} })).events), ['asked']);
  const control = await bench.dial('control');
  await control.ask({ type: 'stop', scenario: 'AlwaysOn' });
  await bench.restart();
  assert.deepEqual(await running(await bench.dial('control')), []);
  const again = await bench.dial('control');
  await again.ask({ type: 'start', scenario: 'AlwaysOn' });
  await bench.restart();
  assert.deepEqual(await running(await bench.dial('control')), ['AlwaysOn']);
});

test('a scenario ends after four hours or when it was told to, also across a restart', async () => {
  await using bench = await AgentBench.start();
  const control = await bench.dial('control');
  const { last } = await control.ask({ type: 'start', scenario: 'XMPP' });
  assert.ok(last.type === 'scenarios');
  assert.equal(last.running[1]?.endsAt, bench.clock.wall() + 4 * HOUR);
  bench.clock.advance(3 * HOUR);
  await bench.restart();
  const again = await bench.dial('control');
  assert.deepEqual(await running(again), ['AlwaysOn', 'XMPP']);
  bench.clock.advance(HOUR + 1);
  const later = await bench.dial('control');
  assert.deepEqual(await running(later), ['AlwaysOn']);
  await later.ask({ type: 'start', scenario: 'XMPP', durationMs: 60_000 });
  await later.ask({ type: 'update', scenario: 'XMPP', durationMs: 120_000 });
  bench.clock.advance(60_001);
  assert.deepEqual(await running(await bench.dial('control')), ['AlwaysOn', 'XMPP']);
  bench.clock.advance(60_000);
  assert.deepEqual(await running(await bench.dial('control')), ['AlwaysOn']);
  assert.equal(bench.demand.providers.Xmpp?.level, 'info');
});

test('two scenarios at once, and names that are known', async () => {
  await using bench = await AgentBench.start();
  const control = await bench.dial('control');
  const ask = async (request: object) => (await control.ask(request)).last;
  assert.match(
    refusal(await ask({ type: 'start', scenario: 'Authentcation' })),
    /did you mean Authentication\?/,
  );
  const custom = (provider: string, flag: string) => ({
    type: 'start',
    scenario: 'Mine',
    providers: [{ provider, level: 'verbose', flags: [flag] }],
  });
  assert.match(refusal(await ask(custom('Tlss', 'security'))), /did you mean Tls\?/);
  assert.match(refusal(await ask(custom('Tls', 'securty'))), /did you mean security\?/);
  assert.match(refusal(await ask({ type: 'stop', scenario: 'XMPP' })), /SLP-LOG-0007/);
  assert.equal((await ask(custom('Tls', 'security'))).type, 'scenarios');
  assert.match(refusal(await ask({ type: 'start', scenario: 'XMPP' })), /AlwaysOn and Mine are running/);
  assert.match(refusal(await ask({ type: 'start', scenario: 'alwayson' })), /AlwaysOn is running already/);
  assert.match(
    refusal(await ask({ type: 'update', scenario: 'AlwaysOn', bodies: true })),
    /never stores bodies/,
  );
  bench.emit({ provider: 'Tls', level: 'verbose', flags: ['connection'], text: 'not this' });
  bench.emit({ provider: 'Tls', level: 'verbose', flags: ['security'], text: 'this' });
  const search = await bench.dial('search');
  const { events } = await search.ask({ type: 'search', query: { providers: ['Tls'] } });
  assert.deepEqual(texts(events), ['this']);
});

test('a marker goes the way of all events and is found behind a sync', async () => {
  await using bench = await AgentBench.start();
  const control = await bench.dial('control');
  assert.equal((await control.ask({ type: 'mark', marker: 'marker-12345' })).last.type, 'done');
  assert.equal((await control.ask({ type: 'sync' })).last.type, 'done');
  const search = await bench.dial('search');
  const found = await search.ask({ type: 'search', query: { keys: { trace: ['marker-12345'] } } });
  assert.deepEqual(
    found.events.map((event) => [event.name, event.text]),
    [['marker', 'marker marker-12345']],
  );
  await control.ask({ type: 'stop', scenario: 'AlwaysOn' });
  assert.match(refusal((await control.ask({ type: 'mark', marker: 'marker-12345' })).last), /SLP-LOG-0007/);
});

test('what was lost, held back or not stored is an event with its number [setting policy.logging.eventsPerSecond]', async () => {
  await using bench = await AgentBench.start((document) => {
    document.policy.logging.eventsPerSecond = 3;
  });
  bench.give({ type: 'lost', count: 17 }, 'av');
  for (let at = 0; at < 8; at++) bench.emit({ component: 'chatter', text: `chatter ${at}` });
  bench.emit({ component: 'quiet', text: 'quiet' });
  bench.clock.advance(1000);
  bench.emit({ component: 'chatter', text: 'next second' });
  const search = await bench.dial('search');
  const all = (await search.ask({ type: 'search', query: {} })).events;
  assert.deepEqual(texts(all.filter((event) => event.kind !== 'drop')), [
    'chatter 0',
    'chatter 1',
    'chatter 2',
    'quiet',
    'next second',
  ]);
  assert.deepEqual(
    all
      .filter((event) => event.kind === 'drop')
      .map(({ name, service, component, fields }) => [name, service, component, fields?.count]),
    [
      ['events-lost', 'av', 'intake', 17],
      ['events-held-back', 'access', 'chatter', 5],
    ],
  );
  const status = await statusOf(await bench.dial('control'));
  assert.deepEqual(status.throttled, [{ component: 'access/chatter', suppressed: 5 }]);
  assert.deepEqual([status.dropped, status.suppressed], [17, 5]);
  await bench.apply((document) => {
    document.policy.logging.eventsPerSecond = 100;
  });
  for (let at = 0; at < 8; at++) bench.emit({ component: 'chatter', text: 'chatter again' });
  const more = (await search.ask({ type: 'search', query: { text: ['chatter again'] } })).events;
  assert.equal(more.length, 8);
});

test('segments are closed by size and by age, and deleted when they are old [setting policy.logging.segmentMegabytes] [setting policy.logging.segmentMinutes] [setting policy.logging.retentionDays]', async () => {
  await using bench = await AgentBench.start((document) => {
    document.policy.logging.segmentMegabytes = 1;
    document.policy.logging.retentionDays = 2;
  });
  const control = await bench.dial('control');
  const fill = async (count: number) => {
    for (let at = 0; at < count; at++)
      bench.emit({ component: `c${at % 50}`, text: `${at} ${'x'.repeat(2000)}` });
    await control.ask({ type: 'sync' });
    bench.clock.advance(250);
  };
  await fill(700);
  bench.emit({ text: 'behind' });
  bench.clock.advance(250);
  assert.equal((await statusOf(control)).segments, 2);
  await bench.apply((document) => {
    document.policy.logging.segmentMegabytes = 256;
    document.policy.logging.segmentMinutes = 5;
  });
  await fill(700);
  assert.equal((await statusOf(control)).segments, 2);
  bench.clock.advance(5 * 60_000);
  const again = await bench.dial('control');
  bench.emit({ text: 'in the third' });
  bench.clock.advance(250);
  assert.equal((await statusOf(again)).segments, 3);
  bench.clock.advance(47 * HOUR);
  bench.emit({ text: 'new' });
  bench.clock.advance(250);
  const soon = await bench.dial('control');
  assert.ok((await statusOf(soon)).oldest! < bench.clock.wall() - 46 * HOUR);
  bench.clock.advance(2 * HOUR);
  const late = await bench.dial('control');
  assert.ok((await statusOf(late)).oldest! > bench.clock.wall() - 3 * HOUR);
});

test('above the ceiling of the disk nothing is stored, and it is said [setting host.logging.diskPercent]', async () => {
  await using bench = await AgentBench.start((document) => {
    document.host.logging.diskPercent = 1;
  });
  bench.clock.advance(250);
  bench.emit({ text: 'lost' });
  bench.clock.advance(250);
  assert.match(bench.service.health().detail, /SLP|disk is fuller/);
  const control = await bench.dial('control');
  const status = await statusOf(control);
  assert.match(status.problem ?? '', /1 % allowed/);
  assert.ok(status.unstored >= 1);
  await bench.apply((document) => {
    document.host.logging.diskPercent = 99;
  });
  bench.clock.advance(250);
  bench.emit({ text: 'kept' });
  const search = await bench.dial('search');
  const { events } = await search.ask({ type: 'search', query: {} });
  assert.deepEqual(texts(events), ['kept']);
  const told = events.find((event) => event.name === 'events-not-stored');
  const after = await statusOf(await bench.dial('control'));
  assert.equal(told?.fields?.count, after.unstored);
  assert.equal(after.problem, null);
});

test('events are stored in the folder that the document names [setting host.logging.directory]', async () => {
  await using bench = await AgentBench.start();
  assert.ok(existsSync(join(bench.folder, 'logs', 'store.id')));
  bench.emit({ text: 'here' });
  const elsewhere = join(bench.folder, 'elsewhere');
  const old = await bench.dial('search');
  await bench.apply((document) => {
    document.host.logging.directory = elsewhere;
  });
  await old.closed;
  bench.emit({ text: 'there' });
  const search = await bench.dial('search');
  assert.deepEqual(texts((await search.ask({ type: 'search', query: {} })).events), ['there']);
  writeFileSync(join(bench.folder, 'file'), '');
  const broken = structuredClone(bench.document);
  broken.host.logging.directory = join(bench.folder, 'file', 'logs');
  const refused = await bench.service.provision(broken);
  assert.equal(refused.ok ? '' : refused.error.code, 'SLP-LOG-0003');
  rmSync(elsewhere, { recursive: true });
});

test('a segment is copied with its hash, and a copy that broke off goes on', async () => {
  await using bench = await AgentBench.start();
  for (let at = 0; at < 500; at++) bench.emit({ text: `event ${at}`, component: `c${at % 9}` });
  const collection = await bench.dial('collection');
  const { last: list } = await collection.ask({ type: 'list' });
  assert.ok(list.type === 'segments' && list.segments.length === 1);
  const [{ segment, events, open }] = list.segments as [(typeof list.segments)[number]];
  assert.equal(open, true);
  const whole = await collection.ask({ type: 'copy', segment });
  assert.ok(whole.last.type === 'copied');
  const lines = whole.octets.toString().trim().split('\n');
  assert.equal(lines.length, events);
  assert.equal((JSON.parse(lines[0]!) as LogEvent).sequence, segment);
  assert.equal(whole.last.sha256, createHash('sha256').update(whole.octets).digest('hex'));
  const rest = await collection.ask({ type: 'copy', segment, offset: 1234 });
  assert.ok(rest.last.type === 'copied');
  assert.equal(rest.last.sha256, whole.last.sha256);
  assert.ok(rest.octets.equals(whole.octets.subarray(1234)));
  assert.match(refusal((await collection.ask({ type: 'copy', segment: 777_777 })).last), /SLP-LOG-0011/);
});

test('a follower sees what comes, and goes on behind its token when it was away', async () => {
  await using bench = await AgentBench.start();
  bench.emit({ text: 'before' });
  const collection = await bench.dial('collection');
  const id = collection.begin({ type: 'follow', query: { services: ['access'] } });
  await collection.next((message) => message.type === 'events');
  const next = async (client: LogClient) => {
    const { message, events } = await client.next((one) => one.type === 'events' && one.events.length > 0);
    assert.ok(message.type === 'events');
    return { texts: texts(events), resume: message.resume ?? '' };
  };
  bench.emit({ text: 'one' });
  bench.emit({ text: 'not mine' }, 'av');
  bench.clock.advance(250);
  const first = await next(collection);
  assert.deepEqual(first.texts, ['one']);
  collection.send({ type: 'cancel', id });
  await collection.next((message) => message.type === 'done');
  bench.emit({ text: 'two' });
  bench.clock.advance(250);
  await bench.restart();
  const again = await bench.dial('collection');
  again.begin({ type: 'follow', query: { services: ['access'] }, after: first.resume });
  assert.deepEqual((await next(again)).texts, ['two']);
  bench.emit({ text: 'three' });
  bench.clock.advance(250);
  assert.deepEqual((await next(again)).texts, ['three']);
  const { last } = await again.ask({ type: 'follow', query: {}, after: 'zzzzzzzzzzzzzzzz.1' });
  assert.match(refusal(last), /SLP-LOG-0011/);
});

test('a follower is told how many were deleted before it came back', async () => {
  await using bench = await AgentBench.start((document) => {
    document.policy.logging.segmentMinutes = 1;
    document.policy.logging.retentionDays = 1;
  });
  const collection = await bench.dial('collection');
  collection.begin({ type: 'follow', query: {} });
  const { message } = await collection.next((one) => one.type === 'events');
  assert.ok(message.type === 'events' && message.resume !== undefined);
  collection.connection.destroy('local');
  for (let at = 0; at < 5; at++) bench.emit({ text: `old ${at}` });
  bench.clock.advance(60_000);
  bench.emit({ text: 'new', time: bench.clock.wall() + 30 * HOUR });
  bench.clock.advance(250);
  bench.clock.advance(25 * HOUR);
  const again = await bench.dial('collection');
  again.begin({ type: 'follow', query: { text: ['new'] }, after: message.resume });
  const missed = await again.next((one) => one.type === 'events' && one.missed !== undefined);
  assert.ok(missed.message.type === 'events' && missed.message.missed! >= 5);
  const rest = await again.next((one) => one.type === 'events' && one.events.length > 0);
  assert.deepEqual(texts(rest.events), ['new']);
});

test('only the controllers that the document names may ask [setting host.logging.controllers]', async () => {
  await using bench = await AgentBench.start();
  const other = await bench.connect('search', 'other.corp.test');
  other.send({ type: 'hello', versions: [1], product: 'x' });
  assert.notEqual(await other.closed, 'local');
  assert.deepEqual(other.received, []);
  assert.deepEqual(
    bench.log.lines.filter((line) => line.level === 'warn').map((line) => line.code),
    ['SLP-LOG-0012'],
  );
  const known = await bench.dial('search');
  await bench.apply((document) => {
    document.host.logging.controllers = ['other.corp.test'];
  });
  await known.closed;
  const welcome = await (await bench.connect('search', 'other.corp.test')).hello();
  assert.ok(welcome.type === 'welcome' && welcome.node === 'edge.corp.test');
  const foreign = await LabAuthority.create({ name: 'Another root' });
  await assert.rejects(async () => {
    const stranger = await bench.connect('control', CONTROLLER, foreign);
    await stranger.hello();
  });
});
