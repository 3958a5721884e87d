import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { accessibilityCheck, axeSource, focusCheck, pageWatch } from './page-checks.ts';

const DEADLINE_MS = 30_000;

type Place = readonly [x: number, y: number];

/** Tab keys to wherever one wants, from wherever one is: whoever needs more gives up. */
const MOST_KEYS = 40;
interface Focus {
  readonly html: string;
  readonly marked: boolean;
  readonly seen: boolean;
}

/** A node of the accessibility tree. */
export interface AccessibleNode {
  readonly role: string;
  readonly name: string;
  readonly focusable: boolean;
}

/** What can have the focus, or is a picture, and has nothing to be called by. */
function unnamed(tree: readonly AccessibleNode[]): string[] {
  return tree
    .filter(
      ({ role, name, focusable }) => name === '' && (focusable || role === 'image') && role !== 'generic',
    )
    .map(({ role }) => `no name in the tree: ${role}`);
}

/** One person's browser in a meeting, English unless told otherwise. */
export class MeetingPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What should never happen: errors of scripts, dialogs that a script opened, refusals of the policy. */
  readonly trouble: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('pageerror', ({ message }) => this.trouble.push(message));
    page.on('dialog', (dialog) => {
      this.trouble.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) this.trouble.push(message.text());
    });
  }
  static async open(
    browser: Browser,
    link: string,
    options: BrowserContextOptions = {},
  ): Promise<MeetingPage> {
    const size = { width: 1280, height: 800 };
    const context = await browser.newContext({ viewport: size, reducedMotion: 'reduce', ...options });
    await context.addInitScript(pageWatch);
    const opened = new MeetingPage(context, await context.newPage());
    await opened.page.goto(link);
    return opened;
  }

  async joinAsGuest(name: string): Promise<void> {
    await this.page.getByText('The connection is good.').waitFor();
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByRole('button', { name: 'Join' }).click();
    await this.inside();
  }
  async joinAsUser(address: string, password: string): Promise<void> {
    await this.page.getByText('The connection is good.').waitFor();
    await this.page.getByLabel('With an account').check();
    await this.page.getByLabel('Address').fill(address);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Join' }).click();
    await this.inside();
  }
  async inside(): Promise<void> {
    await this.page.getByRole('region', { name: 'Stage' }).waitFor();
  }

  async add(what: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Add', exact: true }).click();
    await this.page.getByRole('menuitem', { name: what }).click();
  }
  /** What the browser's file dialog would be for. */
  async upload(
    what: 'Slides (PDF or images)' | 'File for everyone',
    name: string,
    type: string,
    bytes: Buffer,
  ) {
    await this.page.getByLabel(what).setInputFiles({ name, mimeType: type, buffer: bytes });
  }
  get surface(): Locator {
    return this.page.getByRole('application');
  }
  tool(name: string): Promise<void> {
    return this.page.getByRole('button', { name, exact: true }).click();
  }
  /** Draws from place to place, in shares of the page's width and height. */
  async drag(...places: readonly Place[]): Promise<void> {
    const box = await this.surface.boundingBox();
    if (box === null) throw new Error('there is no page to draw on');
    const { mouse } = this.page;
    for (const [index, [x, y]] of places.entries()) {
      await mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 5 });
      if (index === 0) await mouse.down();
    }
    await mouse.up();
  }
  /** Waits until so many things are drawn on what is shown. */
  async sees(shapes: number): Promise<void> {
    const drawn = this.page.locator('.surface > :not(.crosshair,.pointer-mark)');
    if (shapes > 0) await drawn.nth(shapes - 1).waitFor({ state: 'attached' });
    await drawn.nth(shapes).waitFor({ state: 'detached' });
  }
  /** The slide that is shown, by its number, whose image has to be there. */
  async seesSlide(number: number): Promise<void> {
    await this.page.getByRole('img', { name: `Slide ${number} of` }).waitFor();
    const image = `[...document.images].find((one) => one.alt.startsWith('Slide ${number} of'))`;
    const late = Date.now() + DEADLINE_MS;
    while ((await this.page.evaluate(`${image}?.naturalWidth > 0`)) !== true) {
      if (Date.now() > late) throw new Error(`the image of slide ${number} does not come`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  /** Every drawing on the page as its markup, to compare. */
  async drawing(): Promise<string> {
    return (await this.page.evaluate("document.querySelector('.surface').innerHTML")) as string;
  }
  /** Fetches a hand-out as a person would; its name and bytes. */
  async download(title: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
    const item = this.page.getByRole('listitem').filter({ hasText: title });
    const [download] = await Promise.all([
      this.page.waitForEvent('download'),
      item.getByRole('link', { name: 'Download' }).click(),
    ]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  }

  /** What is wrong with the page as it is now for those who do not see, hear or point as others do. */
  async accessibility(): Promise<string[]> {
    if ((await this.page.evaluate('typeof axe')) === 'undefined') await this.page.evaluate(axeSource);
    const found = (await this.page.evaluate(accessibilityCheck)) as string[];
    return [...found, ...unnamed(await this.tree())];
  }
  /** What the browser tells a screen reader. */
  async tree(): Promise<readonly AccessibleNode[]> {
    const session = await this.context.newCDPSession(this.page);
    try {
      const { nodes } = await session.send('Accessibility.getFullAXTree');
      return nodes
        .filter(({ ignored }) => !ignored)
        .map(({ role, name, properties = [] }) => ({
          role: String(role?.value),
          name: String(name?.value ?? '').trim(),
          focusable: properties.some((one) => one.name === 'focusable' && one.value.value === true),
        }));
    } finally {
      await session.detach();
    }
  }
  /** What a screen reader was given to say by itself, in order. */
  async heard(): Promise<string[]> {
    return (await this.page.evaluate('window.heard')) as string[];
  }
  /** Goes on by the Tab key until what has this role and name has the focus; everything on the way shows that it has it. */
  async tabTo(role: Parameters<Page['getByRole']>[0], name: string | RegExp): Promise<void> {
    const wanted = this.page.getByRole(role, { name, exact: true }).first();
    const way: string[] = [];
    for (let key = 0; key < MOST_KEYS; key++) {
      if ((await wanted.and(this.page.locator(':focus')).count()) > 0) return;
      await this.page.keyboard.press('Tab');
      const focus = (await this.page.evaluate(focusCheck)) as Focus | undefined;
      way.push(focus?.html ?? 'nothing');
      if (focus?.seen === true && !focus.marked) throw new Error(`nobody sees the focus: ${focus.html}`);
    }
    throw new Error(`no way by Tab to ${role} ${name}, but to\n${way.join('\n')}`);
  }
  /** All that was refused or went wrong until now. */
  async faults(): Promise<string[]> {
    return [...this.trouble, ...((await this.page.evaluate('window.refused')) as string[])];
  }
  async close(): Promise<void> {
    await this.context.close();
  }
}

/** A PDF of a few pages, made by the browser itself. */
export async function makePdf(browser: Browser, titles: readonly string[]): Promise<Buffer> {
  const page = await browser.newPage();
  const pages = titles.map((title) => `<section><h1>${title}</h1></section>`).join('');
  await page.setContent(
    `<style>@page{size:1280px 720px;margin:0}body{margin:0}section{height:719px;padding:80px;box-sizing:border-box}
    section+section{break-before:page}</style>${pages}`,
  );
  const pdf = await page.pdf({ preferCSSPageSize: true });
  await page.close();
  return pdf;
}
