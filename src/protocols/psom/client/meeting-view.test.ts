import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeOperation } from '../framing/operations.ts';
import { type SimpleConnection, SimpleMeeting, type StoredContent } from '../testing/simple-meeting.ts';
import { MeetingView } from './meeting-view.ts';
import type { ContentView } from './snapshot.ts';

/** A view and its connection, with a wire that delivers only when told. */
class Participant {
  readonly view = new MeetingView({ onOutput: () => undefined });
  readonly #meeting: SimpleMeeting;
  readonly #token: string;
  #connection: SimpleConnection | undefined;

  constructor(meeting: SimpleMeeting, name: string, token = meeting.admit(name)) {
    this.#meeting = meeting;
    this.#token = token;
  }
  get self(): number {
    return this.view.snapshot().self.userId;
  }
  connect(): void {
    this.drop();
    this.#connection = this.#meeting.connect();
    if (this.view.canResume) this.view.resume(0);
    else this.view.join(this.#token, 0);
  }
  /** What waits goes up, and nothing comes down. */
  send(): void {
    for (const frame of this.view.takeOutput()) this.#connection?.handleBytes(frame);
  }
  drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.view.handleClosed();
  }
  /** What waits in either direction arrives; each frame in two pieces towards the view. */
  deliver(): boolean {
    const up = this.view.takeOutput();
    const connection = this.#connection;
    if (connection === undefined) return false;
    for (const frame of up) connection.handleBytes(frame);
    const down = connection.takeOutput();
    for (const frame of down) {
      const cut = frame.length >> 1;
      this.view.handleBytes(frame.subarray(0, cut), 0);
      this.view.handleBytes(frame.subarray(cut), 0);
    }
    return up.length + down.length > 0;
  }
}

/** Until nothing is under way any more, what waits for promises included. */
async function settleAll(participants: readonly Participant[]): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet++) {
    await new Promise((resolve) => setImmediate(resolve));
    for (const one of participants) while (one.deliver()) quiet = 0;
  }
}

async function pair() {
  const meeting = new SimpleMeeting();
  const [anna, ben] = [new Participant(meeting, 'Anna'), new Participant(meeting, 'Ben')];
  anna.connect();
  ben.connect();
  const both = [anna, ben];
  await settleAll(both);
  return { meeting, anna, ben, settle: () => settleAll(both) };
}

/** A content as the server has it, in the words of a view. */
function expected(stored: StoredContent, self: number) {
  const { id, type, title, ownerId, order, annotations, question, open, votes } = stored;
  const drawable = type === 'Content.Ppt' || type === 'Content.Whiteboard';
  const [asked, choices, several] = question;
  const counts = choices.map((_, choice) => [...votes.values()].filter((v) => v.includes(choice)).length);
  return {
    ...{ id, type, title, ownerId, order },
    drawn: drawable
      ? [...annotations.values()].map(({ userId, number, page, points, text }) => {
          return { userId, number, page, points, text };
        })
      : undefined,
    poll:
      type === 'Content.Poll'
        ? {
            ...{ question: asked, choices, several, open, ownVote: votes.get(self) ?? [] },
            results: counts.length === 0 ? undefined : { votes: counts, voters: votes.size },
          }
        : undefined,
  };
}
function seen({ id, type, title, ownerId, order, annotations, poll }: ContentView) {
  const { question, choices, several, open, ownVote, results } = poll ?? {};
  return {
    ...{ id, type, title, ownerId, order },
    drawn: annotations?.all.map(({ userId, number, page, points, text }) => {
      return { userId, number, page, points, text };
    }),
    poll: poll && { question, choices, several, open, ownVote, results },
  };
}
function assertSame(meeting: SimpleMeeting, participant: Participant): void {
  const { self, users, contents, title, locked, activeContent } = participant.view.snapshot();
  assert.deepEqual(
    users.map(({ userId, displayName, presenter }) => [userId, displayName, presenter]),
    [...meeting.users].map(([userId, { name, presenter }]) => [userId, name, presenter]),
  );
  assert.equal(self.presenter, meeting.users.get(self.userId)?.presenter);
  assert.deepEqual([title, locked, activeContent], [meeting.title, meeting.locked, meeting.active]);
  const stored = [...meeting.contents.values()].sort((a, b) => b.order - a.order);
  assert.deepEqual(
    contents.map(seen),
    stored.map((one) => expected(one, self.userId)),
  );
}

/** Anna and Ben with a whiteboard, on which nothing is drawn yet. */
async function atBoard() {
  const all = await pair();
  const created = all.anna.view.commands.create('Board', 'Content.Whiteboard');
  await all.settle();
  const outcome = await created;
  assert.ok(outcome.ok);
  const board = outcome.value;
  const pen = (points: readonly number[]) => {
    const stroke = { page: 1, kind: 'pen', colour: 1, width: 1, points } as const;
    return all.anna.view.commands.draw(board, stroke) ?? assert.fail('it is not drawn');
  };
  const comeBack = async () => {
    all.anna.connect();
    await all.settle();
    for (const one of [all.anna, all.ben]) assertSame(all.meeting, one);
  };
  const drawn = () => all.ben.view.snapshot().contents[0]?.annotations?.all.map(({ points }) => points);
  return { ...all, board, pen, comeBack, drawn };
}

describe('what was drawn when the connection broke off', () => {
  test('is drawn on the next one if it had not arrived', async () => {
    const { anna, board, pen, comeBack, drawn } = await atBoard();
    const first = pen([1, 1]);
    anna.view.commands.extend(board, first, [2, 2]);
    pen([3, 3]);
    anna.view.commands.extend(board, first, [4, 4]);
    await comeBack();
    assert.deepEqual(drawn(), [
      [1, 1, 2, 2, 4, 4],
      [3, 3],
    ]);
    await comeBack();
    assert.equal(drawn()?.length, 2, 'and not again, once it was heard back');
  });

  test('is not drawn twice if only its echo was lost', async () => {
    const { anna, board, pen, comeBack, drawn } = await atBoard();
    const number = pen([1, 1]);
    anna.view.commands.extend(board, number, [2, 2]);
    anna.send();
    await comeBack();
    assert.deepEqual(drawn(), [[1, 1, 2, 2]]);
  });

  test('gets the points that had not arrived, behind those that had', async () => {
    const { anna, board, pen, settle, comeBack, drawn } = await atBoard();
    const number = pen([1, 1]);
    await settle();
    anna.view.commands.extend(board, number, [2, 2]);
    anna.send();
    anna.view.commands.extend(board, number, [3, 3]);
    await comeBack();
    assert.deepEqual(drawn(), [[1, 1, 2, 2, 3, 3]]);
    assert.ok(anna.view.commands.extend(board, number, [4, 4]));
    await settle();
    assert.deepEqual(drawn(), [[1, 1, 2, 2, 3, 3, 4, 4]]);
  });

  test('survives connections that break off one after the other', async () => {
    const { anna, pen, comeBack, drawn } = await atBoard();
    pen([1, 1]);
    anna.connect();
    for (let n = 0; n < 20 && anna.view.phase !== 'live'; n++) anna.deliver();
    assert.equal(anna.view.phase, 'live');
    pen([2, 2]);
    await comeBack();
    assert.deepEqual(drawn(), [
      [1, 1],
      [2, 2],
    ]);
  });

  test('stays away if it was taken back or erased', async () => {
    const { anna, ben, board, pen, settle, comeBack, drawn } = await atBoard();
    pen([1, 1]);
    anna.view.commands.undo(board);
    const number = pen([2, 2]);
    anna.view.commands.erase(board, anna.self, number);
    const erased = pen([3, 3]);
    await settle();
    anna.view.commands.extend(board, erased, [4, 4]);
    anna.drop();
    ben.view.commands.erase(board, anna.self, erased);
    await settle();
    await comeBack();
    assert.deepEqual(drawn(), []);
  });

  test('stays away if it was taken back before anybody heard of it', async () => {
    const { anna, board, pen, settle, comeBack, drawn } = await atBoard();
    pen([1, 1]);
    const erased = pen([2, 2]);
    pen([3, 3]);
    anna.view.commands.undo(board);
    anna.view.commands.erase(board, anna.self, erased);
    await comeBack();
    assert.deepEqual(drawn(), [[1, 1]]);
    anna.view.commands.setPresenter(anna.self, true);
    await settle();
    pen([4, 4]);
    anna.view.commands.clear(board, 1);
    await comeBack();
    assert.deepEqual(drawn(), [[1, 1]], 'what was there before is cleared by asking again');
  });

  test('is gone on with by its number, and that is not lost either', async () => {
    const { anna, board, pen, settle, comeBack, drawn } = await atBoard();
    const number = pen([1, 1]);
    await comeBack();
    anna.view.commands.extend(board, number, [2, 2]);
    await settle();
    assert.deepEqual(drawn(), [[1, 1, 2, 2]]);
    await comeBack();
    anna.view.commands.extend(board, number, [3, 3]);
    await comeBack();
    assert.deepEqual(drawn(), [[1, 1, 2, 2, 3, 3]]);
  });

  test('goes with the content that it was drawn on', async () => {
    const { meeting, anna, ben, board, pen, settle, comeBack } = await atBoard();
    pen([1, 1]);
    anna.drop();
    ben.view.commands.deleteContent(board);
    await settle();
    await comeBack();
    assert.equal(meeting.contents.size, 0);
  });
});

describe('a participant', () => {
  test('joins, is told who and what is there, and hears of changes', async () => {
    const { meeting, anna, ben, settle } = await pair();
    const { phase, users, self, contentToken, availableSpace } = anna.view.snapshot();
    assert.equal(phase, 'live');
    assert.deepEqual(
      users.map(({ displayName }) => displayName),
      ['Anna', 'Ben'],
    );
    assert.equal(self.userId, users[0]?.userId);
    assert.deepEqual([contentToken, availableSpace], ['content', 1_000_000]);
    const before = ben.view.snapshot();
    assert.equal(ben.view.snapshot(), before, 'the same object while nothing changes');
    let heard = 0;
    const unsubscribe = ben.view.subscribe(() => heard++);
    const created = anna.view.commands.create('Board', 'Content.Whiteboard');
    await settle();
    const outcome = await created;
    assert.ok(outcome.ok);
    assert.ok(heard > 0);
    unsubscribe();
    assert.notEqual(ben.view.snapshot(), before);
    assertSame(meeting, ben);
    const again = anna.view.commands.create('Board', 'Content.Whiteboard');
    await settle();
    assert.deepEqual(await again, { ok: false, error: 'title-taken' });
  });

  test('draws: sees it at once, others when it arrives, and both the same after an undo', async () => {
    const { meeting, anna, ben, settle } = await pair();
    const created = anna.view.commands.create('Board', 'Content.Whiteboard');
    await settle();
    const board = await created;
    assert.ok(board.ok);
    const line = { page: 1, kind: 'pen' as const, colour: 0xff0000, width: 3, points: [1, 2] };
    const number = anna.view.commands.draw(board.value, line) ?? assert.fail();
    anna.view.commands.extend(board.value, number, [3, 4]);
    assert.deepEqual(anna.view.snapshot().contents[0]?.annotations?.all[0]?.points, [1, 2, 3, 4]);
    await settle();
    assertSame(meeting, anna);
    assertSame(meeting, ben);
    const kept = ben.view.snapshot().contents[0]?.annotations?.all[0];
    ben.view.commands.draw(board.value, { ...line, kind: 'text', text: '<script>' });
    await settle();
    assert.equal(ben.view.snapshot().contents[0]?.annotations?.all[0], kept, 'nothing is drawn anew');
    assert.equal(anna.view.snapshot().contents[0]?.annotations?.all[1]?.text, '<script>');
    ben.view.commands.point(board.value, 1, 500, 250);
    ben.view.commands.undo(board.value);
    await settle();
    assert.equal(anna.view.snapshot().contents[0]?.annotations?.all.length, 1);
    assert.deepEqual(anna.view.snapshot().contents[0]?.annotations?.pointers, [
      { userId: ben.self, page: 1, x: 500, y: 250, sequence: 1 },
    ]);
  });

  test('numbers what it draws beyond what the same participant drew before', async () => {
    const { meeting, anna, settle } = await pair();
    const created = anna.view.commands.create('Board', 'Content.Whiteboard');
    await settle();
    const board = await created;
    assert.ok(board.ok);
    const line = { page: 1, kind: 'pen' as const, colour: 1, width: 3, points: [1, 2] };
    anna.view.commands.draw(board.value, line);
    await settle();
    meeting.tokens.set('again', anna.self);
    const again = new Participant(meeting, '', 'again');
    again.connect();
    await settleAll([again]);
    assert.equal(again.view.commands.draw(board.value, line), 2);
  });

  test('uploads a hand-out and slides within what is granted, and can cancel', async () => {
    const { meeting, anna, ben, settle } = await pair();
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    const source = {
      length: bytes.length,
      read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
    };
    const progress: number[] = [];
    anna.view.subscribe(() => progress.push(anna.view.snapshot().uploads[0]?.sent ?? -1));
    const upload = anna.view.commands.uploadFile('notes.pdf', source);
    await settle();
    assert.equal(await upload, undefined);
    assert.ok(progress.includes(10_000), 'no more than was granted at first');
    assert.deepEqual(ben.view.snapshot().contents[0]?.file, {
      name: 'notes.pdf',
      hash: Buffer.from(bytes.subarray(0, 32)).toString('hex'),
      size: bytes.length,
    });
    const [stored] = meeting.contents.values();
    assert.deepEqual(stored?.file, bytes);

    const created = anna.view.commands.create('Talk', 'Content.Ppt');
    await settle();
    const talk = await created;
    assert.ok(talk.ok);
    const slide = anna.view.commands.uploadSlide(talk.value, 1, 'Talk', source);
    await settle();
    assert.equal(await slide, undefined);
    assert.equal(ben.view.snapshot().contents[0]?.slides?.slides.length, 1);

    meeting.grant = 1_000;
    const cancelled = anna.view.commands.uploadSlide(talk.value, 2, 'Talk', {
      ...source,
      read: () => new Promise(() => {}),
    });
    await settle();
    const [running] = anna.view.snapshot().uploads;
    assert.equal(running?.state, 'sending');
    anna.view.commands.cancelUpload(running?.cookie ?? 0);
    assert.equal(await cancelled, 'cancelled');
    assert.deepEqual(anna.view.snapshot().uploads, []);
  });

  test('keeps what it saw over a drop, and shows the new state only when it is whole', async () => {
    const { meeting, anna, ben, settle } = await pair();
    const created = anna.view.commands.create('Board', 'Content.Whiteboard');
    await settle();
    assert.ok((await created).ok);
    const waiting = ben.view.commands.create('Another', 'Content.Poll');
    ben.drop();
    assert.deepEqual(await waiting, { ok: false, error: 'dropped' });
    assert.equal(ben.view.snapshot().phase, 'dropped');
    assert.equal(ben.view.snapshot().contents.length, 1);
    assert.equal(ben.view.commands.setLocked(true), false, 'nothing can be asked');
    const poll = anna.view.commands.create('Question', 'Content.Poll');
    await settle();
    const asked = await poll;
    assert.ok(asked.ok);
    anna.view.commands.setQuestion(asked.value, 'Tea?', ['yes', 'no'], false);
    const sizes = new Set<number>();
    ben.view.subscribe(() => sizes.add(ben.view.snapshot().contents.length));
    ben.connect();
    await settle();
    assert.equal(ben.view.snapshot().phase, 'live');
    assert.deepEqual([...sizes], [1, 2], 'never the half of it');
    assertSame(meeting, ben);
  });

  test('draws again what the server had not heard when the connection broke, and nothing that it had', async () => {
    const { meeting, anna, ben, settle } = await pair();
    const created = anna.view.commands.create('Board', 'Content.Whiteboard');
    await settle();
    const board = await created;
    assert.ok(board.ok);
    const line = { page: 1, kind: 'pen' as const, colour: 1, width: 3, points: [1, 2] };
    const { commands } = ben.view;
    const known = commands.draw(board.value, line) ?? assert.fail();
    const erased = commands.draw(board.value, { ...line, points: [9, 9] }) ?? assert.fail();
    await settle();
    // These are on their way when the connection breaks.
    commands.extend(board.value, known, [3, 4]);
    commands.draw(board.value, { ...line, kind: 'text', text: 'lost', points: [5, 6] });
    ben.drop();
    anna.view.commands.erase(board.value, ben.self, erased);
    await settle();
    ben.connect();
    await settle();
    assertSame(meeting, anna);
    assertSame(meeting, ben);
    const drawn = anna.view
      .snapshot()
      .contents[0]?.annotations?.all.map(({ points, text }) => [points, text]);
    assert.deepEqual(drawn, [
      [[1, 2, 3, 4], ''],
      [[5, 6], 'lost'],
    ]);
    ben.connect();
    await settle();
    assert.equal(
      anna.view.snapshot().contents[0]?.annotations?.all.length,
      2,
      'once, and not with each drop',
    );
    assertSame(meeting, ben);
  });

  test('hears why it is refused, and that the meeting has ended', async () => {
    const { meeting, anna, settle } = await pair();
    const view = new MeetingView({ onOutput: () => undefined });
    view.join('nothing', 0);
    view.handleBytes(encodeOperation({ kind: 'refused', reason: 'slow-down', retrySeconds: 30 }), 0);
    assert.deepEqual(
      [view.phase, view.snapshot().refusal],
      ['refused', { reason: 'slow-down', retrySeconds: 30 }],
    );
    meeting.end();
    await settle();
    assert.equal(anna.view.phase, 'ended');
    assert.ok(!anna.view.canResume);
  });

  test('asks when it hears nothing, and then gives the connection up', async () => {
    const { anna } = await pair();
    assert.ok(anna.view.handleTime(7_000));
    assert.deepEqual(anna.view.takeOutput(), []);
    assert.ok(anna.view.handleTime(9_000));
    assert.deepEqual(anna.view.takeOutput(), [encodeOperation({ kind: 'ping', cookie: 0 })]);
    assert.ok(!anna.view.handleTime(21_000));
    assert.equal(anna.view.phase, 'dropped');
    assert.ok(anna.view.canResume);
  });

  test('says something from time to time, though it hears enough: whoever is silent for long counts as gone', async () => {
    const { anna, ben } = await pair();
    const pings: number[] = [];
    for (let now = 1_000; now <= 90_000; now += 1_000) {
      // Something is told all the time, and nothing has to be said.
      anna.view.handleBytes(encodeOperation({ kind: 'ping', cookie: 1 }).subarray(0, 0), now);
      assert.ok(anna.view.handleTime(now));
      if (anna.view.takeOutput().length > 0) pings.push(now);
    }
    assert.ok(pings.length >= 2 && pings.length < 10, `${pings.length}`);
    ben.drop();
  });

  test('a server that says what it may not is left', async () => {
    for (const bytes of [
      encodeOperation({ kind: 'pong', cookie: 1 }),
      Uint8Array.of(0xff, 0xff, 17),
      Uint8Array.of(0, 1, 99),
    ]) {
      const view = new MeetingView({ onOutput: () => undefined });
      view.join('token', 0);
      view.handleBytes(bytes, 0);
      assert.equal(view.phase, 'dropped');
      assert.notEqual(view.fault, undefined);
    }
  });
});

const action = fc.record({
  who: fc.constantFrom(0, 1),
  what: fc.constantFrom(
    ...(['board', 'poll', 'draw', 'extend', 'erase', 'undo', 'clear', 'question', 'vote', 'rename'] as const),
    ...(['first', 'delete', 'lock', 'presenter', 'drop', 'connect', 'deliver', 'deliver'] as const),
  ),
  pick: fc.nat(30),
});

test('whatever two participants do, drop and come back: both end with what the server has', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const { meeting, anna, ben, settle } = await pair();
      const both = [anna, ben];
      for (const { who, what, pick } of actions) {
        const one = both[who] ?? anna;
        const { commands } = one.view;
        const { contents, users } = one.view.snapshot();
        const chosen = contents[pick % contents.length];
        const id = chosen?.id ?? 0;
        const drawn = chosen?.annotations?.all[pick % (chosen.annotations.all.length || 1)];
        const line = { page: pick % 3, kind: 'line' as const, colour: 1, width: 1, points: [pick, 1] };
        if (what === 'board') void commands.create(`board ${pick}`, 'Content.Whiteboard');
        else if (what === 'poll') void commands.create(`poll ${pick}`, 'Content.Poll');
        else if (what === 'draw') commands.draw(id, line);
        else if (what === 'extend' && drawn?.userId === one.self) commands.extend(id, drawn.number, [pick]);
        else if (what === 'erase' && drawn) commands.erase(id, drawn.userId, drawn.number);
        else if (what === 'undo') commands.undo(id);
        else if (what === 'clear') commands.clear(id, pick % 3);
        else if (what === 'question') commands.setQuestion(id, `question ${pick}`, ['a', 'b'], false);
        else if (what === 'vote') commands.vote(id, [pick % 2]);
        else if (what === 'rename') void commands.rename(id, `title ${pick}`);
        else if (what === 'first') commands.moveFirst(id);
        else if (what === 'delete') commands.deleteContent(id);
        else if (what === 'lock') commands.setLocked(pick % 2 === 0);
        else if (what === 'presenter') commands.setPresenter(users[pick % users.length]?.userId ?? 0, true);
        else if (what === 'drop') one.drop();
        else if (what === 'connect') one.connect();
        else if (what === 'deliver') one.deliver();
      }
      for (const one of both) if (one.view.phase !== 'live') one.connect();
      await settle();
      for (const one of both) {
        assert.equal(one.view.phase, 'live');
        assertSame(meeting, one);
        one.connect();
      }
      await settle();
      for (const one of both) assertSame(meeting, one);
    }),
    { numRuns: 150 },
  );
});
