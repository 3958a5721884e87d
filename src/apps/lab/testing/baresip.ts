import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { RestCredential } from '#protocols/credentials';
import { ChildProgram } from './child-program.ts';
import { encodeNetstring, NetstringReader } from './netstring.ts';

export interface BaresipOptions {
  /** Made when it is not there. */
  readonly folder: string;
  /** Loopback address of its own, for SIP, media and its control port. */
  readonly address: string;
  /** `address:port` of the name server. */
  readonly nameServer: string;
  readonly authority: string;
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  /** Host and port of the server, by name. */
  readonly server: string;
  readonly relay: { readonly server: string; readonly credential: RestCredential };
  /** Whom `message` writes to. */
  readonly contact: string;
  /** A UUID makes it register as RFC 5626 says, with this instance. */
  readonly instance?: string;
  /** What it plays, in hertz. */
  readonly tone?: number;
}

/** What baresip says on its control connection. */
interface BaresipEvent {
  readonly type: string;
  readonly param: string;
}

/** What baresip counted in a call that has ended. */
export interface BaresipStatistics {
  readonly sent: number;
  readonly received: number;
  readonly errors: number;
}

const CONTROL_PORT = 4444;

/** A baresip of Debian without a terminal, driven over its control port (`ctrl_tcp`). */
export class Baresip {
  readonly options: BaresipOptions;
  readonly program: ChildProgram;
  readonly #control: Socket;
  readonly #events: BaresipEvent[] = [];
  #answer: ((ok: boolean, text: string) => void) | undefined;
  #ended = 0;

  private constructor(options: BaresipOptions, program: ChildProgram, control: Socket) {
    this.options = options;
    this.program = program;
    this.#control = control;
    const reader = new NetstringReader((text) => this.#handle(JSON.parse(text) as Record<string, unknown>));
    control.on('data', (chunk) => reader.push(chunk));
    control.on('error', () => {});
  }

  /** Starts it and waits until its control port answers; it registers by itself. */
  static async start(options: BaresipOptions): Promise<Baresip> {
    const { folder, address } = options;
    writeConfiguration(options);
    const program = new ChildProgram({
      program: 'baresip',
      debianPackage: 'baresip-core',
      parameters: ['-4', '-v', '-f', folder],
      folder,
    });
    await program.printed(/ctrl_tcp: TCP socket listening/);
    const control = connect({ host: address, port: CONTROL_PORT });
    const baresip = new Baresip(options, program, control);
    await new Promise<void>((resolve, reject) => {
      control.once('connect', resolve);
      control.once('error', reject);
    });
    return baresip;
  }

  /** Runs a command by its long name; throws when baresip refuses it. */
  command(command: string, params = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#answer = (ok, text) => {
        if (ok) resolve(text);
        else reject(this.program.failure(`refused ${command} ${params}: ${text}`));
      };
      this.#control.write(encodeNetstring(JSON.stringify({ command, params, token: command })));
    });
  }

  /** The next event of this type; those before it are forgotten. */
  event(type: string): Promise<BaresipEvent> {
    return this.program.until(`told of ${type}`, () => {
      const index = this.#events.findIndex((event) => event.type === type);
      return index < 0 ? undefined : this.#events.splice(0, index + 1)[index];
    });
  }
  /** True when an event of this type has come since the last one that was waited for. */
  toldOf(type: string): boolean {
    return this.#events.some((event) => event.type === type);
  }

  /** Registered: the server's 200 is here. */
  async registered(): Promise<void> {
    await this.program.printed(/All 1 useragent registered successfully/);
  }
  /** A message with this text has come from this address. */
  async received(from: string, text: string): Promise<void> {
    await this.program.until(`printed "${text}"`, () =>
      this.program.output.includes(`${from}: "${text}"`) ? true : undefined,
    );
  }
  /** The statistics of the next call that ends. */
  async statistics(): Promise<BaresipStatistics> {
    const pattern = /packets:\s+(\d+)\s+(\d+)[\s\S]*?errors:\s+(\d+)\s+(\d+)/g;
    const match = await this.program.until('printed statistics', () => {
      return [...this.program.output.matchAll(pattern)][this.#ended];
    });
    this.#ended += 1;
    const [, sent, received, errorsOut, errorsIn] = match.map(Number);
    return { sent: sent ?? 0, received: received ?? 0, errors: (errorsOut ?? 0) + (errorsIn ?? 0) };
  }

  async stop(signal?: 'SIGKILL'): Promise<void> {
    this.#control.destroy();
    await this.program.stop(signal);
  }

  #handle(message: Record<string, unknown>): void {
    if (message.response === true) this.#answer?.(message.ok === true, String(message.data));
    else if (message.event === true) {
      this.#events.push({ type: String(message.type), param: String(message.param) });
      this.program.poke();
    }
  }
}

/** Its folder, as it wants it before it starts. */
export function writeConfiguration(options: BaresipOptions): void {
  const { folder, contact, instance } = options;
  mkdirSync(folder, { recursive: true });
  const file = (name: string, text: string) => writeFileSync(join(folder, name), text);
  file('config', configuration(options));
  file('accounts', `${account(options)}\n`);
  file('contacts', `"Contact" <${contact}>\n`);
  if (instance !== undefined) file('uuid', instance);
}

function account(options: BaresipOptions): string {
  const { user, domain, password, server, relay, instance } = options;
  const parameters = {
    auth_user: user,
    auth_pass: password,
    outbound: `"sip:${server};transport=tls"`,
    regint: 300,
    answermode: 'manual',
    audio_codecs: 'pcmu/8000/1',
    medianat: 'turn',
    stunserver: `"turn:${relay.server}"`,
    stunuser: relay.credential.username,
    stunpass: relay.credential.password,
    ...(instance === undefined ? {} : { sipnat: 'outbound' }),
  };
  const written = Object.entries(parameters).map(([name, value]) => `;${name}=${value}`);
  return `<sip:${user}@${domain};transport=tls>${written.join('')}`;
}

function configuration({
  address,
  authority,
  nameServer,
  user,
  tone,
  instance,
  folder,
}: BaresipOptions): string {
  return `poll_method epoll
sip_listen ${address}:0
sip_cafile ${authority}
call_local_timeout 60
call_max_calls 4
audio_player aubridge,${user}
audio_source ausine,${tone ?? 440}
audio_alert aubridge,null
ausrc_srate 48000
ausrc_channels 2
auplay_srate 8000
auplay_channels 1
rtp_ports 20000-20099
rtp_stats yes
net_interface ${address}
dns_server ${nameServer}
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module aubridge.so
module ausine.so
module stun.so
module turn.so
${instance === undefined ? '' : 'module_tmp uuid.so\n'}module_tmp account.so
module_app contact.so
module_app debug_cmd.so
module_app menu.so
module_app ctrl_tcp.so
snd_path ${folder}
statmode_default off
ctrl_tcp_listen ${address}:${CONTROL_PORT}
ringback_disabled yes
menu_bell no
`;
}
