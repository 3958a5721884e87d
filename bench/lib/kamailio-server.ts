import { ADDRESSES, type BenchFolder, NAMES, PORTS } from './bench-folder.ts';
import { PinnedProcess, SERVER_CORE } from './pinned-process.ts';
import { acceptsTcp } from './ready.ts';

/** First ports of the Kamailios; the one with n TCP workers listens n above it. */
const BASE_PORTS = { tlsf: 5080, qm: 5090 } as const;

/**
 * Kamailio's memory. `qm` is what it runs with unless told otherwise: made for debugging, it spends more than half of
 * the processor looking for free pieces. `tlsf` is the fastest of the three that it has, here.
 */
export type Allocator = keyof typeof BASE_PORTS;

export interface Kamailio {
  readonly process: PinnedProcess;
  readonly children: number;
  readonly port: number;
}

/** Kamailio as a stateful proxy (tm, t_relay) between TLS and TLS, with `children` TCP workers. */
export async function startKamailio(
  folder: BenchFolder,
  children: number,
  allocator: Allocator,
): Promise<Kamailio> {
  const port = BASE_PORTS[allocator] + children;
  const name = `${allocator}-${children}`;
  const tls = folder.write(`tls-${name}.cfg`, tlsConfiguration(folder));
  const file = folder.write(`kamailio-${name}.cfg`, routing(tls, port, children));
  const server = new PinnedProcess({
    title: `kamailio ${allocator} with ${children} TCP workers`,
    core: SERVER_CORE,
    command: 'kamailio',
    // In the foreground; memory so large that nothing waits for it.
    args: [
      ...['-DD', '-E', '-f', file, '-P', folder.file(`kamailio-${name}.pid`)],
      ...['-m', '2048', '-M', '32', '-x', allocator, '-X', allocator],
    ],
    folder: folder.path,
  });
  await server.ready(() => acceptsTcp(ADDRESSES.peerServer, port));
  return { process: server, children, port };
}

function tlsConfiguration(folder: BenchFolder): string {
  const identity = (name: string) =>
    [
      'method = TLSv1.2+',
      `certificate = ${folder.file(`${name}.pem`)}`,
      `private_key = ${folder.file(`${name}.key`)}`,
      `ca_list = ${folder.file('ca.pem')}`,
    ].join('\n');
  return `[server:default]
${identity('access')}
verify_certificate = no
require_certificate = no
[client:default]
${identity('edge')}
verify_certificate = yes
require_certificate = yes
`;
}

/** Log lines only for what goes wrong; nothing in the route but what a stateful proxy must do. */
function routing(tlsFile: string, port: number, children: number): string {
  return `debug=0
log_stderror=yes
memdbg=5
memlog=5
listen=tls:${ADDRESSES.peerServer}:${port}
alias="${NAMES.domain}"
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
tcp_children=${children}
tcp_max_connections=20000
tls_max_connections=20000
tcp_connection_lifetime=3600
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "rr.so"
modparam("tls", "config", "${tlsFile}")
request_route {
  if (!mf_process_maxfwd_header("70")) { sl_send_reply("483", "Too Many Hops"); exit; }
  force_rport();
  if ($hdr(Route) != $null) loose_route();
  else if ($rm == "INVITE") record_route();
  $du = "sip:${ADDRESSES.nextHop}:${PORTS.nextHop};transport=tls";
  if (!t_relay()) sl_reply_error();
  exit;
}
`;
}
