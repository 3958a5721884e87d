import { rangeText } from '../model/networks.ts';
import type { Ruleset } from '../model/ruleset.ts';
import { headOf } from './head.ts';

/**
 * A file for `/etc/sysctl.d`, of the host only: what no rule can say. The ports count for IPv6 as well, in spite of
 * the name.
 */
export function sysctlText(ruleset: Ruleset): string {
  const ports = ruleset.reservedPorts.map((range) => rangeText(range)).join(',');
  return [
    ...headOf(ruleset, 'sysctl'),
    '',
    '# No outgoing connection takes a port of the relay range or of a service. This replaces an earlier list.',
    `net.ipv4.ip_local_reserved_ports = ${ports}`,
    '',
    "# Who has an address is answered, and asked, on that address's own interface only.",
    'net.ipv4.conf.all.arp_ignore = 1',
    'net.ipv4.conf.all.arp_announce = 2',
    '',
  ].join('\n');
}
