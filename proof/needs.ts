import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runNow } from './network/command.ts';
import { OWN } from './network/leftovers.ts';

/** The programs that the proof drives, with the Debian packages that have them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  ss: 'iproute2',
  nft: 'nftables',
  tcpreplay: 'tcpreplay',
  nmap: 'nmap',
  baresip: 'baresip-core',
  kamailio: 'kamailio, with kamailio-tls-modules',
  kamcmd: 'kamailio',
  dnsmasq: 'dnsmasq-base',
  nginx: 'nginx-light',
  turnutils_uclient: 'coturn',
  setpriv: 'util-linux',
  sysctl: 'procps',
  curl: 'curl',
  prosody: 'prosody, with python3-slixmpp',
};

/** Why the proof cannot run on this machine; undefined when it can. */
export function missingForProof(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root, to make network namespaces';
  const missing = Object.entries(PROGRAMS).filter(([program]) => !isInstalled(program));
  if (missing.length > 0)
    return missing.map(([program, debian]) => `${program} is missing (Debian package ${debian})`).join(', ');
  // A container may give us the number of root without its power.
  const trial = `${OWN}trial`;
  const isAllowed = runNow('ip', ['netns', 'add', trial]) !== undefined;
  runNow('ip', ['netns', 'del', trial]);
  return isAllowed ? undefined : 'it may not make network namespaces here';
}

function isInstalled(program: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}
