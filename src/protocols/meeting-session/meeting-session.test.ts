import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock, SeededRandom } from '#kernel';
import { formatJoinAnswer, type Place } from '#protocols/conference';
import { encodeOperation, type JoinRefusal } from '#protocols/psom';
import {
  buildRequest,
  buildResponse,
  formatChallenge,
  parseSipMessage,
  SipRequest,
  sipLimits,
} from '#protocols/sip';
import { type SimpleConnection, SimpleMeeting } from '../psom/testing/simple-meeting.ts';
import type { Channel, ChannelUser } from './channel.ts';
import { MeetingSession, type Who } from './meeting-session.ts';

const conference = { id: 'abcdefghijklmnop', domain: 'conf.example.com' };
const place = (port: number): Place => ({ webSocket: `wss://edge:${port}/psom`, host: 'edge', port });
const challenge = formatChallenge({ realm: conference.domain, nonce: 'n', algorithm: 'MD5', qop: ['auth'] });

/** Of time, between which everything under way arrives. */
const STEP_MS = 1_000;

/** A focus, a meeting and a network that can be cut, without sockets. */
class World {
  readonly clock = new ManualClock();
  readonly meeting = new SimpleMeeting();
  readonly session: MeetingSession;
  readonly stages: string[] = [];
  readonly asked: string[] = [];
  readonly dialled: number[] = [];
  /** What the focus answers to credentials. */
  status = 200;
  network = true;
  /** Packets vanish: nothing is heard, nothing opens, and nothing closes. */
  silent = false;
  /** A place that nobody gets at. */
  unreachable = 0;
  /** Places that let nobody in, by port, and what they say. */
  readonly refusing = new Map<number, { readonly reason: JoinRefusal; readonly retrySeconds: number }>();
  places = [place(443)];
  readonly #open = new Set<{ readonly user: ChannelUser; connection?: SimpleConnection }>();
  #dialog: SipRequest | undefined;

  constructor(who: Who = { kind: 'guest', displayName: 'Zoë\r\nEvil: yes' }) {
    this.session = new MeetingSession({
      ...{ clock: this.clock, random: new SeededRandom(3), conference, key: 'k'.repeat(16), who },
      transport: {
        signalling: 'WSS',
        openSignalling: (user) => this.#channel(user, (bytes) => this.#handleSip(user, Buffer.from(bytes))),
        openPlace: (to, user) => {
          this.dialled.push(to.port);
          const refused = this.refusing.get(to.port);
          if (refused !== undefined)
            return this.#channel(user, () => user.onData(encodeOperation({ kind: 'refused', ...refused })));
          if (to.port !== this.unreachable) return this.#place(user);
          setImmediate(() => user.onClose());
          return { send: () => undefined, close: () => undefined };
        },
      },
    });
    this.session.subscribe(() => {
      const { stage, end } = this.session.snapshot();
      if (this.stages.at(-1) !== stage) this.stages.push(end === undefined ? stage : `${stage}: ${end}`);
    });
  }
  /** Everything under way arrives. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  async wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.clock.advance(Math.min(left, STEP_MS));
      await this.settle();
    }
  }
  /** All connections are gone, and none can be opened until it is back. */
  cut(network = false): void {
    this.network = network;
    for (const one of this.#open) {
      this.#open.delete(one);
      one.connection?.close();
      one.user.onClose();
    }
  }
  /** Connections to a place, and those of signalling. */
  get open(): { readonly places: number; readonly signalling: number } {
    const places = [...this.#open].filter(({ connection }) => connection !== undefined).length;
    return { places, signalling: this.#open.size - places };
  }
  sendBye(cause: number): void {
    const invite = this.#dialog ?? assert.fail();
    const bye = buildRequest({
      method: 'BYE',
      uri: 'sip:x@y.invalid',
      headers: [
        ['Via', 'SIP/2.0/TLS edge;branch=z9hG4bKbye'],
        ['From', `<${invite.to.uri}>;tag=focus`],
        ['To', `<${invite.from.uri}>;tag=${invite.from.tag}`],
        ['Call-ID', invite.callId],
        ['CSeq', '1 BYE'],
        ['Reason', `SIP;cause=${cause};text="Why"`],
      ],
    });
    for (const { user, connection } of this.#open) if (connection === undefined) user.onData(bye);
  }

  #channel(user: ChannelUser, handle: (bytes: Uint8Array) => void, connection?: SimpleConnection): Channel {
    const entry = connection === undefined ? { user } : { user, connection };
    const close = () => {
      if (this.silent) return void this.#open.delete(entry);
      if (this.#open.delete(entry)) setImmediate(() => user.onClose());
      connection?.close();
    };
    setImmediate(() => {
      if (this.silent) return;
      if (!this.network) return user.onClose();
      this.#open.add(entry);
      user.onOpen();
    });
    const carries = () => this.#open.has(entry) && !this.silent;
    return { send: (bytes) => setImmediate(() => carries() && handle(bytes)), close };
  }
  #place(user: ChannelUser): Channel {
    const connection = this.meeting.connect();
    const handle = (bytes: Uint8Array) => {
      connection.handleBytes(bytes);
      for (const one of [...this.#open]) {
        for (const frame of one.connection?.takeOutput() ?? []) one.user.onData(frame);
      }
    };
    return this.#channel(user, handle, connection);
  }
  #handleSip(user: ChannelUser, bytes: Buffer): void {
    const parsed = parseSipMessage(bytes, sipLimits);
    assert.ok(parsed.ok);
    const request = parsed.value;
    if (!(request instanceof SipRequest) || request.method === 'ACK') return;
    this.asked.push(request.method);
    const answer = (status: number, headers: (readonly [string, string])[] = [], body = '') =>
      user.onData(buildResponse(request, status, { toTag: 'focus', headers, body: Buffer.from(body) }));
    if (request.method === 'BYE') return answer(200);
    if (request.header('Authorization') === undefined && request.to.tag === undefined)
      return answer(401, [['WWW-Authenticate', challenge]]);
    if (this.status !== 200) return answer(this.status);
    if (request.method === 'REGISTER') return answer(200);
    this.#dialog = request;
    const token = this.meeting.admit('Zoë').replace(' ', '.');
    this.meeting.tokens.set(token, [...this.meeting.users.keys()].at(-1) ?? 0);
    const { places } = this;
    answer(
      200,
      [['Contact', '<sip:focus@conf.example.com>;isfocus']],
      formatJoinAnswer({
        ...{
          conference,
          title: 'A meeting',
          participant: 1,
          role: 'attendee',
          token,
          tokenSeconds: 60,
          places,
        },
      }),
    );
  }
}

async function inside(who?: Who): Promise<World> {
  const world = new World(who);
  world.session.start();
  await world.settle();
  assert.equal(world.session.snapshot().stage, 'in');
  return world;
}

describe('a session', () => {
  test('of a guest: signalling, INVITE with digest, the meeting, and BYE', async () => {
    const world = await inside();
    assert.deepEqual(world.stages, ['connecting', 'asking', 'entering', 'in']);
    assert.equal(world.session.view.snapshot().title, 'A meeting');
    const left = world.session.leave();
    await world.settle();
    await left;
    assert.deepEqual(world.asked, ['INVITE', 'INVITE', 'BYE']);
    assert.equal(world.stages.at(-1), 'over: left');
  });

  test('of a user: signs in first', async () => {
    const world = await inside({ kind: 'user', address: 'sip:alice@example.com', password: 'secret' });
    assert.deepEqual(world.asked, ['REGISTER', 'REGISTER', 'INVITE', 'INVITE']);
    assert.ok(world.stages.includes('signing-in'));
  });

  test('that is refused says why', async () => {
    const user: Who = { kind: 'user', address: 'sip:alice@example.com', password: 'wrong' };
    for (const [who, status, end] of [
      [undefined, 403, 'wrong-link'],
      [undefined, 480, 'locked'],
      [undefined, 486, 'full'],
      [undefined, 410, 'ended'],
      [undefined, 603, 'removed'],
      [undefined, 606, 'no-guests'],
      [undefined, 500, 'unavailable'],
      [user, 403, 'wrong-password'],
    ] as const) {
      const world = new World(who);
      world.status = status;
      world.session.start();
      await world.settle();
      assert.equal(world.session.snapshot().end, end);
    }
    const nowhere = new World();
    nowhere.network = false;
    nowhere.session.start();
    await nowhere.settle();
    assert.equal(nowhere.session.snapshot().end, 'unreachable');
  });

  test('that loses its connections comes back by its resume token, with growing pauses', async () => {
    const world = await inside();
    world.cut();
    assert.equal(world.session.snapshot().stage, 'reconnecting');
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      pauses.push(world.session.snapshot().retryMs);
      await world.wait(world.session.snapshot().retryMs);
    }
    assert.deepEqual(
      [...pauses].sort((a, b) => a - b),
      pauses,
    );
    assert.equal(world.session.snapshot().attempts, 5);
    world.network = true;
    world.session.retryNow();
    await world.settle();
    assert.equal(world.session.snapshot().stage, 'in');
    assert.equal(world.asked.length, 2, 'without SIP');
    assert.equal(world.meeting.users.size, 1, 'as the same participant');
  });

  test('whose resume token is worth nothing asks the focus again', async () => {
    const world = await inside();
    world.meeting.tokens.clear();
    world.cut(true);
    for (let attempt = 0; attempt < 3; attempt++) await world.wait(20_000);
    assert.equal(world.session.snapshot().stage, 'in');
    assert.deepEqual(world.asked, ['INVITE', 'INVITE', 'INVITE', 'INVITE']);
  });

  test('goes to another place when one cannot be reached', async () => {
    const world = new World();
    world.places = [place(1), place(2)];
    world.unreachable = 1;
    world.session.start();
    await world.settle();
    assert.equal(world.session.snapshot().stage, 'reconnecting');
    await world.wait(1_000);
    assert.equal(world.session.snapshot().stage, 'in');
    assert.deepEqual(world.dialled, [1, 2]);
  });

  test('goes to another place when one has no link to the service or is full, and does not wait as that one asks', async () => {
    for (const reason of ['no-service', 'full'] as const) {
      const world = await inside();
      world.places = [place(1), place(2)];
      world.meeting.tokens.clear();
      world.refusing.set(1, { reason, retrySeconds: 30 });
      world.cut(true);
      await world.wait(1_000);
      await world.wait(2_000);
      await world.wait(4_000);
      assert.equal(world.session.snapshot().stage, 'in', reason);
      assert.equal(world.dialled.at(-1), 2);
    }
  });

  test('heeds what its only place asks for, but never together with all others', async () => {
    const world = await inside();
    world.refusing.set(443, { reason: 'full', retrySeconds: 30 });
    const pauses = new Set<number>();
    for (let again = 0; again < 4; again++) {
      world.cut(true);
      await world.wait(world.session.snapshot().retryMs);
      const { stage, retryMs } = world.session.snapshot();
      assert.equal(stage, 'reconnecting');
      assert.ok(retryMs >= 30_000 && retryMs <= 45_000, `${retryMs}`);
      pauses.add(retryMs);
    }
    assert.ok(pauses.size > 1);
    world.refusing.clear();
    await world.wait(45_000);
    assert.equal(world.session.snapshot().stage, 'in');
    assert.equal(world.asked.length, 2, 'by its resume token');
  });

  test('whose packets vanish notices, does not wait for what never closes or opens, and is back soon after they pass', async () => {
    const world = await inside();
    world.silent = true;
    await world.wait(22_000);
    assert.equal(world.session.snapshot().stage, 'reconnecting');
    await world.wait(60_000);
    assert.ok(world.session.snapshot().attempts >= 3, 'what does not open is given up and tried anew');
    world.silent = false;
    await world.wait(35_000);
    assert.equal(world.session.snapshot().stage, 'in');
    assert.equal(world.asked.length, 2, 'by its resume token');
  });

  test('whose packets vanish while it signs in is told that nobody can be reached', async () => {
    const world = new World();
    world.silent = true;
    world.session.start();
    await world.wait(12_000);
    assert.equal(world.session.snapshot().end, 'unreachable');
  });

  test('tries nothing while the device has no network', async () => {
    const world = await inside();
    world.session.handleOffline();
    await world.settle();
    const dialled = world.dialled.length;
    await world.wait(60_000);
    assert.equal(world.dialled.length, dialled);
    assert.ok(world.session.snapshot().offline);
    world.session.retryNow();
    await world.settle();
    assert.equal(world.session.snapshot().stage, 'in');
  });

  test('has one connection, however often it is told to try', async () => {
    const world = await inside();
    world.cut(true);
    for (let again = 0; again < 3; again++) {
      world.session.retryNow();
      // It is under way, and not there yet.
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
    await world.settle();
    assert.equal(world.session.snapshot().stage, 'in');
    assert.equal(world.open.places, 1);
  });

  test('that is left while it comes in does not come in', async () => {
    for (const turns of [0, 1, 2, 3, 4, 6]) {
      const world = new World();
      world.session.start();
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      const left = world.session.leave();
      await world.settle();
      await world.wait(10_000);
      await left;
      assert.deepEqual(world.open, { places: 0, signalling: 0 }, `after ${turns} turns`);
      assert.equal(world.session.snapshot().end, 'left');
    }
  });

  test('ends when it is removed, and when the meeting is over', async () => {
    const removed = await inside();
    removed.sendBye(603);
    assert.equal(removed.session.snapshot().end, 'removed');
    const over = await inside();
    over.sendBye(410);
    assert.equal(over.session.snapshot().end, 'ended');
    const ended = await inside();
    ended.meeting.end();
    ended.session.view.commands.setLocked(true);
    await ended.settle();
    assert.equal(ended.session.snapshot().end, 'ended');
  });
});
