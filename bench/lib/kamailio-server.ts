import { ADDRESSES, type BenchFolder, NAMES, PORTS } from './bench-folder.ts';
import { PinnedProcess, SERVER_CORE } from './pinned-process.ts';
import { acceptsTcp } from './ready.ts';

/**
 * Kamailio's memory. `qm` is what it runs with unless told otherwise: made for debugging, it spends more than half of
 * the processor looking for free pieces. `tlsf` is the fastest of the three that it has, here.
 */
export type Allocator = 'tlsf' | 'qm';

/**
 * What Kamailio does with a message. A `relay` does what a stateful proxy must, and nothing else. An `edge` does what is
 * asked of one that stands between outside and inside, with the modules that Kamailio has for it: RFC 5626 as in the example
 * of its module `outbound` (Path and Record-Route with a flow token, sanity checks), floods (`pike`), a source whose
 * sign-ins failed too often, of one account or of all, unless it signed in before, the inside hidden (`topoh`), the From of
 * a request compared with who signed in on the connection, what clients may not say taken off, a mark put on. That is still
 * less than the Access Edge does.
 */
export type Duty = 'relay' | 'edge';

export interface KamailioKind {
  readonly duty: Duty;
  readonly allocator: Allocator;
  /** TCP workers. */
  readonly children: number;
}
export interface Kamailio {
  readonly process: PinnedProcess;
  readonly port: number;
}

/** First ports; the one with n TCP workers listens n above it. */
const BASE_PORTS = { relay: { tlsf: 5080, qm: 5090 }, edge: { tlsf: 5100, qm: 5110 } } as const;

/** Kamailio as a stateful proxy (tm, t_relay) between TLS and TLS. */
export async function startKamailio(folder: BenchFolder, kind: KamailioKind): Promise<Kamailio> {
  const { duty, allocator, children } = kind;
  const port = BASE_PORTS[duty][allocator] + children;
  const name = `${duty}-${allocator}-${children}`;
  const tls = folder.write(`tls-${name}.cfg`, tlsConfiguration(folder));
  const routes = { relay: RELAY, edge: EDGE }[duty];
  const file = folder.write(`kamailio-${name}.cfg`, `${base(tls, port, children)}${routes}`);
  const server = new PinnedProcess({
    title: `kamailio ${name}`,
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
  return { process: server, port };
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

/** Log lines only for what goes wrong. */
function base(tlsFile: string, port: number, children: number): string {
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
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
modparam("tls", "config", "${tlsFile}")
`;
}

const INSIDE = `sip:${ADDRESSES.nextHop}:${PORTS.nextHop};transport=tls`;

/** Nothing but what a stateful proxy must do. */
const RELAY = `loadmodule "rr.so"
request_route {
  if (!mf_process_maxfwd_header("70")) { sl_send_reply("483", "Too Many Hops"); exit; }
  force_rport();
  if ($hdr(Route) != $null) loose_route();
  else if ($rm == "INVITE") record_route();
  $du = "${INSIDE}";
  if (!t_relay()) sl_reply_error();
  exit;
}
`;

/** Only messages from outside come here, and responses from inside: nobody inside begins anything in a benchmark. */
const EDGE = `loadmodule "outbound.so"
loadmodule "rr.so"
loadmodule "path.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sanity.so"
loadmodule "htable.so"
loadmodule "pike.so"
loadmodule "topoh.so"
modparam("outbound", "force_outbound_flag", 1)
modparam("outbound", "flow_token_secret", "the secret of flow tokens")
modparam("rr", "append_fromtag", 0)
modparam("htable", "htable", "senders=>size=14;autoexpire=3600;")
modparam("htable", "htable", "failures=>size=12;autoexpire=600;")
modparam("htable", "htable", "known=>size=14;autoexpire=2592000;")
modparam("pike", "reqs_density_per_unit", 1000000000)
modparam("topoh", "mask_key", "the mask of the benchmark")
modparam("topoh", "mask_ip", "192.0.2.8")
modparam("topoh", "event_mode", 1)
event_route[topoh:msg-outgoing] {
  if ($sndto(ip) == "${ADDRESSES.nextHop}") drop;
}
request_route {
  if (!mf_process_maxfwd_header("70")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (!pike_check_req()) exit;
  if (!sanity_check("1511", "7")) exit;
  force_rport();
  setflag(1);
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (is_method("REGISTER")) {
    if ($au != $null) {
      $avp(pair) = $si + "," + $au;
      if ($sht(failures=>$si) > 20 || $sht(failures=>$avp(pair)) > 5) {
        if ($sht(known=>$avp(pair)) == $null) { sl_send_reply("403", "Forbidden"); exit; }
      }
    }
    $avp(source) = $si;
    remove_hf("Route");
    add_path();
    $avp(conid) = $conid;
    t_on_reply("SIGNED_IN");
  } else {
    if ($sht(senders=>$conid) != $fu) { sl_send_reply("403", "Forbidden"); exit; }
    if (has_totag()) {
      if (!loose_route()) { sl_send_reply("403", "Forbidden"); exit; }
    } else {
      t_check_trans();
      remove_hf("Route");
      if (is_method("INVITE|SUBSCRIBE")) record_route();
    }
  }
  remove_hf("P-Asserted-Identity");
  remove_hf_re("^ms-edge-proxy-.*");
  append_hf("ms-edge-proxy-message-trust: ms-source-type=RemoteUser\\r\\n");
  $du = "${INSIDE}";
  if (!t_relay()) sl_reply_error();
  exit;
}
onreply_route {
  if (is_present_hf("ms-diagnostics")) remove_hf("ms-diagnostics");
}
onreply_route[SIGNED_IN] {
  if ($rs == 200) {
    $sht(senders=>$avp(conid)) = $fu;
    if ($avp(pair) != $null) {
      $sht(failures=>$avp(pair)) = $null;
      $sht(known=>$avp(pair)) = 1;
    }
  } else if ($rs == 401 && $avp(pair) != $null) {
    $var(failures) = $shtinc(failures=>$avp(source));
    $var(failures) = $shtinc(failures=>$avp(pair));
  }
}
`;
