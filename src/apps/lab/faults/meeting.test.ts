import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Participant, type ParticipantOptions, sourceOf } from '#apps/participant';
import { SystemClock, SystemRandom } from '#kernel';
import { loadTrustAnchors } from '#platform/pki';
import { parseMeetingLink } from '#protocols/conference';
import type { LogEvent } from '#protocols/log-query';
import type { Who } from '#protocols/meeting-session';
import type { MeetingPhase, MeetingSnapshot } from '#protocols/psom';
import { runCommandLine } from '../../cli/index.ts';
import type { LabPlan, Place } from '../lab-plan.ts';
import type { LabProgram } from '../program.ts';
import { Perimeter } from '../testing/perimeter.ts';
import { type SecondEdge, secondEdge } from '../testing/second-edge.ts';
import { edit } from './documents.ts';
import { isAlive, marked, processesOf } from './leftovers.ts';
import { until } from './until.ts';

/*
 * A meeting through two edges goes on while processes are killed (port rows ext-08 and int-04): alice, who presents, and Grace,
 * a guest, are outside; bob is inside. The tests build on one another, in this order.
 */

/** 127.98.x.y is the addresses of this file. */
const NETWORK = 98;
const SERVICE = 'web-conferencing-service';
const HANDED_OUT = Buffer.alloc(100_000, 'a hand-out ');
/** Drawn while something is killed. */
const STROKES = 40;
const mark = randomUUID();

let perimeter: Perimeter;
let second: SecondEdge;
let link = '';
let emptyLink = '';
let alice: Seat;
let grace: Seat;
let bob: Seat;
let board = 0;

/** A participant, and all phases that it went through. */
class Seat {
  readonly participant: Participant;
  readonly phases: MeetingPhase[] = [];
  /** What it knew last before its connection went. */
  before: MeetingSnapshot | undefined;

  constructor(participant: Participant) {
    this.participant = participant;
    participant.session.view.subscribe(() => {
      const { phase } = participant.snapshot;
      if (phase === this.phases.at(-1)) return;
      this.phases.push(phase);
      if (phase === 'dropped') this.before = participant.snapshot;
    });
  }
  get seen(): MeetingSnapshot {
    return this.participant.snapshot;
  }
  /** Forgets the phases so far. */
  watch(): void {
    this.phases.length = 0;
    this.before = undefined;
  }
  /** It was off, and is in again. */
  async comesBack(): Promise<void> {
    await until('it was off', () => this.phases.includes('dropped'));
    await until(
      'it is back',
      () => this.seen.phase === 'live' && this.participant.session.snapshot().stage === 'in',
    );
  }
  draw(y: number): void {
    const points = [100, y, 200, y];
    this.participant.commands.draw(board, { page: 1, kind: 'pen', colour: 1, width: 2, points });
  }
}

/** A name of two addresses, which are given in turn as a name service does. */
class Names extends Map<string, string> {
  readonly #pool: readonly string[];
  #asked = 0;

  constructor({ names, frontEnd }: LabPlan, pool: readonly string[]) {
    super([[names.frontEnd, frontEnd.address]]);
    this.#pool = pool;
  }
  override get(name: string): string | undefined {
    if (name !== perimeter.plan.names.webConferencing) return super.get(name);
    return this.#pool[this.#asked++ % this.#pool.length];
  }
}

/** @param pool addresses of the Web Conferencing Edge, the first to be tried first */
async function join(
  who: Who,
  at: Place & { name: string },
  localAddress: string,
  pool: readonly string[] = [],
  by: ParticipantOptions['by'] = 'tls',
) {
  const { plan, files } = perimeter;
  const parsed = parseMeetingLink(link) ?? assert.fail(link);
  const trust = loadTrustAnchors(files.authority);
  assert.ok(trust.ok);
  const participant = await Participant.join({
    ...{
      clock: new SystemClock(),
      random: new SystemRandom(),
      conference: parsed.conference,
      key: parsed.key,
      who,
      by,
    },
    ...{ server: at, localAddress, trust: trust.value, authority: readFileSync(files.authority, 'utf8') },
    hosts: new Names(plan, pool),
  });
  return new Seat(participant);
}
function user(name: 'alice' | 'bob'): Who {
  const { plan, secrets } = perimeter;
  return { kind: 'user', address: `sip:${name}@${plan.domain}`, password: secrets.passwords[name] };
}

before(async () => {
  Object.assign(process.env, marked(mark));
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true, meetings: true });
  second = await secondEdge(perimeter);
  edit(perimeter, 'internal', { 'logging.answerSeconds': 20 });
  await Promise.all([perimeter.start(), second.program.start()]);
  await linked();
  const { plan } = perimeter;
  const create = async (title: string) => {
    const about = { title, organizer: `alice@${plan.domain}`, guests: true };
    return ((await perimeter.internal.ask(SERVICE, 'create', about)) as { link: string }).link;
  };
  [link, emptyLink] = [await create('Through thick and thin'), await create('Nobody comes')];
  const access = { ...plan.access, name: plan.names.access };
  const edges = [plan.webConferencing.address, second.plan.webConferencing.address];
  alice = await join(user('alice'), access, plan.clients.alice, edges);
  grace = await join({ kind: 'guest', displayName: 'Grace' }, access, plan.clients.carol, edges, 'webSocket');
  bob = await join(user('bob'), { ...plan.frontEnd, name: plan.names.frontEnd }, plan.clients.bob);
  await fillMeeting();
});
after(async () => {
  await Promise.allSettled([alice, grace, bob].map((seat) => seat?.participant.leave()));
  await second?.program.stop();
  await perimeter?.stop();
  for (const pid of processesOf(mark)) process.kill(pid, 'SIGKILL');
});

async function linked(): Promise<void> {
  await until('every edge has its link', async () => {
    const links = (await perimeter.internal.ask(SERVICE, 'links')) as { state: string }[];
    return links.length === 2 && links.every(({ state }) => state === 'ready');
  });
}
function seats(): readonly Seat[] {
  return [alice, grace, bob];
}
/** A whiteboard that is shown, a hand-out, and a poll in which two have voted. */
async function fillMeeting(): Promise<void> {
  const { commands } = alice.participant;
  const made = await commands.create('Board', 'Content.Whiteboard');
  assert.ok(made.ok);
  board = made.value;
  commands.present(board);
  assert.equal(await commands.uploadFile('notes.txt', sourceOf(HANDED_OUT)), undefined);
  const poll = await commands.create('Poll', 'Content.Poll');
  assert.ok(poll.ok);
  commands.setQuestion(poll.value, 'Shall we go on?', ['Yes', 'No'], false);
  commands.setPollOpen(poll.value, true);
  commands.setResultsShown(poll.value, true);
  const pollOf = ({ seen }: Seat) => seen.contents.find(({ id }) => id === poll.value)?.poll;
  for (const seat of [grace, bob]) {
    await until('the poll is open', () => pollOf(seat)?.open === true);
    seat.participant.commands.vote(poll.value, [0]);
  }
  for (const seat of seats())
    await until('both votes are counted', () => pollOf(seat)?.results?.votes.join() === '2,0');
  await allSeeWhatAnyoneDraws(10);
}

/** What nobody may lose, without strokes, which come one by one. */
function kept({ users, contents, activeContent }: MeetingSnapshot): object {
  return {
    users: users.map(({ userId, displayName, presenter, outside }) => [
      userId,
      displayName,
      presenter,
      outside,
    ]),
    contents: contents.map(({ id, type, title, file, poll }) => [
      id,
      type,
      title,
      file,
      poll?.question,
      poll?.results,
    ]),
    activeContent,
  };
}
function strokes({ contents }: MeetingSnapshot): string[] {
  const drawn = contents.find(({ id }) => id === board)?.annotations?.all ?? [];
  return drawn.map(({ userId, points }) => `${userId}: ${points.join()}`);
}
async function allSeeWhatAnyoneDraws(y: number): Promise<void> {
  for (const [index, seat] of seats().entries()) {
    seat.draw(y + index);
    for (const other of seats()) {
      const stroke = `${seat.seen.self.userId}: 100,${y + index},200,${y + index}`;
      await until(`${stroke} is seen`, () => strokes(other.seen).includes(stroke));
    }
  }
}
/** Alice draws; as soon as the others see something of it, `strike` happens. */
async function whileAliceDraws(y: number, strike: () => void): Promise<void> {
  for (const seat of seats()) seat.watch();
  const many = strokes(grace.seen).length;
  for (let n = 0; n < STROKES; n++) alice.draw(y + n);
  await until('some of it is seen', () => strokes(grace.seen).length > many);
  strike();
}
/** Also what had not reached anybody when it struck: who drew it draws it again. */
async function allThatAliceDrewIsThere(y: number): Promise<void> {
  const own = alice.seen.self.userId;
  const wanted = Array.from({ length: STROKES }, (_, n) => `${own}: 100,${y + n},200,${y + n}`);
  for (const { seen } of seats()) {
    await until('all that alice drew is seen', () =>
      wanted.every((stroke) => strokes(seen).includes(stroke)),
    );
    const times = strokes(seen).filter((stroke) => wanted.includes(stroke)).length;
    assert.equal(times, STROKES, 'each once');
  }
}
/** Those who were off are back with their roles, all see the same, and nothing that anybody saw is missing. */
async function nothingIsLost(off: readonly Seat[], before: readonly MeetingSnapshot[]): Promise<void> {
  for (const seat of off) await seat.comesBack();
  for (const seat of seats())
    if (!off.includes(seat)) assert.ok(!seat.phases.includes('dropped'), 'not disturbed');
  await until('all see the same', () => new Set(seats().map(({ seen }) => strokes(seen).join())).size === 1);
  for (const [index, seat] of seats().entries()) {
    const was = before[index] ?? assert.fail();
    assert.deepEqual(seat.seen.self, was.self);
    assert.deepEqual(kept(seat.seen), kept(was));
    const now = new Set(strokes(seat.seen));
    for (const snapshot of [was, ...seats().flatMap((one) => one.before ?? [])])
      assert.deepEqual(
        strokes(snapshot).filter((stroke) => !now.has(stroke)),
        [],
      );
  }
}
async function theHandOutIsThere(): Promise<void> {
  for (const { participant } of seats()) {
    const hash = participant.snapshot.contents.find(({ file }) => file !== undefined)?.file?.hash ?? '';
    assert.deepEqual(await participant.fetch(hash), { status: 200, body: HANDED_OUT });
  }
}

/** Kills one service in the middle of drawing, and waits until another process has taken its place. */
async function kill(program: LabProgram, name: string, y: number): Promise<void> {
  const find = async () => (await program.status())?.services.find((one) => one.name === name);
  const victim = (await find())?.pid ?? assert.fail(name);
  await whileAliceDraws(y, () => process.kill(victim, 'SIGKILL'));
  await until(`${name} is back`, async () => {
    const now = await find();
    return now?.pid !== undefined && now.pid !== victim && now.health.ok;
  });
  assert.ok(!isAlive(victim));
}
async function outsideBy(program: LabProgram): Promise<number> {
  const { participants } = (await program.ask('web-conferencing', 'status')) as { participants: number };
  return participants;
}

/** What `sallyport logs` prints. */
async function logs(...args: string[]): Promise<string> {
  const [out, said]: [string[], string[]] = [[], []];
  const terminal = {
    out: (text: string) => void out.push(text),
    error: (text: string) => void said.push(text),
  };
  const socket = ['--socket', perimeter.files.internalSocket];
  assert.equal(await runCommandLine(['logs', ...args, ...socket], terminal), 0, said.join('\n'));
  return out.join('\n');
}

test('what the edge knows of a meeting is found by its conference, and of no other', async () => {
  const { conference } = parseMeetingLink(link) ?? assert.fail();
  const empty = parseMeetingLink(emptyLink) ?? assert.fail();
  await logs('sync');
  const search = async (id: string) =>
    (await logs('search', '--json', '--all', '--conference', id))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogEvent);
  const found = await search(conference.id);
  assert.ok(found.every(({ keys }) => keys.conference?.includes(conference.id)));
  const joined = found.filter(({ name }) => name === 'participant-joined');
  assert.deepEqual(
    joined.map(({ fields }) => [fields?.participant, fields?.role]).sort(),
    [alice, grace]
      .map(({ seen: { self } }) => [self.userId, self.presenter ? 'presenter' : 'attendee'])
      .sort(),
  );
  assert.deepEqual(
    await search(`sip:${conference.id}@${conference.domain}`),
    found,
    'the whole address, too',
  );
  assert.deepEqual(await search(empty.conference.id), []);
});

test('who did what outside is found by the conference, without what was said, and the ladder draws it', async () => {
  const { conference } = parseMeetingLink(link) ?? assert.fail();
  await logs('sync');
  const about = ['--all', '--conference', conference.id];
  const printed = await logs('search', '--json', ...about);
  const operations = printed
    .split('\n')
    .map((line) => JSON.parse(line) as LogEvent)
    .filter(({ name }) => name === 'psom-operation');
  const by = ({ seen: { self } }: Seat) =>
    operations
      .filter(({ fields }) => fields?.participant === self.userId)
      .map(
        ({ direction, fields }) => `${direction} ${fields?.operation} ${fields?.method ?? fields?.interface}`,
      );
  for (const done of ['sCreateContent', 'sPresent', 'sRequestUpload', 'sSetQuestion', 'sSetOpen'])
    assert.ok(
      by(alice).some((line) => line === `in CALL ${done}`),
      done,
    );
  assert.ok(by(alice).includes('out CALL cContentCreated'));
  assert.ok(by(alice).includes('in CONNECT AnnotationContainer'));
  assert.ok(by(grace).includes('in CALL sVote'));
  assert.ok(![...by(alice), ...by(grace)].some((line) => /sAdd|sWrite|cAdded|PING/.test(line)), 'no strokes');
  assert.doesNotMatch(JSON.stringify(operations), /Shall we go on|notes\.txt|Board|Grace/);
  const traces = new Set(operations.flatMap(({ keys }) => keys.trace ?? []));
  assert.equal(traces.size, 2, 'one of each who came by an edge');
  const drawn = await logs('search', ...about, '--ladder');
  for (const label of ['JOIN conference', 'JOINED', 'CONNECT Poll', 'CALL sVote', 'CALL sPresent'])
    assert.ok(drawn.includes(` ${label} `), `${label} in\n${drawn}`);
});

test('the web conferencing service is killed: all three come back by themselves to all that they saw', async () => {
  const before = seats().map(({ seen }) => seen);
  await kill(perimeter.internal, SERVICE, 100);
  await nothingIsLost(seats(), before);
  await allThatAliceDrewIsThere(100);
  await allSeeWhatAnyoneDraws(200);
  await theHandOutIsThere();
  await linked();
});

test('the Web Conferencing Edge is killed: those outside come back, who is inside notices nothing', async () => {
  const before = seats().map(({ seen }) => seen);
  const outside = (await outsideBy(perimeter.edge)) > 0 ? perimeter.edge : second.program;
  const by = await outsideBy(outside);
  assert.ok(by > 0);
  await kill(outside, 'web-conferencing', 300);
  const off = [alice, grace].filter(({ phases }) => phases.includes('dropped'));
  assert.equal(off.length, by);
  await nothingIsLost(off, before);
  await allThatAliceDrewIsThere(300);
  await allSeeWhatAnyoneDraws(400);
  await linked();
  await theHandOutIsThere();
});

interface ConferenceKeys {
  readonly signing: string;
  readonly next: string | null;
  readonly previous: string | null;
  readonly waits: readonly string[];
}
async function conferenceKeys(): Promise<ConferenceKeys> {
  return (await perimeter.internal.ask(SERVICE, 'keys')) as ConferenceKeys;
}
async function cli(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const terminal = {
    out: (text: string) => void lines.push(text),
    error: (text: string) => void lines.push(text),
  };
  await runCommandLine([...args, '--socket', perimeter.files.internalSocket], terminal);
  return lines.join('\n');
}

test('the key of conference tokens is rolled in mid-meeting, while one edge is away, and the service is killed: all stay in', async () => {
  const before = seats().map(({ seen }) => seen);
  for (const seat of seats()) seat.watch();
  const by = await outsideBy(second.program);
  await second.program.stop();
  const off = () => seats().filter(({ phases }) => phases.includes('dropped'));
  await until('those who came by it are off', () => off().length === by);
  await nothingIsLost(off(), before);
  const { signing } = await conferenceKeys();
  assert.match(await cli('keys', 'roll', 'conference'), new RegExp(`^${signing} +(signs|counts)`, 'm'));
  assert.match(await cli('keys', 'roll', 'conference'), /SLP-WEB-0060/);
  await until('another key signs', async () => (await conferenceKeys()).signing !== signing);
  const keys = await conferenceKeys();
  assert.equal(keys.previous, signing);
  for (const seat of seats()) assert.equal(seat.seen.phase, 'live');
  await kill(perimeter.internal, SERVICE, 420);
  await nothingIsLost(seats(), before);
  await allThatAliceDrewIsThere(420);
  const after = await conferenceKeys();
  assert.deepEqual([after.signing, after.previous], [keys.signing, signing]);
  // The edge that was away hears of both keys when it is dialled.
  await second.program.start();
  await linked();
  await theHandOutIsThere();
  await until('all have tokens of the new key', async () => {
    const shown = await cli('keys', 'show', 'conference');
    return !shown.includes('participants may hold') && /waits: join tokens .* end in \d+ s/.test(shown);
  });
  const { plan } = perimeter;
  const access = { ...plan.access, name: plan.names.access };
  for (const { webConferencing } of [plan, second.plan]) {
    const who: Who = { kind: 'guest', displayName: 'Heidi' };
    const heidi = await join(who, access, plan.clients.carol, [webConferencing.address]);
    await heidi.participant.leave();
  }
  await until('who left is gone', () => seats().every(({ seen }) => seen.users.length === 3));
});

test('one of two edges is lost altogether: those outside come back by the other, and others still join', async () => {
  const before = seats().map(({ seen }) => seen);
  const { edge, plan } = perimeter;
  const [lost, other, there] =
    (await outsideBy(edge)) > 0 ? [edge, second.program, second.plan] : [second.program, edge, plan];
  const by = await outsideBy(lost);
  assert.ok(by > 0);
  const services = ((await lost.status())?.services ?? []).flatMap(({ pid }) => pid ?? []);
  await whileAliceDraws(500, () => {
    for (const pid of [lost.pid ?? assert.fail(), ...services]) process.kill(pid, 'SIGKILL');
  });
  await until('the edge is gone', () => !services.some(isAlive));
  await until('all are with the other edge', async () => (await outsideBy(other)) === 2);
  const off = [alice, grace].filter(({ phases }) => phases.includes('dropped'));
  assert.equal(off.length, by);
  await nothingIsLost(off, before);
  await allThatAliceDrewIsThere(500);
  await allSeeWhatAnyoneDraws(600);
  const guest: Who = { kind: 'guest', displayName: 'Late' };
  const access = { ...there.access, name: there.names.access };
  const late = await join(guest, access, there.clients.carol, [there.webConferencing.address]);
  assert.deepEqual(strokes(late.seen), strokes(alice.seen));
  await late.participant.leave();
  await until('who left is gone', () => seats().every(({ seen }) => seen.users.length === 3));
});
