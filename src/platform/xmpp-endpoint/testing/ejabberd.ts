import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { PASSWORD, type Person, personAt } from './person.ts';

export interface EjabberdOptions {
  readonly domain: string;
  readonly address: string;
  /** `address:port` of the name server that it asks; the port has to be 53. */
  readonly nameServer: string;
  /** Certificate chain and key, PEM. */
  readonly identity: { readonly certificatePem: string; readonly keyPem: string };
  readonly authorityPem: string;
  /** Whether it speaks dialback; without, certificates decide. */
  readonly dialback: boolean;
  readonly accounts: readonly string[];
}

const PATIENCE_MS = 60_000;

/** Debian's ejabberd, a server that we did not write; ends with the test. */
export class Ejabberd {
  readonly #options: EjabberdOptions;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(options: EjabberdOptions, child: ChildProcess) {
    this.#options = options;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-1_000_000);
      });
    }
  }

  static async start(t: TestContext, options: EjabberdOptions): Promise<Ejabberd> {
    const folder = mkdtempSync(join(tmpdir(), 'ejabberd-'));
    mkdirSync(join(folder, 'data'));
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const { certificatePem, keyPem } = options.identity;
    const files = {
      identity: file('identity.pem', certificatePem + keyPem),
      authority: file('authority.pem', options.authorityPem),
    };
    const configuration = file('ejabberd.yml', configure(options, files));
    const [server = ''] = options.nameServer.split(':');
    const place = server.replaceAll('.', ',');
    const resolver = file(
      'inetrc',
      `{resolv_conf, ""}.\n{hosts_file, ""}.\n{lookup, [dns]}.\n{nameserver, {${place}}}.\n`,
    );
    // No distribution: no name server of Erlang's, and no port for other nodes.
    const child = spawn(
      'erl',
      [
        '-noinput',
        ...['-mnesia', 'dir', `"${join(folder, 'data')}"`],
        ...['-s', 'ejabberd'],
        ...['-eval', program(options)],
      ],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          HOME: folder,
          ERL_INETRC: resolver,
          ERL_CRASH_DUMP_SECONDS: '0',
          ERL_LIBS: LIBRARIES,
          EJABBERD_CONFIG_PATH: configuration,
          EJABBERD_LOG_PATH: join(folder, 'ejabberd.log'),
        },
      },
    );
    const ended = once(child, 'exit');
    t.after(async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    });
    const ejabberd = new Ejabberd(options, child);
    await ejabberd.#ready();
    return ejabberd;
  }

  get output(): string {
    return this.#output;
  }
  /** Signs a person in, with Debian's slixmpp. */
  person(t: TestContext, user: string): Promise<Person> {
    const { domain, address } = this.#options;
    return personAt(t, `${user}@${domain}/desk`, address);
  }

  async #ready(): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!this.#output.includes(READY)) {
      if (this.#child.exitCode !== null || Date.now() > end) throw new Error(`ejabberd: ${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Debian keeps it where libraries of one architecture are. */
const LIBRARIES = readdirSync('/usr/lib')
  .filter((name) => name.endsWith('-linux-gnu'))
  .map((name) => `/usr/lib/${name}`)
  .join(':');
const READY = 'everybody is registered';

/** What it does once it runs: accounts, and a word to us. */
function program({ accounts, domain }: EjabberdOptions): string {
  const register = accounts.map(
    (user) => `ok = ejabberd_auth:try_register(<<"${user}">>, <<"${domain}">>, <<"${PASSWORD}">>)`,
  );
  return [...register, `io:format("${READY}~n")`].join(', ').concat('.');
}

function configure(
  { domain, address, dialback }: EjabberdOptions,
  files: { readonly identity: string; readonly authority: string },
): string {
  return `
hosts: ["${domain}"]
loglevel: debug
certfiles: ["${files.identity}"]
ca_file: "${files.authority}"
s2s_use_starttls: required
listen:
  - {port: 5222, ip: "${address}", module: ejabberd_c2s, starttls: false}
  - {port: 5269, ip: "${address}", module: ejabberd_s2s_in}
modules:
  mod_roster: {}
  mod_disco: {}
  mod_ping: {}
${dialback ? '  mod_s2s_dialback: {}' : ''}
`;
}
