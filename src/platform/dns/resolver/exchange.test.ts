import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from 'dns-packet';
import { SeededRandom } from '#kernel';
import { usualResolverLimits } from './dns-resolver.ts';
import { Exchange, type ExchangeAction } from './exchange.ts';
import { questionName, type RecordType } from './question.ts';
import { a, cname, outcomeOf, replyTo, sentBy, soa } from './testing/replies.ts';

const NAME = 'sip.partner.example';
const limits = usualResolverLimits;

function begin(type: RecordType = 'A', servers: readonly number[] = [0, 1], name = NAME) {
  const exchange = new Exchange({ name, type }, servers, limits, new SeededRandom(7));
  return { exchange, first: sentBy(exchange.start(0)) };
}

const dropsIn = (actions: readonly ExchangeAction[]) =>
  actions.flatMap((action) => (action.do === 'drop' ? [action.reason] : []));

test('a question has an unpredictable id and case, asks for recursion, and says how much it takes over UDP', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 50; seed++) {
    const exchange = new Exchange({ name: NAME, type: 'A' }, [0], limits, new SeededRandom(seed));
    const question = decode(sentBy(exchange.start(0)).bytes);
    assert.equal(question.questions?.[0]?.name.toLowerCase(), NAME);
    assert.equal(question.flag_rd, true);
    assert.equal(question.additionals?.[0]?.type, 'OPT');
    seen.add(`${question.id} ${question.questions?.[0]?.name}`);
  }
  assert.equal(seen.size, 50);
});

test('an answer is the values of the name asked, with the shortest of their times', () => {
  const { exchange, first } = begin();
  const reply = replyTo(first.bytes, { answers: [a(NAME, '192.0.2.1', 300), a(NAME, '192.0.2.2', 30)] });
  assert.deepEqual(outcomeOf(exchange.handleMessage(first.attempt, reply, 5)), {
    state: 'found',
    values: ['192.0.2.1', '192.0.2.2'],
    ttl: 30,
    server: 0,
    transport: 'udp',
  });
});

test('records of other names, of the additional section and of other classes are not believed', () => {
  const { exchange, first } = begin();
  const reply = replyTo(first.bytes, {
    answers: [a('other.example', '192.0.2.66'), { ...a(NAME, '192.0.2.67'), class: 'CH' } as never],
    additionals: [a(NAME, '192.0.2.68')],
    authorities: [soa('partner.example', 60)],
  });
  const outcome = outcomeOf(exchange.handleMessage(first.attempt, reply, 5));
  assert.equal(outcome.state === 'failed' && outcome.reason, 'no-data');
});

test('[S12] a forged answer without our id, question or case is dropped, and the true one is taken', () => {
  const { exchange, first } = begin();
  const truth = replyTo(first.bytes, { answers: [a(NAME, '192.0.2.1')] });
  const wrongId = Buffer.from(truth);
  wrongId.writeUInt16BE((truth.readUInt16BE(0) + 1) & 0xffff, 0);
  const otherName = encode({
    type: 'response',
    id: truth.readUInt16BE(0),
    questions: [{ type: 'A', class: 'IN', name: 'evil.example' }],
    answers: [a(NAME, '192.0.2.66')],
  });
  const otherType = encode({
    type: 'response',
    id: truth.readUInt16BE(0),
    questions: [{ type: 'AAAA', class: 'IN', name: decode(first.bytes).questions![0]!.name }],
  });
  assert.deepEqual(dropsIn(exchange.handleMessage(first.attempt, wrongId, 1)), ['wrong-id']);
  assert.deepEqual(dropsIn(exchange.handleMessage(first.attempt, otherName, 1)), ['wrong-question']);
  assert.deepEqual(dropsIn(exchange.handleMessage(first.attempt, otherType, 1)), ['wrong-question']);
  assert.deepEqual(dropsIn(exchange.handleMessage(first.attempt, first.bytes, 1)), ['not-a-response']);
  assert.deepEqual(dropsIn(exchange.handleMessage(first.attempt, Buffer.alloc(5), 1)), ['unreadable']);
  const outcome = outcomeOf(exchange.handleMessage(first.attempt, truth, 2));
  assert.deepEqual(outcome.state === 'found' && outcome.values, ['192.0.2.1']);
});

test('who guesses ids meets a question that has gone to TCP', () => {
  const { exchange, first } = begin();
  let last: ExchangeAction[] = [];
  for (let guess = 1; guess <= limits.strangers; guess++) {
    const forged = replyTo(first.bytes, { answers: [a(NAME, '192.0.2.66')] });
    forged.writeUInt16BE((forged.readUInt16BE(0) + guess) & 0xffff, 0);
    last = exchange.handleMessage(first.attempt, forged, 1);
  }
  assert.equal(sentBy(last).transport, 'tcp');
  assert.equal(sentBy(last).server, 0);
});

test('an answer in the wrong case is not believed but asked for over TCP', () => {
  const { exchange, first } = begin();
  const asked = decode(first.bytes);
  const lower = encode({
    type: 'response',
    id: asked.id!,
    questions: [{ type: 'A', class: 'IN', name: NAME }],
    answers: [a(NAME, '192.0.2.66')],
  });
  const actions = exchange.handleMessage(first.attempt, lower, 1);
  assert.deepEqual(dropsIn(actions), ['wrong-case']);
  assert.equal(sentBy(actions).transport, 'tcp');
});

test('a truncated answer goes to TCP at the same server, wherever it was cut', () => {
  const { exchange, first } = begin();
  const whole = replyTo(first.bytes, { flags: 0x0200, answers: [a(NAME, '192.0.2.1')] });
  const again = sentBy(exchange.handleMessage(first.attempt, whole.subarray(0, whole.length - 7), 1));
  assert.equal(again.transport, 'tcp');
  assert.equal(again.server, first.server);
  assert.notEqual(decode(again.bytes).id, decode(first.bytes).id);
  const outcome = outcomeOf(
    exchange.handleMessage(again.attempt, replyTo(again.bytes, { answers: [a(NAME, '192.0.2.1')] }), 2),
  );
  assert.equal(outcome.state === 'found' && outcome.transport, 'tcp');
});

test('an absence is kept for the shorter of the SOA record and its minimum, and not at all without one', () => {
  for (const [flags, reason] of [
    [3, 'nxdomain'],
    [0, 'no-data'],
  ] as const) {
    const known = begin();
    const reply = replyTo(known.first.bytes, { flags, authorities: [soa('partner.example', 120, 900)] });
    const outcome = outcomeOf(known.exchange.handleMessage(known.first.attempt, reply, 1));
    assert.deepEqual(outcome, { state: 'failed', reason, ttl: 120, detail: NAME });
    const unknown = begin();
    const bare = outcomeOf(
      unknown.exchange.handleMessage(unknown.first.attempt, replyTo(unknown.first.bytes, { flags }), 1),
    );
    assert.equal(bare.state === 'failed' && bare.ttl, undefined);
  }
});

test('aliases are followed in the answer and beyond it, with the shortest time of the whole chain', () => {
  const { exchange, first } = begin();
  const chain = [cname(NAME, 'a.example', 20), cname('a.example', 'b.example', 300)];
  const next = sentBy(exchange.handleMessage(first.attempt, replyTo(first.bytes, { answers: chain }), 1));
  assert.equal(decode(next.bytes).questions?.[0]?.name.toLowerCase(), 'b.example');
  const reply = replyTo(next.bytes, { answers: [a('b.example', '192.0.2.5', 500)] });
  const outcome = outcomeOf(exchange.handleMessage(next.attempt, reply, 2));
  assert.deepEqual(outcome.state === 'found' && [outcome.values, outcome.ttl], [['192.0.2.5'], 20]);
});

test('aliases in a circle and without end are given up', () => {
  const circle = begin('A', [0]);
  const round = [cname(NAME, 'a.example'), cname('a.example', NAME)];
  let actions = circle.exchange.handleMessage(
    circle.first.attempt,
    replyTo(circle.first.bytes, { answers: round }),
    1,
  );
  const second = sentBy(actions);
  actions = circle.exchange.handleMessage(second.attempt, replyTo(second.bytes, { answers: round }), 2);
  const outcome = outcomeOf(actions);
  assert.equal(outcome.state === 'failed' && outcome.reason, 'alias-loop');

  const { exchange, first } = begin('A', [0]);
  let current = first;
  let hops = 0;
  for (;;) {
    const from = decode(current.bytes).questions![0]!.name.toLowerCase();
    const answers = [cname(from, `hop${hops}.example`)];
    const next = exchange.handleMessage(current.attempt, replyTo(current.bytes, { answers }), hops);
    if (next.some((action) => action.do === 'finish')) {
      const end = outcomeOf(next);
      assert.equal(end.state === 'failed' && end.reason, 'alias-loop');
      break;
    }
    hops += 1;
    current = sentBy(next);
  }
  assert.ok(hops < limits.aliases);
});

test('silence, failures and refusals lead through every server in every round, then to the gravest reason', () => {
  const { exchange, first } = begin();
  const second = sentBy(exchange.handleTimer(1500));
  assert.equal(second.server, 1);
  const third = sentBy(exchange.handleMessage(second.attempt, replyTo(second.bytes, { flags: 2 }), 1600));
  assert.equal(third.server, 0);
  const fourth = sentBy(exchange.handleFailure(third.attempt, 1700));
  const outcome = outcomeOf(
    exchange.handleMessage(fourth.attempt, replyTo(fourth.bytes, { flags: 5 }), 1800),
  );
  assert.equal(outcome.state === 'failed' && outcome.reason, 'servfail');
  assert.deepEqual([first.server, fourth.server], [0, 1]);
  assert.deepEqual(exchange.handleTimer(9999), []);
});

test('an answer of an attempt that was given up comes too late', () => {
  const { exchange, first } = begin();
  exchange.handleTimer(1500);
  const reply = replyTo(first.bytes, { answers: [a(NAME, '192.0.2.1')] });
  assert.deepEqual(exchange.handleMessage(first.attempt, reply, 1501), []);
});

test('a server that does not know EDNS is asked without it', () => {
  const { exchange, first } = begin();
  const again = sentBy(exchange.handleMessage(first.attempt, replyTo(first.bytes, { flags: 1 }), 1));
  assert.deepEqual(decode(again.bytes).additionals, []);
  assert.equal(again.server, first.server);
});

test('nothing goes on beyond the total time', () => {
  const { exchange } = begin();
  const outcome = outcomeOf(exchange.handleTimer(limits.totalMs));
  assert.equal(outcome.state === 'failed' && outcome.reason, 'timeout');
});

test('a server that only points to others is no resolver for us', () => {
  const { exchange, first } = begin('A', [0]);
  const authorities = [{ type: 'NS', class: 'IN', name: 'example', data: 'ns.example', ttl: 60 }] as const;
  const next = sentBy(
    exchange.handleMessage(first.attempt, replyTo(first.bytes, { authorities: [...authorities] }), 1),
  );
  const outcome = outcomeOf(
    exchange.handleMessage(next.attempt, replyTo(next.bytes, { authorities: [...authorities] }), 2),
  );
  assert.equal(outcome.state === 'failed' && outcome.reason, 'refused');
});

test('SRV records keep their numbers; a root target is an empty one; a target that is no name is left out', () => {
  const name = '_sipfederationtls._tcp.partner.example';
  const { exchange, first } = begin('SRV', [0], name);
  const srv = (target: string, priority: number) =>
    ({ type: 'SRV', class: 'IN', name, ttl: 9, data: { priority, weight: 5, port: 5061, target } }) as const;
  const reply = replyTo(first.bytes, {
    answers: [srv('Edge.partner.example', 10), srv('.', 20), srv('a b', 3)],
  });
  const outcome = outcomeOf(exchange.handleMessage(first.attempt, reply, 1));
  assert.deepEqual(outcome.state === 'found' && outcome.values, [
    { priority: 10, weight: 5, port: 5061, target: 'edge.partner.example' },
    { priority: 20, weight: 5, port: 5061, target: '' },
  ]);
});

test('only whole host and service names are asked for', () => {
  for (const bad of [
    '',
    '.',
    'a..b',
    `${'a'.repeat(64)}.example`,
    'a b',
    'xn--ü',
    'a\0b',
    '-a.example',
    'a/b',
  ])
    assert.equal(questionName(bad), undefined, bad);
  assert.equal(questionName('_SIP._tcp.Example.COM.'), '_sip._tcp.example.com');
  assert.equal(questionName(`${'a.'.repeat(126)}a`)?.length, 253);
  assert.equal(questionName(`${'a.'.repeat(127)}a`), undefined);
});
