import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALICE, Table, until } from '../testing/table.ts';

test('who joins is told the whole state, and everyone hears of who comes, leaves and changes', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE, { displayName: 'Alice' });
  assert.deepEqual(alice.seen.self, { userId: alice.number, presenter: true });
  assert.equal(alice.seen.title, 'Plans');
  const bob = await table.guest('Bob');
  assert.equal(bob.seen.self.presenter, false);
  await until(() => alice.seen.users.length === 2);
  assert.deepEqual(alice.seen.users[1], {
    ...{ userId: bob.number, displayName: 'Bob', presenter: false, outside: true },
  });
  alice.view.commands.setPresenter(bob.number, true);
  await until(() => bob.seen.users.find((one) => one.userId === bob.number)?.presenter === true);
  table.meetings.leave(table.id, bob.number);
  await until(() => alice.seen.users.length === 1);
});

test('a locked meeting lets in nobody but those who are expected', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  alice.view.commands.setLocked(true);
  await until(() => alice.seen.locked);
  const carol = {
    address: 'carol@example.com',
    displayName: '',
    kind: 'user',
    outside: false,
    device: '',
  } as const;
  assert.deepEqual(table.meetings.admit(table.id, carol), { ok: false, error: 'locked' });
  table.meetings.open(table.id)?.allow('carol@example.com');
  assert.ok(table.meetings.admit(table.id, carol).ok);
});

test('who was removed comes in no more, by no token; the organizer cannot be removed', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.join('bob@example.com');
  table.meetings.open(table.id)?.appoint('bob@example.com');
  table.meetings.flush();
  await until(() => bob.seen.users.find((one) => one.userId === bob.number)?.presenter === true);
  bob.view.commands.removeUser(alice.number);
  alice.view.commands.removeUser(bob.number);
  await until(() => bob.view.phase === 'dropped');
  assert.equal(alice.view.phase, 'live');
  const who = {
    address: 'bob@example.com',
    displayName: '',
    kind: 'user',
    outside: false,
    device: '',
  } as const;
  assert.deepEqual(table.meetings.admit(table.id, who), { ok: false, error: 'removed' });
  bob.reconnect();
  await until(() => bob.view.phase === 'refused');
  assert.equal(bob.seen.refusal?.reason, 'removed');
});

test('the end of a meeting is told to everyone, and nobody comes in any more', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.guest('Bob');
  const gone: unknown[] = [];
  table.meetings.onDeparture((_, number, why) => void gone.push([number, why]));
  alice.view.commands.endMeeting();
  await until(() => alice.view.phase === 'ended' && bob.view.phase === 'ended');
  assert.deepEqual(gone, [
    [alice.number, 'ended'],
    [bob.number, 'ended'],
  ]);
  const who = { address: ALICE, displayName: '', kind: 'user', outside: false, device: '' } as const;
  assert.deepEqual(table.meetings.admit(table.id, who), { ok: false, error: 'ended' });
});

test("a title is one content's; a reservation ends with its connection", async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.join('bob@example.com');
  alice.view.commands.setPresenter(bob.number, true);
  await until(() => bob.seen.users.find((one) => one.userId === bob.number)?.presenter === true);
  await alice.create('Board', 'Content.Whiteboard');
  assert.deepEqual(await bob.view.commands.create('  BOARD ', 'Content.Poll'), {
    ok: false,
    error: 'title-taken',
  });
  const id = await bob.create('Other', 'Content.Poll');
  assert.equal(await bob.view.commands.rename(id, 'board'), 'taken');
  assert.equal(await bob.view.commands.rename(id, 'Third'), undefined);
  await until(() => alice.seen.contents.some((one) => one.title === 'Third'));
  assert.deepEqual(await alice.view.commands.create('Other', 'Content.Poll').then((one) => one.ok), true);
});

test('what is drawn is the same on every screen, for those who come later too', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.guest('Bob');
  const id = await alice.create('Board', 'Content.Whiteboard');
  await until(() => bob.seen.contents.length === 1);
  const shape = { page: 1, colour: 0xff0000, width: 4 };
  const pen = bob.view.commands.draw(id, { ...shape, kind: 'pen', points: [10, 10] });
  assert.ok(pen);
  bob.view.commands.extend(id, pen, [20, 20, 30, 25]);
  alice.view.commands.draw(id, { ...shape, kind: 'text', points: [5, 5], text: '<script>alert(1)</script>' });
  alice.view.commands.draw(id, { ...shape, kind: 'arrow', points: [0, 0, 100, 100] });
  const drawn = (client: typeof alice) => client.content('Board')?.annotations?.all ?? [];
  await until(() => drawn(alice).length === 3 && drawn(bob).length === 3);
  await until(() => drawn(alice).find((one) => one.kind === 'pen')?.points.length === 6);
  const late = await table.guest('Late');
  assert.deepEqual(drawn(late), drawn(alice));
  bob.view.commands.undo(id);
  await until(() => drawn(alice).length === 2 && drawn(late).length === 2);
  bob.view.commands.clear(id, 1);
  alice.view.commands.erase(id, alice.number, 2);
  await until(() => drawn(bob).length === 1, 'an attendee clears nothing');
  alice.view.commands.clear(id, 1);
  await until(() => drawn(bob).length === 0 && drawn(late).length === 0);
});

test('what the meeting does not take disappears from the screen of whoever drew it', async () => {
  await using table = new Table({ limits: { annotations: 2 } });
  const alice = await table.join(ALICE);
  const id = await alice.create('Board', 'Content.Whiteboard');
  const shape = { colour: 1, width: 1, kind: 'line', points: [0, 0, 1, 1] } as const;
  for (const page of [1, 0, 2, 3]) alice.view.commands.draw(id, { ...shape, page });
  const drawn = () => alice.content('Board')?.annotations?.all.map(({ page }) => page);
  await until(() => drawn()?.join() === '1,2', 'no page 0, and no third');
  const pen = alice.view.commands.draw(id, { ...shape, page: 1, kind: 'pen', points: [1, 1] });
  assert.ok(pen);
  alice.view.commands.extend(id, pen, [1, 2]);
  await until(() => drawn()?.join() === '1,2');
});

test('a pointer passes: others see it, and who comes later does not', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.guest('Bob');
  const id = await alice.create('Board', 'Content.Whiteboard');
  await until(() => bob.seen.contents.length === 1);
  alice.view.commands.point(id, 1, 500, 300);
  await until(() => bob.content('Board')?.annotations?.pointers.length === 1);
  assert.deepEqual(alice.content('Board')?.annotations?.pointers, []);
  const late = await table.guest('Late');
  assert.deepEqual(late.content('Board')?.annotations?.pointers, []);
});

test('votes are counted once for each voter, and told as numbers to those who may see them', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const [bob, carol] = [await table.guest('Bob'), await table.guest('Carol')];
  const id = await alice.create('Lunch', 'Content.Poll');
  const poll = (client: typeof alice) => client.content('Lunch')?.poll;
  alice.view.commands.setQuestion(id, 'What?', ['Soup', 'Salad'], false);
  await until(() => bob.seen.contents.length === 1 && poll(bob)?.choices.length === 2);
  bob.view.commands.vote(id, [0]);
  alice.view.commands.setPollOpen(id, true);
  await until(() => poll(bob)?.open === true && poll(carol)?.open === true);
  assert.deepEqual(poll(bob)?.ownVote, [], 'a closed poll takes no vote');
  bob.view.commands.vote(id, [0]);
  bob.view.commands.vote(id, [0, 1]);
  bob.view.commands.vote(id, [2]);
  bob.view.commands.vote(id, [1]);
  carol.view.commands.vote(id, [1]);
  await until(() => poll(alice)?.results?.voters === 2 && poll(bob)?.ownVote.join() === '1');
  assert.deepEqual(poll(alice)?.results, { votes: [0, 2], voters: 2 });
  assert.equal(poll(bob)?.results, undefined);
  alice.view.commands.setResultsShown(id, true);
  await until(() => poll(bob)?.results?.voters === 2);
  carol.view.commands.vote(id, []);
  await until(() => poll(bob)?.results?.voters === 1);
  alice.view.commands.setQuestion(id, 'Another?', ['Yes', 'No'], false);
  alice.view.commands.setResultsShown(id, false);
  await until(() => poll(bob)?.results === undefined);
  assert.equal(poll(bob)?.question, 'What?', 'a question with votes stays');
  alice.view.commands.clearVotes(id);
  await until(() => poll(bob)?.ownVote.length === 0 && poll(alice)?.results?.voters === 0);
});

test('a user has one vote on two devices', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const phone = await table.join('bob@example.com', { device: 'phone' });
  const desk = await table.join('bob@example.com', { device: 'desk' });
  const id = await alice.create('Lunch', 'Content.Poll');
  alice.view.commands.setQuestion(id, 'What?', ['Soup', 'Salad'], false);
  alice.view.commands.setPollOpen(id, true);
  await until(
    () => phone.seen.contents[0]?.poll?.open === true && desk.seen.contents[0]?.poll?.open === true,
  );
  phone.view.commands.vote(id, [0]);
  await until(() => desk.content('Lunch')?.poll?.ownVote.join() === '0');
  desk.view.commands.vote(id, [1]);
  await until(() => alice.content('Lunch')?.poll?.results?.votes.join() === '0,1');
});

test('a content that is for presenters is there for nobody else, in replay, broadcast and titles', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.guest('Bob');
  const id = await alice.create('Secret', 'Content.Whiteboard');
  await until(() => bob.seen.contents.length === 1);
  alice.view.commands.present(id);
  await until(() => bob.seen.activeContent === id);
  alice.view.commands.setVisibility(id, 'presenters');
  await until(() => bob.seen.contents.length === 0);
  assert.equal(bob.seen.activeContent, 0);
  const late = await table.guest('Late');
  assert.deepEqual([late.seen.contents.length, late.seen.activeContent], [0, 0]);
  alice.view.commands.setPresenter(bob.number, true);
  await until(() => bob.seen.contents.length === 1 && bob.seen.activeContent === id);
  alice.view.commands.setVisibility(id, 'organizer');
  await until(() => bob.seen.contents.length === 0);
  assert.deepEqual(await bob.view.commands.create('secret', 'Content.Poll'), {
    ok: false,
    error: 'title-taken',
  });
  alice.view.commands.setVisibility(id, 'everyone');
  await until(() => late.seen.contents.length === 1 && late.seen.activeContent === id);
});

test('an attendee presents nothing, creates nothing and changes nothing of others', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.guest('Bob');
  const id = await alice.create('Board', 'Content.Whiteboard');
  const poll = await alice.create('Lunch', 'Content.Poll');
  await until(() => bob.seen.contents.length === 2);
  const { commands } = bob.view;
  assert.deepEqual(await commands.create('Mine', 'Content.Poll'), { ok: false, error: 'title-taken' });
  commands.present(id);
  commands.deleteContent(id);
  commands.setVisibility(id, 'organizer');
  commands.setLocked(true);
  commands.setPresenter(bob.number, true);
  commands.removeUser(alice.number);
  commands.endMeeting();
  commands.setQuestion(poll, 'Mine?', ['Yes'], false);
  commands.setPollOpen(poll, true);
  commands.moveFirst(id);
  assert.equal(await commands.rename(id, 'Mine'), 'not-allowed');
  const { seen } = alice;
  assert.deepEqual(
    [seen.phase, seen.locked, seen.activeContent, seen.contents.length],
    ['live', false, 0, 2],
  );
  assert.deepEqual(
    seen.users.map(({ presenter }) => presenter),
    [true, false],
  );
  assert.equal(alice.content('Lunch')?.poll?.question, '');
  assert.equal(alice.content('Board')?.visibility, 'everyone');
});

test('the baton: who presents shows a content, another takes over, and it is put down when its holder leaves', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.join('bob@example.com');
  alice.view.commands.setPresenter(bob.number, true);
  const id = await alice.create('Board', 'Content.Whiteboard');
  await until(() => bob.seen.contents.length === 1);
  alice.view.commands.present(id);
  await until(() => bob.seen.activePresenter === alice.number && bob.content('Board')?.presented === true);
  bob.view.commands.present(id);
  await until(() => alice.seen.activePresenter === bob.number);
  assert.equal(alice.content('Board')?.presenterId, bob.number);
  table.meetings.leave(table.id, bob.number);
  await until(() => alice.seen.activePresenter === 0);
  assert.equal(alice.seen.activeContent, id, 'what was shown stays');
  alice.view.commands.present(id);
  await until(() => alice.seen.activePresenter === alice.number);
  alice.view.commands.stopPresenting(id);
  await until(() => alice.seen.activeContent === 0 && alice.seen.activePresenter === 0);
  alice.view.commands.deleteContent(id);
  await until(() => alice.seen.contents.length === 0);
});
