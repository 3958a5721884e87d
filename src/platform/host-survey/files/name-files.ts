/** What /etc/resolv.conf says. */
export interface ResolverFile {
  readonly nameservers: readonly string[];
  readonly searchDomains: readonly string[];
}

const MOST_LINES = 1000;

/** /etc/resolv.conf: comments and options are passed over; the last of `search` and `domain` counts. */
export function parseResolverFile(text: string): ResolverFile {
  const nameservers: string[] = [];
  let searchDomains: string[] = [];
  for (const line of linesOf(text, /[#;].*/)) {
    const [key, ...values] = line.split(/\s+/);
    if (key === 'nameserver' && values[0] !== undefined) nameservers.push(values[0].replace(/%.*/, ''));
    if (key === 'search' || key === 'domain')
      searchDomains = values.map((name) => name.toLowerCase().replace(/\.$/, ''));
  }
  return { nameservers, searchDomains };
}

/** /etc/hosts: addresses by lower-case name. */
export function parseHostsFile(text: string): ReadonlyMap<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of linesOf(text, /#.*/)) {
    const [address, ...names] = line.split(/\s+/);
    if (address === undefined) continue;
    for (const name of names)
      hosts.set(name.toLowerCase(), [...(hosts.get(name.toLowerCase()) ?? []), address]);
  }
  return hosts;
}

function linesOf(text: string, comment: RegExp): string[] {
  return text
    .split('\n')
    .slice(0, MOST_LINES)
    .map((line) => line.replace(comment, '').trim())
    .filter((line) => line !== '');
}
