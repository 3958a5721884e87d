import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingsOf } from './settings.ts';
import { DOMAIN, Stage } from './testing/stage.ts';
import { ALICE, type Client, Table, until } from './testing/table.ts';

/** A meeting under the limits of a document. */
async function tableWith(limits: Readonly<Record<string, number>>): Promise<Table> {
  await using stage = await Stage.open({});
  const settings = settingsOf(stage.document({ domain: DOMAIN, limits }));
  assert.ok(settings);
  return new Table({ limits: settings.limits, session: settings.session });
}
function source(bytes: Uint8Array) {
  return {
    length: bytes.length,
    read: async (from: number, length: number) => bytes.subarray(from, from + length),
  };
}

test('there are no more contents in a meeting than the document allows [setting webConferencing.limits.contents]', async () => {
  for (const most of [1, 2]) {
    await using table = await tableWith({ contents: most });
    const alice = await table.join(ALICE);
    for (let n = 1; n <= most; n++) await alice.create(`Board ${n}`, 'Content.Whiteboard');
    const outcome = await alice.view.commands.create('One more', 'Content.Whiteboard');
    assert.deepEqual(outcome, { ok: false, error: 'not-allowed' });
    assert.equal(alice.seen.contents.length, most);
  }
});

test('no more is drawn on a content than the document allows [setting webConferencing.limits.annotations]', async () => {
  for (const most of [1, 3]) {
    await using table = await tableWith({ annotations: most });
    const [alice, bob] = [await table.join(ALICE), await table.guest('Bob')];
    const id = await alice.create('Board', 'Content.Whiteboard');
    for (let n = 0; n < 4; n++)
      alice.view.commands.draw(id, { page: 1, kind: 'pen', colour: 0, width: 1, points: [n, n] });
    const drawn = (client: Client) => client.content('Board')?.annotations?.all.length;
    await until(() => drawn(alice) === most && drawn(bob) === most);
  }
});

test('a file is no larger than the document allows, nor are all together [setting webConferencing.limits.fileBytes] [setting webConferencing.limits.meetingBytes]', async () => {
  const upload = async (limits: Readonly<Record<string, number>>, sizes: readonly number[]) => {
    await using table = await tableWith(limits);
    const alice = await table.join(ALICE);
    const outcomes: unknown[] = [];
    for (const [index, size] of sizes.entries()) {
      const bytes = new Uint8Array(size).fill(index);
      outcomes.push(await alice.view.commands.uploadFile(`file ${index}`, source(bytes)));
    }
    return outcomes;
  };
  assert.deepEqual(await upload({ fileBytes: 2000 }, [2000, 2001]), [undefined, 'too-large']);
  assert.deepEqual(await upload({ fileBytes: 3000 }, [2001]), [undefined]);
  assert.deepEqual(await upload({ meetingBytes: 3000 }, [2000, 2000]), [undefined, 'no-space']);
  assert.deepEqual(await upload({ meetingBytes: 4000 }, [2000, 2000]), [undefined, undefined]);
});

test('files are in the folder that the document names [setting webConferencing.filesDirectory]', async () => {
  await using stage = await Stage.open();
  const there = () => readdirSync(stage.folder).filter((name) => name.includes('files'));
  assert.deepEqual(there(), ['web-conferencing-files']);
  await stage.use({ domain: DOMAIN, filesDirectory: join(stage.folder, 'other-files') });
  assert.deepEqual(there().sort(), ['other-files', 'web-conferencing-files']);
});

test('who does more than the document allows is heard more slowly, and all of it is heard [setting webConferencing.limits.callsPerSecond]', async () => {
  for (const [callsPerSecond, waits] of [
    [20, true],
    [10_000, false],
  ] as const) {
    await using table = await tableWith({ callsPerSecond });
    const alice = await table.join(ALICE);
    const id = await alice.create('Board', 'Content.Whiteboard');
    for (let n = 0; n < 300; n++)
      alice.view.commands.draw(id, { page: 1, kind: 'pen', colour: 0, width: 1, points: [n, n] });
    const late = () => table.store.load(table.id)?.annotations.length ?? 0;
    await until(() => (waits ? alice.wire.paused : late() === 300));
    assert.equal(late() < 300, waits);
    await until(() => {
      table.clock.advance(100);
      return late() === 300;
    });
  }
});

test('a participant that reads nothing is cut at the bound that the document sets, and can come back [setting webConferencing.limits.waitingBytes]', async () => {
  const POINTS = Array.from({ length: 10_000 }, (_, index) => index % 100);
  for (const [waitingBytes, cut] of [
    [524_288, true],
    [4_194_304, false],
  ] as const) {
    await using table = await tableWith({ waitingBytes });
    const [alice, bob] = [await table.join(ALICE), await table.guest('Bob')];
    const id = await alice.create('Board', 'Content.Whiteboard');
    await until(() => bob.seen.contents.length === 1);
    bob.wire.stalled = true;
    for (let n = 0; n < 20; n++)
      alice.view.commands.draw(id, { page: 1, kind: 'pen', colour: 0, width: 1, points: POINTS });
    await until(
      () =>
        alice.content('Board')?.annotations?.all.length === 20 &&
        table.store.load(table.id)?.annotations.length === 20,
    );
    await until(() => bob.wire.closed === cut);
    assert.equal(bob.wire.reason, cut ? 'slow-reader' : undefined);
    if (!cut) continue;
    await bob.resume();
    await until(() => bob.content('Board')?.annotations?.all.length === 20);
  }
});

test('an operator is told when a meeting cannot remember what is decided about one more address', async () => {
  await using stage = await Stage.open();
  const { id } = await stage.ask<{ id: string }>('create', { title: 'Plans', organizer: ALICE });
  const admit = (address: string) => stage.ask('admit', { meeting: id, address });
  for (let n = 0; n < 1000; n++) await admit(`user${n}@example.com`);
  await assert.rejects(admit('one.more@example.com'), /SLP-WEB-0059/);
  await admit('user7@example.com');
});
