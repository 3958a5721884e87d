import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

export interface ProsodyOptions {
  readonly domain: string;
  readonly address: string;
  /** `address:port` of the name server that it asks. */
  readonly nameServer: string;
  /** Certificate chain and key, PEM; none: no TLS at all. */
  readonly identity?: { readonly certificatePem: string; readonly keyPem: string };
  readonly authorityPem: string;
  /** Whether certificates decide; otherwise dialback may. */
  readonly secure: boolean;
  readonly accounts: readonly string[];
  /** More modules, such as `smacks` and `s2s_bidi`. */
  readonly modules?: readonly string[];
}

const PASSWORD = 'secret-of-a-test';
const PATIENCE_MS = 20_000;

/** Debian's Prosody, a server that we did not write; ends with the test. */
export class Prosody {
  readonly #options: ProsodyOptions;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(options: ProsodyOptions, child: ChildProcess) {
    this.#options = options;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-1_000_000);
      });
    }
  }

  static async start(t: TestContext, options: ProsodyOptions): Promise<Prosody> {
    const folder = mkdtempSync(join(tmpdir(), 'prosody-'));
    mkdirSync(join(folder, 'data'));
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const files = {
      certificate: file('certificate.pem', options.identity?.certificatePem ?? ''),
      key: file('key.pem', options.identity?.keyPem ?? ''),
      authority: file('authority.pem', options.authorityPem),
    };
    const configuration = file('prosody.cfg.lua', configure(options, folder, files));
    for (const user of options.accounts) {
      const args = ['--config', configuration, 'register', user, options.domain, PASSWORD];
      execFileSync('prosodyctl', args, { stdio: 'pipe' });
    }
    const child = spawn('prosody', ['--config', configuration, '-F'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'exit');
    t.after(async () => {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    });
    const prosody = new Prosody(options, child);
    await prosody.#listening();
    return prosody;
  }

  get output(): string {
    return this.#output;
  }
  /** Signs a person in, with Debian's slixmpp. */
  async person(t: TestContext, user: string): Promise<Person> {
    const { domain, address } = this.#options;
    const script = join(import.meta.dirname, 'person.py');
    const args = [script, `${user}@${domain}/desk`, PASSWORD, address, '5222'];
    const person = new Person(spawn('/usr/bin/python3', args, { stdio: ['pipe', 'pipe', 'inherit'] }));
    t.after(() => person.leave());
    await person.event((event) => event.event === 'ready');
    return person;
  }

  async #listening(): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    for (const port of [5222, 5269]) {
      while (!(await answers(this.#options.address, port))) {
        if (this.#child.exitCode !== null || Date.now() > end) throw new Error(`prosody: ${this.#output}`);
      }
    }
  }
}

async function answers(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  const done = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => setTimeout(() => resolve(false), 50));
  });
  socket.destroy();
  return done;
}

function configure(
  { domain, address, nameServer, identity, secure, modules = [] }: ProsodyOptions,
  folder: string,
  files: { readonly certificate: string; readonly key: string; readonly authority: string },
): string {
  const all = [
    'roster',
    'saslauth',
    'dialback',
    'disco',
    'presence',
    'message',
    'iq',
    'ping',
    'offline',
  ].concat(modules);
  if (identity !== undefined) all.push('tls');
  const [server = '', port = ''] = nameServer.split(':');
  return `
pidfile = "${folder}/pid"; data_path = "${folder}/data"; run_as_root = true
modules_enabled = { ${all.map((name) => `"${name}"`).join(', ')} }
modules_disabled = { "s2s_auth_dane" }
interfaces = { "${address}" }; c2s_ports = { 5222 }; s2s_ports = { 5269 }; http_ports = {}; https_ports = {}
s2s_direct_tls_ports = { ${identity === undefined ? '' : '5270'} }; c2s_direct_tls_ports = {}
c2s_require_encryption = false; allow_unencrypted_plain_auth = true
s2s_require_encryption = ${identity !== undefined}; s2s_secure_auth = ${secure}
authentication = "internal_hashed"; unlimited_jids = {}
${identity === undefined ? '' : `ssl = { key = "${files.key}"; certificate = "${files.certificate}"; cafile = "${files.authority}" }`}
unbound = { resolvconf = false; hoststxt = false; forward = { "${server}@${port}" }; options = { ["do-not-query-localhost:"] = "no" } }
log = { debug = "*console" }
VirtualHost "${domain}"
`;
}

export type PersonEvent = Readonly<Record<string, string>>;

/** Somebody with an ordinary client. */
export class Person {
  readonly #child: ChildProcess;
  readonly #events: PersonEvent[] = [];
  #waiting: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => {
      this.#events.push(JSON.parse(line) as PersonEvent);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    });
  }
  say(xml: string): void {
    this.#child.stdin?.write(`${JSON.stringify({ xml })}\n`);
  }
  /** The first event of the kind, from those not taken yet. */
  async event(is: (event: PersonEvent) => boolean): Promise<PersonEvent> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const at = this.#events.findIndex(is);
      if (at >= 0) return this.#events.splice(at, 1)[0]!;
      if (late.aborted) throw new Error(`not seen; there was ${JSON.stringify(this.#events)}`);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        late.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
  async leave(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
