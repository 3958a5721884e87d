import type { Catalogue } from './entry.ts';

/** Errors of names that are looked up in the DNS (SLP-DNS-nnnn). */
export const dnsErrors = {
  'SLP-DNS-0001': {
    blame: 'peer',
    summary: 'a name does not exist in the DNS',
    remedy: 'Check the spelling of the name; if it is right, its owner has to publish it.',
  },
  'SLP-DNS-0002': {
    blame: 'peer',
    summary: 'a name has no record of the type that was asked for',
    remedy: 'Its owner has to publish the record, for example the SRV record of the service.',
  },
  'SLP-DNS-0003': {
    blame: 'operator',
    summary: 'no DNS server answered',
    remedy:
      'Check host.resolvers, and that the firewall lets the Access address ask them (port rows ext-03 and ext-04).',
  },
  'SLP-DNS-0004': {
    blame: 'operator',
    summary: 'no DNS server could or would answer',
    remedy:
      'Ask the servers in host.resolvers by hand; if others answer, the fault is theirs, else it is that of the domain.',
  },
  'SLP-DNS-0005': {
    blame: 'peer',
    summary: 'a DNS answer cannot be used',
    remedy:
      'Ask the same question by hand; something on the way rewrites answers, or the zone holds a malformed record.',
  },
  'SLP-DNS-0006': {
    blame: 'peer',
    summary: 'aliases in the DNS lead in a circle or too far',
    remedy: 'The owner of the name has to shorten its chain of CNAME records.',
  },
  'SLP-DNS-0007': {
    blame: 'peer',
    summary: 'a text is no name that the DNS could know',
    remedy: 'Correct the name: letters, digits, hyphens and dots.',
  },
  'SLP-DNS-0008': {
    blame: 'self',
    summary: 'too many DNS questions are under way',
    remedy:
      'Look at sallyport_dns_questions_total: a slow resolver or a flood of unknown domains holds the places.',
  },
  'SLP-DNS-0009': {
    blame: 'operator',
    summary: 'no DNS server is known that could be asked',
    remedy: 'Name a server in host.resolvers of the same family (IPv4 or IPv6) as the Access address.',
  },
  'SLP-DNS-0010': {
    blame: 'self',
    summary: 'a DNS question was given up',
    remedy: 'Nothing: the service that asked it is stopping or was reconfigured.',
  },
  'SLP-DNS-0021': {
    blame: 'peer',
    summary: 'a domain announces no server for a service',
    remedy: 'The partner has to publish the SRV record; until then name its server in the document.',
  },
  'SLP-DNS-0022': {
    blame: 'peer',
    summary: 'a domain says that it does not offer a service',
    remedy: 'Nothing to mend here: its SRV record leads to the root on purpose; ask the partner.',
  },
  'SLP-DNS-0023': {
    blame: 'peer',
    summary: 'a domain announces servers of other domains only',
    remedy:
      'The partner has to name servers within its own domain; otherwise name its server in the document.',
  },
  'SLP-DNS-0024': {
    blame: 'peer',
    summary: 'the servers of a domain cannot be found out',
    remedy: 'Ask for the SRV record by hand; if no domain can be resolved, look at host.resolvers.',
  },
  'SLP-DNS-0025': {
    blame: 'peer',
    summary: 'a domain announces servers on ports that are not open',
    remedy: 'The partner has to offer the service on its usual port; the port plan opens no other.',
  },
} as const satisfies Catalogue;
