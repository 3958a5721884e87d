import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Clock, FailureError, failure, randomToken } from '#kernel';
import { Component } from './component.ts';
import { type PartnerOptions, SERVER_PORT, type XmppPartner } from './partner.ts';

/** Of components, on the loopback address of the partner. */
const COMPONENT_PORT = 5347;
const PATIENCE_MS = 20_000;
const LOOK_MS = 50;
const KEPT_OUTPUT = 4000;

/** Whether Prosody can be run here, and ended by the kernel should we be killed. */
export function hasProsody(): boolean {
  return ['prosody', 'setpriv'].every((program) =>
    (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, program))),
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Prosody with a configuration of its own, whose domain is a component that we speak for. */
export async function startProsodyPartner(options: PartnerOptions): Promise<XmppPartner> {
  const { clock, random, domain, address } = options;
  const secret = randomToken(random, 32);
  const program = new ProsodyProgram(clock, configure(options, secret));
  try {
    await program.listening();
    const component = await Component.open({
      ...{ clock, address, domain, secret, port: COMPONENT_PORT },
      handleStanza: options.handleStanza,
      handleTrouble: (what) => options.handleTrouble(`${what}\n${program.output}`),
    });
    return {
      title: 'Prosody',
      send: (stanza) => component.send(stanza),
      stop: async () => {
        component.close();
        await program.stop();
      },
    };
  } catch (problem) {
    await program.stop();
    throw problem;
  }
}

class ProsodyProgram {
  readonly #clock: Clock;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  output = '';

  constructor(clock: Clock, configuration: string) {
    this.#clock = clock;
    const words = ['--pdeathsig', 'KILL', 'prosody', '--config', configuration, '-F'];
    // A group of its own: Ctrl-C in the terminal is for the lab, which then stops it in order.
    this.#child = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#ended = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-KEPT_OUTPUT);
      });
    }
  }
  async listening(): Promise<void> {
    const deadline = this.#clock.now() + PATIENCE_MS;
    while (
      !['s2s', 'component'].every((service) => this.output.includes(`Activated service '${service}' on [`))
    ) {
      const running = this.#child.exitCode === null && this.#child.signalCode === null;
      const refused = this.output.includes("Activated service 's2s' on no ports");
      if (!running || refused || this.#clock.now() > deadline)
        throw new FailureError(
          failure('SLP-APP-0009', `Prosody ${running ? 'did not start' : 'ended'}:\n${this.output}`),
        );
      await new Promise<void>((resolve) => this.#clock.after(LOOK_MS, resolve));
    }
  }
  async stop(): Promise<void> {
    this.#child.kill();
    const cancel = this.#clock.after(PATIENCE_MS, () => this.#child.kill('SIGKILL'));
    await this.#ended;
    cancel();
  }
}

/** Writes its configuration; the path of it. */
function configure(options: PartnerOptions, secret: string): string {
  const { domain, address, certificate, authority, folder, nameServer, peer } = options;
  for (const name of ['data', 'certs']) mkdirSync(join(folder, name), { recursive: true });
  const hosts = join(folder, 'hosts');
  // Its resolver answers for names under .test by itself.
  writeFileSync(hosts, `${peer.address} ${peer.domain}\n`);
  const file = join(folder, 'prosody.cfg.lua');
  const text = `
pidfile = "${folder}/pid"; data_path = "${folder}/data"; run_as_root = true
modules_enabled = { "tls", "s2s", "iq", "saslauth" }
modules_disabled = { "s2s_auth_dane", "c2s", "http", "admin_shell", "admin_telnet" }
interfaces = { "${address}" }; s2s_ports = { ${SERVER_PORT} }; s2s_direct_tls_ports = {}; c2s_ports = {}
component_interfaces = { "${address}" }; component_ports = { ${COMPONENT_PORT} }
s2s_require_encryption = true; s2s_secure_auth = true
ssl = { key = "${certificate.key}"; certificate = "${certificate.certificate}"; cafile = "${authority}" }
unbound = { resolvconf = false; hoststxt = "${hosts}"; forward = { "${nameServer.address}@${nameServer.port}" }; options = { ["do-not-query-localhost:"] = "no" } }
log = { info = "*console" }
-- It wants one; nobody can sign in there.
VirtualHost "localhost"
Component "${domain}"
  component_secret = "${secret}"
`;
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
