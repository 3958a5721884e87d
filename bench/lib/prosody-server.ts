import { mkdirSync } from 'node:fs';
import { ADDRESSES, type BenchFolder } from './bench-folder.ts';
import { PinnedProcess, SERVER_CORE } from './pinned-process.ts';
import { acceptsTcp } from './ready.ts';

export const PROSODY = { port: 5270, componentPort: 5347, component: 'component.bench.test' } as const;

/** Prosody between servers of partners and one component, certificates decide; nothing that the flow does not need. */
export async function startProsody(folder: BenchFolder, secret: string): Promise<PinnedProcess> {
  const data = folder.file('prosody');
  mkdirSync(data);
  const configuration = folder.write(
    'prosody.cfg.lua',
    `pidfile = "${data}/pid"; data_path = "${data}"; run_as_root = true
modules_enabled = { "saslauth", "tls", "dialback", "s2s", "smacks" }
modules_disabled = { "s2s_auth_dane" }
interfaces = { "${ADDRESSES.peerServer}" }; c2s_ports = {}; s2s_ports = {}; http_ports = {}; https_ports = {}
c2s_direct_tls_ports = {}; s2s_direct_tls_ports = { ${PROSODY.port} }
component_ports = { ${PROSODY.componentPort} }; component_interfaces = { "${ADDRESSES.peerServer}" }
s2s_require_encryption = true; s2s_secure_auth = true
ssl = { key = "${folder.file('access.key')}"; certificate = "${folder.file('access.pem')}"; cafile = "${folder.file('ca.pem')}" }
log = { warn = "*console" }
VirtualHost "prosody.bench.test"
Component "${PROSODY.component}"
  component_secret = "${secret}"
`,
  );
  const server = new PinnedProcess({
    title: 'prosody',
    core: SERVER_CORE,
    command: 'prosody',
    args: ['--config', configuration, '-F'],
    folder: folder.path,
  });
  await server.ready(() => acceptsTcp(ADDRESSES.peerServer, PROSODY.componentPort));
  return server;
}
