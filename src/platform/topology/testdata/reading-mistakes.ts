/** One mistake in a good document, and what is said about it. */
export interface RuleCase {
  readonly rule: string;
  readonly title: string;
  /** A piece of the good document and what stands there instead. */
  readonly edit: readonly [string, string];
  /** A second edit, where the mistake takes two. */
  readonly also?: readonly [piece: string, replacement: string];
  /** The text at which the finding points. */
  readonly at: string;
  readonly severity?: 'warning' | 'instruction';
  readonly internal?: true;
  readonly says: RegExp;
}

const PORTS = '  ports: {';

/** An edit that writes these lines of `policy`, two spaces deep, into the good edge.yaml. */
export function policy(lines: string): [string, string] {
  return [PORTS, `${lines}\n${PORTS}`];
}

/** Mistakes that show while single settings are read. */
export const readingMistakes: readonly RuleCase[] = [
  {
    rule: 'unknown-key',
    title: 'a misspelt key names the nearest',
    edit: ['  site: Head office', '  site: Head office\n  relai: {}'],
    at: 'relai:',
    says: /"relai" in policy is not a setting: did you mean relay\?/,
  },
  {
    rule: 'unknown-key',
    title: 'a key that resembles nothing lists what is known',
    edit: ['{ first: 50000, last: 59999 }', '{ first: 50000, last: 59999, thirdly: 1 }'],
    at: 'thirdly:',
    says: /known here: first, last/,
  },
  {
    rule: 'missing-key',
    title: 'a missing setting points at its section',
    edit: ['  name: edge1.example.com\n', ''],
    at: 'host:',
    says: /host.name is missing: write a fully qualified domain name/,
  },
  {
    rule: 'wrong-type',
    title: 'a section where a list belongs',
    edit: ['[example.com]', '{ example.com: yes }'],
    at: '{ example.com',
    says: /policy.sipDomains is a section: write a list of fully qualified domain names, such as/,
  },
  {
    rule: 'wrong-type',
    title: 'an IPv6 address that YAML takes for a key',
    edit: ['[192.0.2.10]', '["2001:db8::10", 2001:db8::]'],
    at: '2001:db8::]',
    says: /put text that ends in a colon in quotes/,
  },
  {
    rule: 'out-of-range',
    title: 'a number beyond its ceiling',
    edit: ['avUdp: 3478', 'avUdp: 65536'],
    at: '65536',
    says: /policy.ports.avUdp is the number 65536: write a whole number from 1 to 65535/,
  },
  {
    rule: 'list-length',
    title: 'an empty list where one item is needed',
    edit: ['[192.0.2.30]', '[]'],
    at: '[]',
    says: /host.addresses.av has 0 items: write at least one/,
  },
  {
    rule: 'list-length',
    title: 'more secrets than can be tried on every request',
    edit: [
      '{ keyFile: pool.media }',
      '{ keyFile: pool.media, staticSecretFiles: [1.secret, 2.secret, 3.secret, 4.secret, 5.secret, 6.secret, 7.secret, 8.secret, 9.secret] }',
    ],
    at: '[1.secret',
    says: /has 9 items: write at most 8/,
  },
  {
    rule: 'domain-name',
    title: 'a host name without a domain',
    edit: ['name: pool.example.com', 'name: pool'],
    at: 'pool',
    says: /"pool" is not a fully qualified domain name/,
  },
  {
    rule: 'address',
    title: 'something that is not an address',
    edit: ['10.45.32.11', '10.45.32.411'],
    at: '10.45.32.411',
    says: /"10.45.32.411" is not an IP address/,
  },
  {
    rule: 'wildcard-address',
    title: 'the IPv4 wildcard',
    edit: ['[192.0.2.10]', '[0.0.0.0]'],
    at: '0.0.0.0]',
    says: /stands for every address: .* nothing is bound to a wildcard/,
  },
  {
    rule: 'wildcard-address',
    title: 'the IPv6 wildcard',
    edit: ['[192.0.2.10]', '["::"]'],
    at: '"::"',
    says: /"::" stands for every address/,
  },
  {
    rule: 'loopback-address',
    title: 'metrics on an address that others reach',
    edit: ['address: 127.0.0.1', 'address: 192.0.2.10'],
    at: '192.0.2.10, port',
    says: /is not a loopback address/,
  },
  {
    rule: 'network',
    title: 'a network with bits behind its prefix',
    edit: ['[10.45.0.0/16]', '[10.45.0.1/16]'],
    at: '10.45.0.1/16',
    says: /write 10.45.0.0\/16/,
  },
  {
    rule: 'path',
    title: 'an empty path',
    edit: ['internalCa: ca.crt', 'internalCa: ""'],
    at: '""',
    says: /is not a path/,
  },
  {
    rule: 'user-name',
    title: 'a user that cannot be one',
    edit: ['  stateDirectory', '  runAs: "Sally Port"\n  stateDirectory'],
    at: '"Sally',
    says: /"Sally Port" is not a user name/,
  },
  {
    rule: 'realm',
    title: 'a realm that cannot be quoted on the wire',
    edit: ['  relay:', "  relay:\n    realm: 'a\"b'"],
    at: `'a"b'`,
    says: /cannot be a realm/,
  },
];
