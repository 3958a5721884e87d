import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openedAnswer, readAnswer } from '#internal/log-controller';
import type { LogEvent } from '#protocols/log-query';
import { runCommandLine } from '../../cli/index.ts';
import { Perimeter } from '../testing/perimeter.ts';
import { type SecondEdge, secondEdge } from '../testing/second-edge.ts';
import { change, edit } from './documents.ts';
import { HeldLine } from './held-line.ts';
import { Person } from './person.ts';
import { RawSip, requestText } from './raw-sip.ts';
import { until } from './until.ts';

/*
 * The logs of two edges, asked from inside by the command line: a call that came by one edge and went by the other, the
 * refusals, scenarios, and an agent that does not answer.
 */

/** 127.88.x.y is the addresses of this file. */
const NETWORK = 88;
let perimeter: Perimeter;
let second: SecondEdge;
const people: Person[] = [];

interface Printed {
  readonly status: number;
  readonly out: string;
  readonly said: string;
}
/** `sallyport logs ...` against the internal program. */
async function logs(...args: string[]): Promise<Printed> {
  const [out, said]: [string[], string[]] = [[], []];
  const terminal = {
    out: (text: string) => void out.push(text),
    error: (text: string) => void said.push(text),
  };
  const status = await runCommandLine(
    ['logs', ...args, '--socket', perimeter.files.internalSocket],
    terminal,
  );
  return { status, out: out.join('\n'), said: said.join('\n') };
}
async function found(...args: string[]): Promise<LogEvent[]> {
  const { out, status, said } = await logs('search', '--json', ...args);
  assert.equal(status, 0, said);
  return out === '' ? [] : out.split('\n').map((line) => JSON.parse(line) as LogEvent);
}

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  second = await secondEdge(perimeter);
  const { names, internal } = perimeter.plan;
  edit(perimeter, 'internal', {
    'logging.edges': [
      { name: names.edge, address: internal.address },
      { name: second.name, address: second.plan.internal.address },
    ],
    'logging.answerSeconds': 20,
  });
  await Promise.all([perimeter.start(), second.program.start()]);
  await until('the second edge and the front end have found one another', async () => {
    const { nextHop } = (await second.program.ask('access', 'connections')) as {
      nextHop: { state: string }[];
    };
    const troubles = (await perimeter.internal.ask('front-end', 'troubles')) as string[];
    return nextHop.every(({ state }) => state === 'healthy') && troubles.length === 0;
  });
});
after(async () => {
  for (const person of people) await person.leave();
  await second.program.stop();
  await perimeter.stop();
});

async function person(user: string, by: 'first' | 'second'): Promise<Person> {
  const place = by === 'first' ? perimeter : Object.create(perimeter, { plan: { value: second.plan } });
  const made = await Person.arrive(place as Perimeter, user);
  people.push(made);
  return made;
}

test('AlwaysOn runs from the start, and a start is believed when an event was found again', async () => {
  const shown = await logs('show');
  assert.equal(shown.status, 0, shown.said);
  assert.equal(shown.out.match(/ AlwaysOn /g)?.length, 2, shown.out);
  const unknown = await logs('start', 'Federasion');
  assert.equal(unknown.status, 1);
  assert.match(unknown.said, /did you mean Federation\?/);
  const started = await logs('start', 'Mine', '--provider', 'Sip:verbose', 'Tls', '--for', '10m', '--bodies');
  assert.equal(started.status, 0, started.said);
  assert.equal(started.out.match(/runs AlwaysOn, Mine; an event was traced and found/g)?.length, 2);
  const third = await logs('start', 'XMPP');
  assert.equal(third.status, 1);
  assert.match(third.said, /edge2\.int\.lab\.test: did not answer: SLP-LOG-0106/);
  assert.equal((await logs('stop', 'Mine')).status, 0);
});

test('one search by Call-ID over two edges is the whole call, and the ladder draws it', async () => {
  const [alice, carol] = [await person('alice', 'first'), await person('carol', 'second')];
  const conversation = await alice.call(carol);
  await conversation.flows();
  await conversation.hangUp();
  assert.equal((await logs('sync')).status, 0);
  const [byUri] = await found('--uri', alice.address, '--text', 'INVITE sip:', '--all');
  const callId = byUri?.keys.callId?.[0];
  assert.ok(callId !== undefined, JSON.stringify(byUri));
  const events = await found('--call-id', callId);
  const times = events.map(({ time }) => time);
  assert.deepEqual(
    times,
    times.toSorted((one, other) => one - other),
  );
  assert.equal(new Set(events.map(({ node }) => node)).size, 2);
  for (const { node } of [{ node: perimeter.plan.names.edge }, { node: second.name }]) {
    const own = events.filter((event) => event.node === node);
    assert.deepEqual(
      own.filter(({ name }) => name.startsWith('allocation-')).map(({ name }) => name),
      ['allocation-opened', 'allocation-closed'],
      `the relay of ${node}`,
    );
  }
  assert.ok(
    events.every(({ body }) => body === undefined),
    'no bodies unless somebody asks',
  );
  assert.doesNotMatch(JSON.stringify(events), /response=\\"|nonce=\\"|ice-pwd|MessageIntegrity: [0-9a-f]/);

  const { out, status } = await logs('search', '--call-id', callId, '--no-related', '--ladder');
  assert.equal(status, 0);
  const [head = '', ...drawn] = out.split('\n');
  assert.match(head, /^ +alice 127\.88\.5\.1 +edge1 +127\.88\.4\.10 +edge2 +carol 127\.88\.5\.2$/);
  const arrows = drawn.map(arrowOf).filter(({ label }) => !label.startsWith('100'));
  const way = (label: string, ...columns: number[]) =>
    columns.slice(1).map((to, at) => `${label} ${columns[at]}>${to}`);
  const by = (...columns: readonly [number, number, number]) => {
    const [outside, edge, other] = columns;
    const there = (label: string) => way(label, outside, edge, other);
    const back = (label: string) => way(label, other, edge, outside);
    return [
      ...[...there('INVITE'), ...back('180 Ringing (INVITE)'), ...back('200 OK (INVITE)')],
      ...[...there('ACK'), ...there('BYE'), ...back('200 OK (BYE)')],
    ];
  };
  const seen = (first: number, last: number) =>
    arrows.filter(({ from, to }) => Math.min(from, to) >= first && Math.max(from, to) <= last);
  const texts = (list: readonly Arrow[]) => list.map(({ label, from, to }) => `${label} ${from}>${to}`);
  assert.deepEqual(texts(seen(0, 2)), by(0, 1, 2), 'the call as the first edge has it');
  assert.deepEqual(texts(seen(2, 4)), by(2, 3, 4), 'the call as the second edge has it');
  assert.equal(arrows.length, 24);
  const packets = await logs('search', '--call-id', callId, '--packets');
  assert.equal(packets.out.match(/^000000 {2}45 00/gm)?.length, drawn.length);
});

interface Arrow {
  readonly label: string;
  readonly from: number;
  readonly to: number;
}
/** The label of a line of a ladder, and its columns, which are neighbours here. */
function arrowOf(line: string): Arrow {
  const right = line.indexOf('▶');
  const head = right < 0 ? line.indexOf('◀') : right;
  const to = Math.round((head - 26) / 26);
  const from = right < 0 ? to + 1 : to - 1;
  const label = /[─◀] ([^│]+?) [─▶]/.exec(line)?.[1] ?? line;
  return { label, from, to };
}

test('who refused, and by which rule, is found', async () => {
  const raw = await RawSip.outside(perimeter);
  const { callId, text } = requestText('MESSAGE', 'sip:bob@lab.test', { 'Max-Forwards': '0' });
  await raw.send(text);
  assert.equal((await raw.answer(callId)).status, 483);
  raw.close();
  assert.equal((await logs('sync')).status, 0);
  const events = await found('--call-id', callId);
  assert.deepEqual(
    events.map(({ kind, direction, fields }) => [
      kind,
      direction,
      fields?.method,
      fields?.status,
      fields?.rule,
    ]),
    [
      ['message', 'in', 'MESSAGE', undefined, undefined],
      ['decision', undefined, 'MESSAGE', 483, 'max-forwards'],
      ['message', 'out', 'MESSAGE', 483, undefined],
    ],
  );
});

test('an agent that is frozen in the middle of a search is named, and what the other has comes whole', async () => {
  const { address } = second.plan.internal;
  const status = await second.program.status();
  const victim = status?.services.find(({ name }) => name === 'logging-agent')?.pid;
  assert.ok(victim !== undefined);
  const asking: { reading?: string } = {};
  const answer = async (waitMs: number) =>
    readAnswer.parse(
      await perimeter.internal.ask('log-controller', 'read', { reading: asking.reading, waitMs }),
    );
  const states: string[] = [];
  // The octets with which the controller asks are stopped on their way: the agent has them, and nothing to read them with.
  const line = await HeldLine.open(address, 50_002, async () => {
    if (asking.reading === undefined || states.at(-1) === 'answering') return;
    states.push((await answer(0)).edges[1]?.state ?? 'unknown');
    if (states.at(-1) === 'answering') process.kill(victim, 'SIGSTOP');
  });
  try {
    await change(perimeter, 'internal', {
      'logging.edges.1.searchPort': line.port,
      'logging.answerSeconds': 3,
    });
    const query = { keys: { uri: ['alice@lab.test'] }, from: 0, to: Date.now() };
    const whole = await found('--uri', 'alice@lab.test', '--last', '1h');
    const own = whole.filter(({ node, time }) => node === perimeter.plan.names.edge && time < query.to);
    assert.ok(own.length > 0 && own.length < whole.length);
    await line.holding(async () => {
      ({ reading: asking.reading } = openedAnswer.parse(
        await perimeter.internal.ask('log-controller', 'search', { query }),
      ));
    });
    const events: LogEvent[] = [];
    let last = await answer(10_000);
    for (; !last.over; last = await answer(10_000)) events.push(...last.events);
    events.push(...last.events);
    assert.equal(states.at(-1), 'answering', 'it was asked before it was frozen');
    assert.deepEqual(events, own);
    assert.equal(last.edges[0]?.problem, undefined);
    const { code, message } = last.edges[1]?.problem ?? {};
    assert.match(
      `${code} ${message}`,
      /^SLP-LOG-0102 .*: edge2\.int\.lab\.test at \S+ port \d+ \(port row int-10\) has said nothing for 3 s$/,
    );
    process.kill(victim, 'SIGCONT');
    await until('it answers again', async () => {
      const { status: ended } = await logs('search', '--uri', 'alice@lab.test', '--last', '1h');
      return ended === 0;
    });
  } finally {
    process.kill(victim, 'SIGCONT');
    await line.close();
    await change(perimeter, 'internal', {
      'logging.edges.1.searchPort': undefined,
      'logging.answerSeconds': 20,
    });
  }
});

test('a copy of all segments is what the edges have; an edge that is gone is named, the other answers', async () => {
  const folder = join(perimeter.plan.folder, 'evidence');
  const exported = await logs('export', folder);
  assert.equal(exported.status, 0, exported.said);
  const files = readdirSync(folder);
  assert.deepEqual(
    files.map((file) => file.replace(/-\d+\.jsonl$/, '')).toSorted(),
    [perimeter.plan.names.edge, second.name].toSorted(),
  );
  for (const file of files) {
    const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
    assert.ok(lines.length > 10);
    for (const line of lines) JSON.parse(line);
  }
  const frozen = second.program.pid;
  assert.ok(frozen !== undefined);
  await second.program.stop();
  const searched = await logs('search', '--text', 'INVITE', '--last', '1h');
  assert.equal(searched.status, 1);
  assert.match(
    searched.said,
    /edge2\.int\.lab\.test: did not answer: SLP-LOG-0101 .*port 50002 \(port row int-10\)/,
  );
  assert.match(searched.said, /1 of 2 edges answered/);
  assert.match(searched.out, /INVITE/);
});
