import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { buildMeeting } from '#tools/build-meeting';
import { launchBrowser } from '../lab/testing/browser.ts';
import { ToyEdge } from '../participant/testing/toy-edge.ts';
import { en, type Words } from './client/i18n/en.ts';
import { fr } from './client/i18n/fr.ts';
import { serveBuiltClient } from './testing/built-client.ts';
import { MeetingPage, makePdf } from './testing/meeting-page.ts';

/*
 * The client for those who do not see, point or move as others do, in a browser that we did not write: each main state in both languages, both
 * colour schemes, on a screen and on a phone, by the rules of axe-core and by what the browser tells a screen reader; and a whole
 * meeting with the keyboard alone.
 */
const ADDRESS = '127.87.2.1';
const SCREEN = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

interface Reader {
  readonly what: string;
  readonly page: MeetingPage;
  readonly words: Words;
  readonly phone: boolean;
}

let edge: ToyEdge;
let folder: string;
let browser: Browser;
/** Presents; the others look. */
let zoe: MeetingPage;
const readers: Reader[] = [];

async function open(words: Words, options: BrowserContextOptions): Promise<MeetingPage> {
  return MeetingPage.open(browser, edge.link, { locale: words === fr ? 'fr-FR' : 'en-GB', ...options });
}

before(async () => {
  await buildMeeting({ force: false });
  edge = await ToyEdge.start(
    ADDRESS,
    serveBuiltClient(() => `${edge.place.name}:${edge.place.port}`),
  );
  edge.meeting.presenters = true;
  folder = mkdtempSync(join(tmpdir(), 'sallyport-accessible-'));
  const authority = join(folder, 'ca.pem');
  writeFileSync(authority, edge.authority.certificatePem);
  browser = await launchBrowser({ folder, authority, hosts: new Map([[edge.place.name, ADDRESS]]) });
  zoe = await open(en, SCREEN);
  for (const [words, colorScheme, size] of [
    [en, 'light', SCREEN],
    [fr, 'dark', SCREEN],
    [en, 'dark', PHONE],
    [fr, 'light', PHONE],
  ] as const) {
    const page = await open(words, { ...size, colorScheme });
    const what = `${words.language} ${colorScheme} ${size.viewport.width}`;
    readers.push({ what, page, words, phone: size === PHONE });
  }
});
after(async () => {
  await browser?.close();
  edge?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Nothing is wrong with the page of any reader. */
async function fine(state: string): Promise<void> {
  const found = await Promise.all(
    readers.map(async ({ what, page }) => [what, await page.accessibility()] as const),
  );
  for (const [what, wrong] of found) assert.deepEqual(wrong, [], `${state}, ${what}`);
}
async function each(act: (reader: Reader) => Promise<unknown>): Promise<void> {
  await Promise.all(readers.map((reader) => act(reader)));
}
/** One of the three parts of the meeting, which a phone shows one at a time. */
function part(tab: 'stage' | 'content' | 'people'): Promise<void> {
  return each(async ({ page: { page }, words, phone }) => {
    const name = words.room.tabs[tab];
    if (phone) await page.getByRole('navigation').getByRole('button', { name }).click();
    else if (tab !== 'stage') await page.getByRole('tab', { name }).click();
  });
}

describe('each main state, in both languages and colour schemes, on a screen and on a phone', () => {
  test('the join page, with what is missing and with what went wrong', async () => {
    await each(({ page: { page }, words }) => page.getByText(words.join.check.good).waitFor());
    await fine('join');
    await each(({ page: { page }, words }) => page.getByRole('button', { name: words.join.go }).click());
    await fine('a name is missing');
    edge.status = 480;
    await each(async ({ page: { page }, words }) => {
      await page.getByLabel(words.join.name).fill('Reader');
      await page.getByRole('button', { name: words.join.go }).click();
      await page.getByRole('alert').getByText(words.problems.locked.title).waitFor();
    });
    await fine('the meeting is locked');
    edge.status = 200;
  });

  test('a meeting in which nothing is shown, its people, and the menus of both', async () => {
    await each(async ({ page: { page }, words }) => {
      await page.getByRole('button', { name: words.join.go }).click();
      await page.getByRole('region', { name: words.stage.label }).waitFor();
    });
    await zoe.joinAsGuest('Zoe');
    await fine('nothing is shown');
    await part('content');
    await each(({ page: { page }, words }) => page.getByRole('button', { name: words.content.add }).click());
    await fine('the menu to add');
    await each(({ page: { page } }) => page.keyboard.press('Escape'));
    await part('people');
    await each(({ page: { page }, words }) =>
      page.getByRole('button', { name: words.people.more('Zoe') }).click(),
    );
    await fine('what can be done about somebody');
    await each(async ({ page: { page }, words }) => {
      await page.getByRole('menuitem', { name: words.people.removeShort }).click();
      await page.getByRole('dialog').waitFor();
    });
    await fine('a question before somebody is removed');
    await each(({ page: { page } }) => page.keyboard.press('Escape'));
    await part('stage');
  });

  test('a whiteboard, slides, a poll and a file', async () => {
    await zoe.add('Whiteboard');
    await zoe.drag([0.1, 0.2], [0.5, 0.6]);
    await each(({ page }) => page.sees(1));
    await fine('a whiteboard');
    await zoe.upload(
      'Slides (PDF or images)',
      'Talk.pdf',
      'application/pdf',
      await makePdf(browser, ['One', 'Two']),
    );
    await each(({ page: { page }, words }) => page.getByText(words.stage.slide(1, 2)).first().waitFor());
    await fine('slides');
    await zoe.add('Poll');
    await zoe.page.getByRole('textbox', { name: 'Question' }).fill('Tea?');
    await zoe.page.getByRole('textbox', { name: 'Answer 1' }).fill('Yes');
    await zoe.page.getByRole('textbox', { name: 'Answer 2' }).fill('No');
    await zoe.page.getByRole('button', { name: 'Create and open' }).click();
    await each(async ({ page: { page }, words }) => {
      await page.getByRole('radio', { name: 'Yes' }).check();
      await page.getByRole('button', { name: words.poll.vote, exact: true }).click();
      await page.getByText(words.poll.voted).waitFor();
    });
    await fine('a poll');
    await zoe.upload('File for everyone', 'notes.txt', 'text/plain', Buffer.from('notes'));
    await part('content');
    await each(({ page: { page } }) => page.getByRole('link', { name: /notes\.txt/ }).waitFor());
    await fine('what there is');
    await each(async ({ page: { page }, words }) => {
      await page.getByRole('button', { name: words.content.add }).click();
      await page.getByRole('menuitem', { name: words.content.addPoll }).click();
      await page.getByRole('button', { name: words.poll.create }).click();
      await page.getByText(words.poll.incomplete).waitFor();
    });
    await fine('a poll that is not whole');
    await each(({ page: { page } }) => page.keyboard.press('Escape'));
    await part('stage');
  });

  test('a connection that is lost, and the end', async () => {
    edge.reachable = false;
    edge.cut();
    await each(({ page: { page }, words }) => page.getByText(words.room.lost).waitFor());
    await fine('the connection is lost');
    edge.reachable = true;
    await each(({ page: { page }, words }) => page.getByText(words.room.back).waitFor());
    await fine('the connection is back');
    const [one] = readers;
    await one?.page.page.getByRole('button', { name: one.words.room.leave }).click();
    await one?.page.page.getByRole('heading', { name: one.words.problems.left.title }).waitFor();
    await fine('one has left');
  });
});

describe('without eyes on the screen', () => {
  test('who comes and goes, what is shown, and that the connection is lost and back, is said', async () => {
    await zoe.page.getByText(en.room.lost).waitFor({ state: 'hidden' });
    const [, , listener] = readers;
    assert.ok(listener);
    const before = (await listener.page.heard()).length;
    await zoe.add('Whiteboard');
    await listener.page.page.getByRole('application').waitFor();
    const guest = await open(en, SCREEN);
    await guest.joinAsGuest('Ben');
    await guest.page.getByRole('button', { name: 'Leave' }).click();
    await guest.close();
    edge.reachable = false;
    edge.cut();
    await listener.page.page.getByText(en.room.lost).waitFor();
    edge.reachable = true;
    await listener.page.page.getByText(en.room.back).waitFor();
    const heard = (await listener.page.heard()).slice(before).join('\n');
    let from = 0;
    for (const text of ['Zoe presents: Whiteboard 2.', 'Ben has come in.', en.room.lost, en.room.back]) {
      const at = heard.indexOf(text, from);
      assert.ok(at >= from, `${text} in\n${heard}`);
      from = at;
    }
    const roles = (await listener.page.tree()).map(({ role }) => role);
    for (const role of ['main', 'heading', 'navigation', 'status', 'alert'])
      assert.ok(roles.includes(role), role);
  });

  test('nothing moves for those who asked for that', async () => {
    const [, moved] = readers;
    assert.ok(moved);
    const animations = (one: MeetingPage) =>
      one.page.evaluate('document.getAnimations().filter((a) => a.playState === "running").length');
    const still = await open(en, { ...SCREEN, reducedMotion: 'reduce' });
    const moving = await open(en, { ...SCREEN, reducedMotion: 'no-preference' });
    for (const one of [still, moving]) await one.joinAsGuest('Somebody');
    edge.reachable = false;
    edge.cut();
    for (const one of [still, moving]) await one.page.getByText(en.room.lost).waitFor();
    assert.equal(await animations(still), 0);
    assert.ok(Number(await animations(moving)) > 0);
    edge.reachable = true;
    for (const one of [still, moving]) await one.close();
  });
});

describe('with the keyboard alone', () => {
  test('one joins, draws, votes, fetches a file and leaves, and always sees where one is', async () => {
    const ben = await open(en, SCREEN);
    const { page } = ben;
    await page.getByText(en.join.check.good).waitFor();
    await ben.tabTo('textbox', en.join.name);
    await page.keyboard.type('Ben');
    await page.keyboard.press('Enter');
    await ben.inside();
    await zoe.page.getByText(en.room.lost).waitFor({ state: 'hidden' });

    await ben.tabTo('button', en.content.add);
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await ben.surface.waitFor();
    await page.getByRole('heading', { name: 'Whiteboard 3' }).waitFor();
    // Backwards to the stage, which stands before the list.
    await page.keyboard.press('Escape');
    await ben.surface.focus();
    await ben.tabTo('application', /./);
    await page.keyboard.press('Enter');
    for (const key of ['ArrowRight', 'Shift+ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
    await page.keyboard.press('Enter');
    await ben.sees(1);
    await zoe.sees(1);
    // One stop for all tools; arrow keys go from one to the next.
    await ben.tabTo('button', 'Pen');
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-label")'), 'Marker');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-label")'), 'Undo');
    await page.keyboard.press('Enter');
    await zoe.sees(0);

    await ben.tabTo('button', 'Tea?');
    await page.keyboard.press('Enter');
    await page.getByRole('radio', { name: 'Yes' }).waitFor();
    await page.keyboard.press('Shift+Tab');
    await ben.tabTo('radio', 'Yes');
    await page.keyboard.press('Space');
    await ben.tabTo('button', en.poll.vote);
    await page.keyboard.press('Enter');
    await page.getByText(en.poll.voted).waitFor();

    await ben.tabTo('link', /notes\.txt/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    assert.equal(download.suggestedFilename(), 'notes.txt');
    await ben.tabTo('button', en.room.leave);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: en.problems.left.title }).waitFor();
    assert.deepEqual(await ben.faults(), []);
  });
});
