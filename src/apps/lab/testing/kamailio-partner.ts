import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ChildProgram } from './child-program.ts';

const run = promisify(execFile);
const SHARED_MEMORY_MB = '64';

export interface KamailioPartnerOptions {
  readonly folder: string;
  /** The addresses that it listens on, port 5061. */
  readonly addresses: readonly string[];
  readonly certificate: { readonly certificatePem: string; readonly keyPem: string };
  /** True: it shows no certificate when it dials; as a server it has to have one. Default false. */
  readonly dialsWithout?: boolean;
  /** Whose certificates it believes, PEM. */
  readonly authorityPem: string;
  /** Where calls from outside go to, by UDP; calls of its own user come to port 5060 and go to `edge`, `address:port`. */
  readonly user?: { readonly address: string; readonly port: number; readonly edge: string };
  /** Where calls from outside go on to in place of its own user, by the edge of `user`. */
  readonly passesOnTo?: string;
  /** Words that make a command line run on another host. */
  readonly launcher?: readonly string[];
}

/** Debian's Kamailio as the edge of another organisation: mutual TLS in both directions, messages and calls. */
export class KamailioPartner {
  readonly program: ChildProgram;
  readonly #control: string;
  readonly #launcher: readonly string[];

  private constructor(program: ChildProgram, control: string, launcher: readonly string[]) {
    this.program = program;
    this.#control = control;
    this.#launcher = launcher;
  }

  static async start(options: KamailioPartnerOptions): Promise<KamailioPartner> {
    const { folder, certificate, authorityPem, launcher = [] } = options;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'certificate.pem'), certificate.certificatePem);
    writeFileSync(join(folder, 'certificate.key'), certificate.keyPem);
    writeFileSync(join(folder, 'ca.pem'), authorityPem);
    writeFileSync(join(folder, 'tls.cfg'), tlsConfiguration(options.dialsWithout ?? false));
    writeFileSync(join(folder, 'kamailio.cfg'), configuration(options));
    const [first = 'kamailio', ...words] = [...launcher, 'kamailio'];
    const program = new ChildProgram({
      program: first,
      debianPackage: 'kamailio, with kamailio-tls-modules',
      parameters: [
        ...words,
        ...['-DD', '-E', '-f', join(folder, 'kamailio.cfg'), '-w', folder, '-Y', folder],
        ...['-P', join(folder, 'kamailio.pid'), '-m', SHARED_MEMORY_MB],
      ],
      folder,
    });
    await program.printed(/partner is up/);
    return new KamailioPartner(program, `unix:${join(folder, 'control')}`, launcher);
  }

  /** Sends a request to one of our edges over its TLS socket at `from`; gives status and reason of the answer. */
  async sends(request: {
    readonly method?: string;
    readonly from: string;
    readonly to: string;
    readonly edge: string;
    readonly socket: string;
    readonly text?: string;
    readonly headers?: readonly string[];
  }): Promise<string> {
    const { method = 'MESSAGE', from, to, edge, socket, text = 'hello', headers = [] } = request;
    const lines = [`From: <${from}>`, `To: <${to}>`, 'Content-Type: text/plain', ...headers];
    const [program = '', ...words] = [...this.#launcher, 'kamcmd', '-s', this.#control];
    const next = `sip:${edge};transport=tls`;
    const parameters = [to, next, `tls:${socket}:5061`, `${lines.join('\r\n')}\r\n`, text];
    const { stdout } = await run(program, [...words, 'tm.t_uac_wait_block', method, ...parameters]);
    return /code:\s*(\d+)/.exec(stdout)?.[1] ?? stdout;
  }
  /** Resolves when it has taken a message with this text; gives the line that it logged. */
  async took(text: string): Promise<string> {
    return (await this.program.printed(new RegExp(`GOT .* body=${text}`)))[0];
  }
  /** Resolves when the other side at this address has closed a connection, which its own log says. */
  async wasClosedBy(address: string): Promise<void> {
    await this.program.printed(new RegExp(`CLOSED by ${address.replaceAll('.', '\\.')}`));
  }
  stop(): Promise<void> {
    return this.program.stop();
  }
}

function tlsConfiguration(dialsWithout: boolean): string {
  const own = ['certificate = certificate.pem', 'private_key = certificate.key'];
  const common = ['method = TLSv1.2+', 'ca_list = ca.pem', 'verify_certificate = yes'];
  const asks = [...common, 'require_certificate = yes'];
  const server = ['[server:default]', ...asks, ...own];
  return [...server, '[client:default]', ...asks, ...(dialsWithout ? [] : own), ''].join('\n');
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function configuration({ folder, addresses, user, passesOnTo }: KamailioPartnerOptions): string {
  // It names itself by its address, since a name would have to be resolvable where it runs.
  const listen = addresses.map((address) => `listen=tls:${bracketed(address)}:5061`);
  const place = addresses[0] ?? '';
  if (user !== undefined) listen.push(`listen=udp:${bracketed(place)}:5060`);
  const toEdge = `$du = "sip:${user?.edge ?? '127.0.0.1:5061'};transport=tls"; $fs = "tls:${bracketed(place)}:5061";`;
  const fromOutside =
    passesOnTo === undefined
      ? `$du = "sip:${user?.address ?? '127.0.0.1'}:${user?.port ?? 9}";`
      : `$ru = "${passesOnTo}"; ${toEdge}`;
  return `#!KAMAILIO
${listen.join('\n')}
enable_tls=yes
auto_aliases=no
children=1
tcp_children=2
tcp_accept_no_cl=yes
server_signature=no
log_name="partner"
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "ctl.so"
loadmodule "tls.so"
loadmodule "tcpops.so"
modparam("tcpops", "closed_event", 1)
modparam("tm", "fr_timer", 2000)
modparam("tls", "config", "${join(folder, 'tls.cfg')}")
modparam("ctl", "binrpc", "unix:${join(folder, 'control')}")

request_route {
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	if ($proto == "tls") {
		xlog("L_ALERT", "GOT $rm from=$fu to=$ru src=$si verified=$tls_peer_verified san=$tls_peer_san_hostname level=$hdr(ms-asserted-verification-level) body=$rb\\n");
	}
	if (has_totag()) {
		loose_route();
		# Our edge is named in routes; where it is this file says, for there may be no name service.
		if (${passesOnTo === undefined ? '$proto == "udp"' : '1'}) {
			${toEdge}
		}
		if (!t_relay()) sl_reply_error();
		exit;
	}
	if (is_method("INVITE")) record_route();
	if ($proto == "udp") {
		${toEdge}
		if (!t_relay()) sl_reply_error();
		exit;
	}
	if (is_method("INVITE")) {
		${fromOutside}
		if (!t_relay()) sl_reply_error();
		exit;
	}
	sl_send_reply("200", "OK");
}

event_route[tcp:closed] {
	xlog("L_ALERT", "CLOSED by $si\\n");
}
event_route[tcp:reset] {
	xlog("L_ALERT", "CLOSED by $si\\n");
}
event_route[core:worker-one-init] {
	xlog("L_ALERT", "partner is up\\n");
}
`;
}
