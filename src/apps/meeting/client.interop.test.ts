import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { buildMeeting } from '#tools/build-meeting';
import { launchBrowser } from '../lab/testing/browser.ts';
import { ToyEdge } from '../participant/testing/toy-edge.ts';
import { serveBuiltClient } from './testing/built-client.ts';
import { MeetingPage, makePdf } from './testing/meeting-page.ts';

/*
 * The built client in a browser that we did not write, under the policy that places serve it with, against a meeting without a policy of its
 * own: what the client does by itself. What edge and service do is in meeting.interop.test.ts.
 */
const ADDRESS = '127.87.1.1';
const MARKUP = '<img src=x onerror=alert(1)>';

let edge: ToyEdge;
let folder: string;
let browser: Browser;
let zoe: MeetingPage;
let ben: MeetingPage;

before(async () => {
  await buildMeeting({ force: false });
  edge = await ToyEdge.start(
    ADDRESS,
    serveBuiltClient(() => `${edge.place.name}:${edge.place.port}`),
  );
  edge.meeting.presenters = true;
  folder = mkdtempSync(join(tmpdir(), 'sallyport-client-'));
  const authority = join(folder, 'ca.pem');
  writeFileSync(authority, edge.authority.certificatePem);
  browser = await launchBrowser({ folder, authority, hosts: new Map([[edge.place.name, ADDRESS]]) });
  [zoe, ben] = await Promise.all([
    MeetingPage.open(browser, edge.link),
    MeetingPage.open(browser, edge.link),
  ]);
});
after(async () => {
  await browser?.close();
  edge?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('the meeting client in Chromium', () => {
  test('the join page says what is missing and what is wrong, and lets a guest and a user in', async () => {
    await zoe.page.getByText('The connection is good.').waitFor();
    assert.deepEqual(await zoe.accessibility(), []);
    await zoe.page.getByRole('button', { name: 'Join' }).click();
    await zoe.page.getByText('Write your name.').waitFor();
    assert.equal(await zoe.page.evaluate('document.activeElement.name'), 'name');
    edge.status = 480;
    await zoe.page.getByLabel('Your name').fill(MARKUP);
    await zoe.page.getByRole('button', { name: 'Join' }).click();
    await zoe.page.getByRole('alert').getByText('The meeting is locked').waitFor();
    assert.deepEqual(await zoe.accessibility(), []);
    edge.status = 200;
    await zoe.joinAsGuest(MARKUP);
    await ben.joinAsUser('alice@toy.test', 'secret');
    await zoe.page.getByText('2 people').waitFor();
    await ben.page.getByRole('tab', { name: 'People' }).click();
    await ben.page.getByText(MARKUP).waitFor();
    assert.deepEqual(await ben.accessibility(), []);
    await ben.page.getByRole('tab', { name: 'Content' }).click();
  });

  test('what one draws by mouse, and by keyboard alone, the other sees; undo and eraser take it back', async () => {
    await zoe.add('Whiteboard');
    await zoe.drag([0.1, 0.2], [0.3, 0.4], [0.5, 0.2]);
    for (const tool of ['Marker', 'Line', 'Arrow', 'Rectangle', 'Ellipse']) {
      await zoe.tool(tool);
      await zoe.drag([0.6, 0.2], [0.8, 0.6]);
    }
    await zoe.tool('Text');
    await zoe.surface.click({ position: { x: 100, y: 300 } });
    await zoe.page.keyboard.type(MARKUP);
    await zoe.page.keyboard.press('Enter');
    await ben.sees(7);
    const { keyboard } = ben.page;
    await ben.surface.focus();
    await keyboard.press('Enter');
    for (const key of ['ArrowRight', 'ArrowDown', 'Shift+ArrowRight']) await keyboard.press(key);
    await keyboard.press('Enter');
    await zoe.sees(8);
    await ben.surface.blur();
    assert.equal(await zoe.drawing(), await ben.drawing());
    await ben.tool('Undo');
    await zoe.sees(7);
    await zoe.tool('Eraser');
    await zoe.surface.click({ position: { x: 110, y: 295 } });
    await ben.sees(6);
    assert.deepEqual(await zoe.accessibility(), []);
  });

  test('a PDF becomes slides that are drawn on, and turned for everyone', async () => {
    const pdf = await makePdf(browser, ['One', 'Two', 'Three']);
    // A place that is busy is asked again.
    edge.busy = 3;
    await zoe.upload('Slides (PDF or images)', 'Talk.pdf', 'application/pdf', pdf);
    await ben.seesSlide(1);
    await zoe.page.getByRole('navigation', { name: 'Talk' }).getByText('Slide 1 of 3').waitFor();
    await zoe.tool('Pen');
    await zoe.drag([0.1, 0.3], [0.5, 0.3]);
    await ben.sees(1);
    await ben.page.getByRole('button', { name: 'Next slide' }).click();
    await zoe.seesSlide(2);
    await zoe.sees(0);
    await zoe.page.getByRole('button', { name: 'Previous slide' }).click();
    await ben.sees(1);
    assert.equal(edge.busy, 0);
  });

  test('a poll is asked, voted on by keyboard, and counted', async () => {
    await zoe.add('Poll');
    await zoe.page.getByRole('button', { name: 'Create and open' }).click();
    await zoe.page.getByText('Write a question and at least two answers.').waitFor();
    assert.deepEqual(await zoe.accessibility(), []);
    await zoe.page.getByRole('textbox', { name: 'Question' }).fill('Tea or coffee?');
    await zoe.page.getByRole('textbox', { name: 'Answer 1' }).fill('Tea');
    await zoe.page.getByRole('textbox', { name: 'Answer 2' }).fill(MARKUP);
    await zoe.page.getByRole('button', { name: 'Create and open' }).click();
    await ben.page.getByRole('radio', { name: 'Tea' }).focus();
    await ben.page.keyboard.press('Space');
    await ben.page.getByRole('button', { name: 'Vote', exact: true }).press('Enter');
    await ben.page.getByText('Your vote counts.').waitFor();
    await zoe.page.getByText('Tea: 1 (100 %)').waitFor({ state: 'attached' });
    assert.deepEqual(await ben.accessibility(), []);
  });

  test('a hand-out goes up and comes down; an upload is cancelled', async () => {
    const bytes = Buffer.alloc(300_000, 'hand-out ');
    await zoe.upload('File for everyone', 'notes.txt', 'text/plain', bytes);
    assert.deepEqual(await ben.download('notes.txt'), { name: 'notes.txt', bytes });
    edge.meeting.grant = 0;
    await zoe.upload('File for everyone', 'never.txt', 'text/plain', bytes);
    await zoe.page.getByRole('progressbar', { name: 'never.txt' }).waitFor();
    assert.deepEqual(await zoe.accessibility(), []);
    await zoe.page.getByRole('button', { name: 'Cancel: never.txt' }).click();
    await zoe.page.getByRole('progressbar').waitFor({ state: 'detached' });
  });

  test('a lost connection is told, and its end; what changed meanwhile is there', async () => {
    edge.meeting.grant = 0;
    await zoe.upload('File for everyone', 'later.txt', 'text/plain', Buffer.alloc(50_000, 'later '));
    await zoe.page.getByRole('progressbar', { name: 'later.txt' }).waitFor();
    edge.reachable = false;
    edge.cut();
    await zoe.page.getByText('The connection is lost.').waitFor();
    assert.ok(await zoe.page.getByRole('button', { name: 'Close the poll' }).isDisabled());
    assert.deepEqual(await zoe.accessibility(), []);
    edge.reachable = true;
    edge.meeting.contents.delete([...edge.meeting.contents.keys()].at(-1) ?? 0);
    edge.meeting.grant = 10_000;
    await zoe.page.getByRole('button', { name: 'Try now' }).click();
    await zoe.page.getByText('You are back.').waitFor();
    // What was on its way goes on its way again.
    await ben.page.getByRole('listitem').filter({ hasText: 'later.txt' }).waitFor();
    await zoe.page.getByRole('listitem').filter({ hasText: 'notes.txt' }).waitFor({ state: 'detached' });
    await ben.page.getByText('You are back.').waitFor();
  });

  test('in French, dark and on a phone everything has its place', async () => {
    const phone = await MeetingPage.open(browser, edge.link, {
      ...{ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
      ...{ locale: 'fr-FR', colorScheme: 'dark' },
    });
    await phone.page.getByText('La connexion est bonne.').waitFor();
    assert.deepEqual(await phone.accessibility(), []);
    await phone.page.getByLabel('Votre nom').fill('Édith');
    await phone.page.getByRole('button', { name: 'Entrer' }).click();
    await phone.page.getByRole('region', { name: 'Scène' }).waitFor();
    for (const tab of ['Contenu', 'Personnes', 'Scène']) {
      await phone.page.getByRole('navigation').getByRole('button', { name: tab }).click();
      assert.deepEqual(await phone.accessibility(), [], tab);
    }
    await phone.page.getByRole('button', { name: 'Quitter' }).click();
    await phone.page.getByRole('heading', { name: 'Vous avez quitté la réunion' }).waitFor();
    assert.deepEqual(await phone.faults(), []);
    await phone.close();
  });

  test('who is removed and whose meeting ends is told; nothing was ever refused by the policy', async () => {
    edge.meeting.end();
    edge.flush();
    for (const one of [zoe, ben]) {
      await one.page.getByRole('heading', { name: 'The meeting is over' }).waitFor();
      assert.deepEqual(await one.accessibility(), []);
      assert.deepEqual(await one.faults(), []);
    }
  });
});
