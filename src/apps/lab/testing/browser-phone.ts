import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join, normalize } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from './browser.ts';

const LIBRARY = join(import.meta.dirname, '..', '..', '..', '..', 'node_modules', 'sip.js', 'lib');
const DEADLINE_MS = 30_000;

export interface BrowserPhoneOptions {
  /** For its profile and its trust store. */
  readonly folder: string;
  /** PEM file of the authority that it trusts. */
  readonly authority: string;
  /** Name and address of the edge. */
  readonly edge: { readonly name: string; readonly address: string; readonly port: number };
}

/** The page: a SIP client of its users' own, SIP.js, in the browser's own WebSocket. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>phone</title><script type="module">
import { Messager, Registerer, UserAgent } from '/sip.js/index.js';
window.heard = [];
window.opens = (server, uri) => {
  const ua = new UserAgent({ uri: UserAgent.makeURI(uri), logBuiltinEnabled: false,
    transportOptions: { server, connectionTimeout: 5 } });
  return ua.start().then(() => ua.stop()).then(() => 'open', () => 'refused');
};
window.signIn = async (server, uri, user, password) => {
  const ua = new UserAgent({
    uri: UserAgent.makeURI(uri), authorizationUsername: user, authorizationPassword: password,
    logBuiltinEnabled: false, transportOptions: { server },
    delegate: { onMessage: (message) => {
      window.heard.push(message.request.from.uri.toString() + ': ' + message.request.body);
      message.accept();
    } },
  });
  await ua.start();
  const registerer = new Registerer(ua);
  await new Promise((resolve, reject) => {
    registerer.stateChange.addListener((state) => state === 'Registered' && resolve());
    registerer.register({ requestDelegate: { onReject: (r) => reject(new Error('refused: ' + r.message.statusCode)) } });
  });
  window.say = (to, text) => new Promise((resolve, reject) => {
    new Messager(ua, UserAgent.makeURI(to), text).message({ requestDelegate: {
      onAccept: (r) => resolve(r.message.statusCode), onReject: (r) => reject(new Error('refused: ' + r.message.statusCode)) } });
  });
  window.leave = async () => { await registerer.unregister(); await ua.stop(); };
};
window.ready = true;
</script>`;

/** Serves the page and the library to this machine's own browser. */
export class PhonePage {
  readonly #server: Server;
  readonly origin: string;
  private constructor(server: Server, port: number) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${port}`;
  }
  static async serve(): Promise<PhonePage> {
    const server = createServer((request, response) => {
      const path = normalize(new URL(request.url ?? '/', 'http://page').pathname);
      const file = join(LIBRARY, path.slice('/sip.js'.length));
      if (path === '/') response.setHeader('Content-Type', 'text/html').end(PAGE);
      else if (path.startsWith('/sip.js/') && existsSync(file)) {
        response.setHeader('Content-Type', 'text/javascript');
        createReadStream(file).pipe(response);
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the page has no address');
    return new PhonePage(server, address.port);
  }
  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Debian's Chromium without a screen, with the edge's name and authority. */
export class BrowserPhone {
  readonly #browser: Browser;
  readonly #server: string;
  private constructor(browser: Browser, server: string) {
    this.#browser = browser;
    this.#server = server;
  }

  static async start({ folder, authority, edge }: BrowserPhoneOptions): Promise<BrowserPhone> {
    const hosts = new Map([[edge.name, edge.address]]);
    const browser = await launchBrowser({ folder, authority, hosts });
    return new BrowserPhone(browser, `wss://${edge.name}:${edge.port}/`);
  }

  async open(page: PhonePage): Promise<OpenPhone> {
    const opened = await this.#browser.newPage();
    opened.setDefaultTimeout(DEADLINE_MS);
    await opened.goto(page.origin);
    await opened.waitForFunction('window.ready === true');
    return new OpenPhone(opened, this.#server);
  }
  async stop(): Promise<void> {
    await this.#browser.close();
  }
}

/** One page with a phone in it. */
export class OpenPhone {
  readonly #page: Page;
  readonly #server: string;
  constructor(page: Page, server: string) {
    this.#page = page;
    this.#server = server;
  }
  /** Whether the edge lets a page of this origin open a WebSocket at all. */
  opens(uri: string): Promise<unknown> {
    return this.#call('opens', this.#server, uri);
  }
  signIn(uri: string, user: string, password: string): Promise<unknown> {
    return this.#call('signIn', this.#server, uri, user, password);
  }
  /** Sends a MESSAGE; the status of its final answer. */
  say(to: string, text: string): Promise<unknown> {
    return this.#call('say', to, text);
  }
  async hears(text: string): Promise<void> {
    await this.#page.waitForFunction(`window.heard.includes(${JSON.stringify(text)})`);
  }
  leave(): Promise<unknown> {
    return this.#call('leave');
  }

  #call(name: string, ...parameters: string[]): Promise<unknown> {
    return this.#page.evaluate(`window.${name}(...${JSON.stringify(parameters)})`);
  }
}
