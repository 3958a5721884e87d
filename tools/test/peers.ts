import { existsSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';

/** The programs that each test of real peers drives, with the Debian packages that have them. */
const PROGRAMS: { readonly [file: string]: { readonly [program: string]: string } } = {
  'baresip.interop.test.ts': { baresip: 'baresip-core' },
  'calls.interop.test.ts': { kamailio: 'kamailio', sipp: 'sip-tester' },
  'coturn.interop.test.ts': { turnserver: 'coturn' },
  'captures.interop.test.ts': { text2pcap: 'tshark', tshark: 'tshark', sngrep: 'sngrep' },
  'chromium-relay.interop.test.ts': { chromium: 'chromium', certutil: 'libnss3-tools' },
  'chromium.interop.test.ts': { chromium: 'chromium', certutil: 'libnss3-tools', baresip: 'baresip-core' },
  'difference.interop.test.ts': {
    ip: 'iproute2',
    nft: 'nftables',
    iptables: 'iptables',
    unshare: 'util-linux',
  },
  'kamailio-certificates.interop.test.ts': { kamailio: 'kamailio', openssl: 'openssl' },
  'kamailio-sources.interop.test.ts': { kamailio: 'kamailio' },
  'kamailio.interop.test.ts': { kamailio: 'kamailio', baresip: 'baresip-core' },
  'loading.interop.test.ts': {
    ip: 'iproute2',
    nft: 'nftables',
    'iptables-restore': 'iptables',
    sysctl: 'procps',
  },
  'packets.interop.test.ts': {
    ip: 'iproute2',
    nft: 'nftables',
    'iptables-restore': 'iptables',
    sysctl: 'procps',
  },
  'sipp-outside.interop.test.ts': { sipp: 'sip-tester', haproxy: 'haproxy' },
  'sipp.interop.test.ts': { sipp: 'sip-tester' },
  'uclient.interop.test.ts': { turnutils_uclient: 'coturn', turnutils_peer: 'coturn' },
};

/** Why a test of real peers cannot run on this machine; undefined when it can, or is not known here. */
export function missingPeers(file: string): string | undefined {
  const missing = Object.entries(PROGRAMS[basename(file)] ?? {}).filter(([program]) => !isInstalled(program));
  if (missing.length === 0) return undefined;
  return missing.map(([program, debian]) => `${program} is missing (Debian package ${debian})`).join(', ');
}

function isInstalled(program: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}
