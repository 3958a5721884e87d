import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ending, PASSWORD, type Person, personAt } from './person.ts';

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
  /** TLS comes first on 5269, and STARTTLS is spoken elsewhere. */
  readonly direct?: boolean;
  /** Words before each command line, where it runs elsewhere. */
  readonly launcher?: readonly string[];
  /** A file of names and addresses that it knows without asking. */
  readonly hosts?: string;
  /** More modules, such as `smacks` and `s2s_bidi`. */
  readonly modules?: readonly string[];
}

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

  static async start(t: Ending, options: ProsodyOptions): Promise<Prosody> {
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
      execFileSync('prosodyctl', args, { stdio: 'pipe', timeout: PATIENCE_MS });
    }
    const [program = '', ...words] = [
      ...(options.launcher ?? []),
      'prosody',
      '--config',
      configuration,
      '-F',
    ];
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'exit');
    t.after(async () => {
      child.kill('SIGCONT');
      child.kill();
      const stubborn = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      await ended;
      clearTimeout(stubborn);
      rmSync(folder, { recursive: true });
    });
    const prosody = new Prosody(options, child);
    await prosody.#listening();
    return prosody;
  }

  get output(): string {
    return this.#output;
  }
  /** Halts it where it is, or lets it go on. */
  halt(halted: boolean): void {
    this.#child.kill(halted ? 'SIGSTOP' : 'SIGCONT');
  }
  /** Signs a person in, with Debian's slixmpp. */
  person(t: Ending, user: string): Promise<Person> {
    const { domain, address, launcher = [] } = this.#options;
    return personAt(t, `${user}@${domain}/desk`, address, launcher);
  }

  async #listening(): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    for (const service of ['c2s', 's2s']) {
      while (!this.#output.includes(`Activated service '${service}'`)) {
        if (this.#child.exitCode !== null || Date.now() > end) throw new Error(`prosody: ${this.#output}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

function configure(
  { domain, address, nameServer, identity, secure, direct = false, modules = [], hosts }: ProsodyOptions,
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
interfaces = { "${address}" }; c2s_ports = { 5222 }; s2s_ports = { ${direct ? 5270 : 5269} }; http_ports = {}; https_ports = {}
s2s_direct_tls_ports = { ${identity === undefined ? '' : direct ? 5269 : 5270} }; c2s_direct_tls_ports = {}
c2s_require_encryption = false; allow_unencrypted_plain_auth = true
s2s_require_encryption = ${identity !== undefined}; s2s_secure_auth = ${secure}
authentication = "internal_hashed"; unlimited_jids = {}
${identity === undefined ? '' : `ssl = { key = "${files.key}"; certificate = "${files.certificate}"; cafile = "${files.authority}" }`}
unbound = { resolvconf = false; hoststxt = ${hosts === undefined ? 'false' : `"${hosts}"`}; forward = { "${server}@${port}" }; options = { ["do-not-query-localhost:"] = "no" } }
log = { debug = "*console" }
VirtualHost "${domain}"
`;
}
