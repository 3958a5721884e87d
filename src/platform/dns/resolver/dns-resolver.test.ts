import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { decode } from 'dns-packet';
import { ManualClock, SystemClock, SystemRandom } from '#kernel';
import { EventRing, Metrics } from '#platform/telemetry';
import { DnsResolver, type ResolverLimits, type ResolverOptions } from './dns-resolver.ts';
import type { ServerPlace, Wire, WireUser } from './dns-sockets.ts';
import { a, replyTo, soa } from './testing/replies.ts';
import { type Script, ScriptedServer } from './testing/scripted-server.ts';

const LOCAL = '127.77.3.1';
const SERVER = '127.77.3.53';
const OTHER = '127.77.3.54';

/** Short times, so that silence costs a test little. */
const quick: Partial<ResolverLimits> = { tryMs: 60, tcpMs: 200, totalMs: 2000 };

function resolverFor(t: TestContext, servers: readonly ServerPlace[], more: Partial<ResolverOptions> = {}) {
  const metrics = new Metrics();
  const resolver = new DnsResolver({
    servers,
    localAddresses: [LOCAL, '::1'],
    clock: new SystemClock(),
    random: new SystemRandom(),
    metrics,
    ...more,
  });
  t.after(() => resolver.close());
  return { resolver, metrics };
}

const answering: Script = ({ bytes }) => {
  const { name, type } = decode(bytes).questions![0]!;
  if (type === 'A') return replyTo(bytes, { answers: [a(name, '192.0.2.7')] });
  return replyTo(bytes, { flags: 3, authorities: [soa('example', 60)] });
};

test('questions go out from the given address, each from a port of its own', async (t) => {
  const server = await ScriptedServer.start(t, SERVER, answering);
  const { resolver } = resolverFor(t, [server.place]);
  const names = Array.from({ length: 20 }, (_, index) => `host${index}.example`);
  const answers = await Promise.all(names.map((name) => resolver.addresses(name, 4)));
  assert.ok(answers.every((answer) => answer.ok && answer.value.values[0] === '192.0.2.7'));
  assert.deepEqual([...new Set(server.heard.map(({ from }) => from.address))], [LOCAL]);
  assert.ok(new Set(server.heard.map(({ from }) => from.port)).size > 15);
});

test('the same question is asked once for all who wait, and its answer kept; an absence too', async (t) => {
  const server = await ScriptedServer.start(t, SERVER, answering);
  const { resolver } = resolverFor(t, [server.place]);
  const all = await Promise.all(Array.from({ length: 50 }, () => resolver.addresses('One.Example.', 4)));
  assert.equal(server.heard.length, 1);
  assert.ok(all.every((answer) => answer.ok));
  const again = await resolver.addresses('one.example', 4);
  assert.ok(again.ok && again.value.cached && again.value.ttl <= 60);
  for (let i = 0; i < 3; i++) {
    const absent = await resolver.services('_none._tcp.example');
    assert.equal(!absent.ok && absent.error.reason, 'nxdomain');
    assert.equal(!absent.ok && absent.error.code, 'SLP-DNS-0001');
  }
  assert.equal(server.heard.length, 2);
});

test('how long an answer is kept is told by time that went by, not by the clock of the wall', async (t) => {
  const clock = new SystemClock();
  let later = 0;
  const [since, wall] = [clock.now(), clock.wall()];
  clock.now = () => since + later;
  const server = await ScriptedServer.start(t, SERVER, answering);
  const { resolver } = resolverFor(t, [server.place], { clock });
  const cached = async () => {
    const answer = await resolver.addresses('one.example', 4);
    return answer.ok && answer.value.cached;
  };
  assert.equal(await cached(), false);
  for (const hours of [5, -5]) {
    clock.wall = () => wall + hours * 3_600_000;
    assert.equal(await cached(), true);
  }
  later = 3_600_000;
  assert.equal(await cached(), false);
});

test('a truncated answer really goes to TCP, from the same address', async (t) => {
  const server = await ScriptedServer.start(t, SERVER, (heard) =>
    heard.transport === 'udp' ? replyTo(heard.bytes, { flags: 0x0200 }) : answering(heard),
  );
  const { resolver } = resolverFor(t, [server.place]);
  const answer = await resolver.addresses('big.example', 4);
  assert.ok(answer.ok && answer.value.transport === 'tcp');
  assert.deepEqual(
    server.heard.map(({ transport, from }) => [transport, from.address]),
    [
      ['udp', LOCAL],
      ['tcp', LOCAL],
    ],
  );
});

test('a silent server and a closed port are passed over, and asked last for a while', async (t) => {
  const silent = await ScriptedServer.start(t, SERVER, () => undefined);
  const working = await ScriptedServer.start(t, OTHER, answering);
  const nobody = { address: SERVER, port: 1 };
  const { resolver } = resolverFor(t, [nobody, silent.place, working.place], { limits: quick });
  assert.ok((await resolver.addresses('a.example', 4)).ok);
  assert.equal(silent.heard.length, 1);
  assert.ok((await resolver.addresses('b.example', 4)).ok);
  assert.equal(silent.heard.length, 1, 'the second question went to the server that works');
});

test('a server that never answers over TCP is a timeout, and one that cuts the connection a failure', async (t) => {
  const silent = await ScriptedServer.start(t, SERVER, ({ bytes, transport }) =>
    transport === 'udp' ? replyTo(bytes, { flags: 0x0200 }) : undefined,
  );
  const { resolver } = resolverFor(t, [silent.place], { limits: { ...quick, rounds: 1 } });
  const answer = await resolver.addresses('slow.example', 4);
  assert.equal(!answer.ok && answer.error.reason, 'timeout');
});

test('IPv6 resolvers are asked from the IPv6 address; a family without local address is never used', async (t) => {
  const server = await ScriptedServer.start(t, '::1', answering);
  const { resolver } = resolverFor(t, [{ address: SERVER, port: 1 }, server.place], {
    localAddresses: ['::1'],
  });
  assert.ok((await resolver.addresses('a.example', 4)).ok);
  assert.equal(server.heard[0]?.from.address, '::1');
  const { resolver: none } = resolverFor(t, [server.place], { localAddresses: [LOCAL] });
  const answer = await none.addresses('a.example', 4);
  assert.equal(!answer.ok && answer.error.reason, 'no-resolver');
});

test('[S12] a datagram from another address or port than the one asked is not an answer', async (t) => {
  let mine: Buffer | undefined;
  const server = await ScriptedServer.start(t, SERVER, ({ bytes, from }) => {
    mine = bytes;
    const forged = replyTo(bytes, { answers: [a(decode(bytes).questions![0]!.name, '192.0.2.66')] });
    forger.send(forged, from.port, from.address, () => void 0);
    return undefined;
  });
  const { createSocket } = await import('node:dgram');
  const forger = createSocket('udp4').bind(0, OTHER);
  t.after(() => forger.close());
  const { resolver } = resolverFor(t, [server.place], { limits: { ...quick, rounds: 1 } });
  const answer = await resolver.addresses('forged.example', 4);
  assert.ok(mine !== undefined);
  assert.equal(!answer.ok && answer.error.reason, 'timeout');
});

/** A wire that only remembers. */
function heldWire() {
  const held: { user: WireUser; bytes: Buffer; closed: boolean }[] = [];
  const wire: Wire = ({ bytes }, user) => {
    const entry = { user, bytes, closed: false };
    held.push(entry);
    return () => {
      entry.closed = true;
    };
  };
  return { held, wire };
}

test('questions under way and callers that wait are bounded; closing ends them all', async (t) => {
  const { held, wire } = heldWire();
  const place = { address: SERVER, port: 53 };
  const { resolver, metrics } = resolverFor(t, [place], {
    wire,
    clock: new ManualClock(),
    limits: { questions: 2, waiting: 2 },
  });
  const first = [resolver.addresses('a.example', 4), resolver.addresses('a.example', 4)];
  const third = await resolver.addresses('a.example', 4);
  assert.equal(!third.ok && third.error.reason, 'busy');
  const second = resolver.addresses('b.example', 4);
  const other = await resolver.addresses('c.example', 4);
  assert.equal(!other.ok && other.error.reason, 'busy');
  resolver.close();
  for (const answer of await Promise.all([...first, second]))
    assert.equal(!answer.ok && answer.error.reason, 'stopped');
  assert.ok(held.every(({ closed }) => closed));
  assert.match(await metrics.text(), /sallyport_dns_questions_total\{outcome="busy"\} 2/);
});

test('an answer with TTL 0 serves those who wait and nobody after them', async (t) => {
  const { held, wire } = heldWire();
  const { resolver } = resolverFor(t, [{ address: SERVER, port: 53 }], { wire, clock: new ManualClock() });
  const asked = [resolver.addresses('a.example', 4), resolver.addresses('a.example', 4)];
  const [only] = held;
  only!.user.handleMessage(replyTo(only!.bytes, { answers: [a('a.example', '192.0.2.1', 0)] }));
  for (const answer of await Promise.all(asked)) assert.ok(answer.ok && answer.value.ttl === 0);
  void resolver.addresses('a.example', 4);
  assert.equal(held.length, 2);
});

test('a failure is not asked for again at once, but soon (RFC 9520 §3.2)', async (t) => {
  const { held, wire } = heldWire();
  const clock = new ManualClock();
  const { resolver } = resolverFor(t, [{ address: SERVER, port: 53 }], {
    wire,
    clock,
    limits: { rounds: 1 },
  });
  const failing = resolver.addresses('a.example', 4);
  clock.advance(1500);
  assert.equal((await failing).ok, false);
  assert.equal((await resolver.addresses('a.example', 4)).ok, false);
  assert.equal(held.length, 1);
  clock.advance(5001);
  void resolver.addresses('a.example', 4);
  assert.equal(held.length, 2);
});

test('what was asked and what came of it is told to who asks for it', async (t) => {
  const server = await ScriptedServer.start(t, SERVER, answering);
  const events = new EventRing(new SystemClock(), { items: 10, bytes: 1000 });
  const { resolver } = resolverFor(t, [server.place], { events });
  await resolver.addresses('quiet.example', 4);
  events.demand({ providers: { Dns: { level: 'info', bodies: false } } });
  await resolver.addresses('told.example', 4);
  await resolver.services('_sip._tls.none.example');
  assert.deepEqual(
    events
      .take(10)
      .map(({ name, fields, keys }) => [name, fields.name, fields.type, fields.rule, keys.domain]),
    [
      ['name-found', 'told.example', 'A', undefined, ['told.example']],
      ['name-not-found', '_sip._tls.none.example', 'SRV', 'nxdomain', ['none.example']],
    ],
  );
});
