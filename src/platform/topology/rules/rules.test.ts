import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { examineEdge, examineInternal } from '../document/document.ts';
import type { DocumentFinding } from '../finding.ts';
import { federationMistakes } from '../testdata/federation-mistakes.ts';
import { perimeterMistakes } from '../testdata/perimeter-mistakes.ts';
import { type RuleCase, readingMistakes } from '../testdata/reading-mistakes.ts';
import { xmppMistakes } from '../testdata/xmpp-mistakes.ts';
import { edited, goodEdge, goodInternal } from '../testing/documents.ts';
import { virtualFiles } from '../testing/virtual-files.ts';
import { edgeRules } from './edge.ts';
import { fileRules } from './files.ts';
import { internalRules } from './internal.ts';

const proven = new Set<string>();

function textAt(text: string, { line, column }: DocumentFinding): string {
  return (text.split('\n')[line - 1] ?? '').slice(column - 1);
}

function check(one: RuleCase): void {
  const options = { file: 'document.yaml', files: virtualFiles };
  const once = edited(one.internal ? goodInternal : goodEdge, ...one.edit);
  const text = one.also === undefined ? once : edited(once, ...one.also);
  const { document, findings } = one.internal ? examineInternal(text, options) : examineEdge(text, options);
  const found = findings.filter((finding) => finding.rule === one.rule);
  const [finding, ...more] = found;
  assert.ok(finding !== undefined && more.length === 0, `the rule speaks once: ${JSON.stringify(found)}`);
  assert.ok(textAt(text, finding).startsWith(one.at), `it points at: ${textAt(text, finding).slice(0, 40)}`);
  assert.match(`${finding.what}: ${finding.instead}`, one.says);
  assert.ok(found.every((finding) => finding.severity === (one.severity ?? 'error')));
  assert.equal(document === undefined, one.severity === undefined, 'an error, and only an error, refuses');
  const others = findings.filter((finding) => finding.severity === 'error' && finding.rule !== one.rule);
  assert.deepEqual(others, [], 'one mistake is one kind of finding');
  proven.add(one.rule);
}

const MEMBER = '- { name: fe1.example.com, address: 10.45.32.11, port: 5061 }';

const cases: readonly RuleCase[] = [
  ...readingMistakes,
  ...perimeterMistakes,
  ...federationMistakes,
  ...xmppMistakes,
  {
    rule: 'version',
    title: 'a version that this program does not know [setting version]',
    edit: ['version: 1', 'version: 2'],
    at: '2',
    says: /version 2 is not known to this program: write version: 1/,
  },
  {
    rule: 'relay-realm-length',
    title: 'a realm that makes answers to strangers long [setting policy.relay.realm]',
    severity: 'warning',
    edit: ['    allowedPeers: []', '    allowedPeers: []\n    realm: relays.of.example.com'],
    at: 'relays.of.example.com',
    says: /longer than 100 octets: write a realm of at most 20 characters/,
  },
  {
    rule: 'next-hop-domains',
    title: 'a member of the next hop for a domain that is not ours',
    edit: [
      MEMBER,
      `${MEMBER}\n      - { name: fe2.example.com, address: 10.45.32.12, domains: [other.example] }`,
    ],
    at: 'other.example',
    says: /other.example is in none of policy.sipDomains: write a SIP domain/,
  },
  {
    rule: 'next-hop-domains',
    title: 'a domain that no member of the next hop serves',
    edit: [MEMBER, MEMBER.replace('5061', '5061, domains: [example.com]')],
    also: ['sipDomains: [example.com]', 'sipDomains: [example.com, second.example]'],
    at: 'second.example',
    says: /no member of the next hop serves second.example: .* add it to the domains of a member/,
  },
  {
    rule: 'label',
    title: 'a site name with control characters [setting policy.site]',
    edit: ['Head office', '"Head\\u0007office"'],
    at: '"Head',
    says: /policy.site: "Head\\u0007office" is not a name: write 1 to 64 printable characters/,
  },
  {
    rule: 'older-form',
    title: 'a list of users in the form of the version before',
    edit: ['  site: Head office', '  site: Head office\n  remoteAccess: { onlyUsers: [a@example.com] }'],
    at: '[a@example.com]',
    says: /onlyUsers will not be read by the next version: write policy.externalAccess/,
    severity: 'warning',
  },
  {
    rule: 'duplicate',
    title: 'a domain twice, written differently',
    edit: ['[example.com]', '[example.com, EXAMPLE.com]'],
    at: 'EXAMPLE.com',
    says: /"example.com" stands twice in policy.sipDomains/,
  },
  {
    rule: 'duplicate',
    title: 'a next hop member twice',
    edit: [MEMBER, `${MEMBER}\n      ${MEMBER.replace('fe1', 'fe2')}`],
    at: '10.45.32.11, port',
    says: /10.45.32.11:5061 is also that of policy.nextHop.members\[0\]/,
  },
  {
    rule: 'duplicate',
    title: 'an edge twice',
    internal: true,
    edit: [
      'address: 10.45.16.10 }',
      'address: 10.45.16.10 }\n    - { name: edge1.example.com, address: 10.45.16.11 }',
    ],
    at: 'edge1.example.com, address: 10.45.16.11',
    says: /edge1.example.com is also that of frontEnd.edges\[0\]/,
  },
  {
    rule: 'port-clash',
    title: 'two services on one address and port',
    edit: ['avAuthentication: 5062', 'avAuthentication: 5061'],
    at: '5061 }',
    says: /the Access Edge service \(int-02, .*\) and the A\/V Authentication service \(int-05, .*\) would both listen on TCP 10.45.16.10:5061/,
  },
  {
    rule: 'port-clash',
    title: 'metrics on the port of the front end',
    internal: true,
    edit: [
      `{ internal: [10.45.32.11] }
  certificates:
    internal: { certificate: internal.crt, key: internal.key }
  internalCa: ca.crt
  administration:
    metrics: { address: 127.0.0.1, port: 9181 }`,
      `{ internal: [127.0.0.1] }
  certificates:
    internal: { certificate: internal.crt, key: internal.key }
  internalCa: ca.crt
  administration:
    metrics: { address: 127.0.0.1, port: 5061 }`,
    ],
    at: '5061 }',
    says: /the front end \(int-03, frontEnd.port\) and the supervisor \(more-01, .*\) would both listen/,
  },
  {
    rule: 'socket-path',
    title: 'a socket whose path the kernel cannot hold',
    edit: ['  administration:', `  administration:\n    socket: /${'x'.repeat(107)}`],
    at: '/xxx',
    says: /would be 108 bytes long: write a path of at most 107 bytes/,
  },
  {
    rule: 'limit-order',
    title: 'a header line longer than a message',
    edit: ['{ messageBytes: 65536, headerLineBytes: 8192 }', '{ messageBytes: 4096, headerLineBytes: 8192 }'],
    at: '8192',
    says: /is 8192, more than the 4096 of messageBytes/,
  },
  {
    rule: 'limit-order',
    title: 'the same at the front end',
    internal: true,
    edit: ['messageBytes: 65536', 'messageBytes: 4096'],
    at: '8192',
    says: /frontEnd.limits.headerLineBytes is 8192/,
  },
  {
    rule: 'duplicate',
    title: 'a domain of ours that a trusted peer claims, too',
    internal: true,
    edit: [
      '  registrar:',
      '  trustedPeers:\n    - { name: gateway.example.com, domains: [partner.example, example.com] }\n  registrar:',
    ],
    at: 'example.com',
    says: /example.com is also a domain of frontEnd.sipDomains/,
  },
  {
    rule: 'duplicate',
    title: 'a trusted peer with the name of an edge',
    internal: true,
    edit: [
      '  registrar:',
      '  trustedPeers:\n    - { name: edge1.example.com, domains: [partner.example] }\n  registrar:',
    ],
    at: 'edge1.example.com',
    says: /edge1.example.com is also the name of frontEnd.edges\[0\]/,
  },
  {
    rule: 'duplicate',
    title: 'the conferences of a host are one peer, not two',
    internal: true,
    edit: [
      '  registrar:',
      '  trustedPeers:\n    - { name: host.example.com, domains: [partner.example] }\n' +
        '    - { name: host.example.com, domains: [conf.example.com], conferences: true }\n' +
        '    - { name: host.example.com, domains: [meet.example.com], conferences: true }\n  registrar:',
    ],
    at: 'host.example.com, domains: [meet',
    says: /host.example.com is also the name of frontEnd.trustedPeers\[1\]/,
  },
  {
    rule: 'conference-peer',
    title: 'conferences that no trusted peer of the front end has',
    internal: true,
    severity: 'warning',
    edit: ['frontEnd:', 'webConferencing: { domain: conf.example.com }\nfrontEnd:'],
    at: 'conf.example.com',
    says: /no trusted peer of the front end has conferences in conf.example.com.*conferences: true/,
  },
  {
    rule: 'expires-order',
    title: 'a usual time beyond the longest',
    internal: true,
    edit: ['maxExpiresSeconds: 7200', 'maxExpiresSeconds: 600'],
    at: '3600',
    says: /write a number from 60 to 600/,
  },
  {
    rule: 'expires-order',
    title: 'a usual time of subscriptions below the shortest',
    internal: true,
    edit: [
      '  registrar:',
      '  presence: { minExpiresSeconds: 900, defaultExpiresSeconds: 600 }\n  registrar:',
    ],
    at: '600',
    says: /write a number from 900 to 36000/,
  },
  {
    rule: 'external-is-internal',
    title: 'one address inside and outside [setting host.addresses.webConferencing]',
    edit: ['webConferencing: [192.0.2.20]', 'webConferencing: [10.45.16.10]'],
    at: '10.45.16.10]',
    says: /10.45.16.10 is both internal and external \(host.addresses.webConferencing\[0\]\)/,
  },
  {
    rule: 'external-in-internal-network',
    title: 'an external address inside',
    edit: ['av: [192.0.2.30]', 'av: [10.45.0.30]'],
    at: '10.45.0.30]',
    says: /the external address 10.45.0.30 lies in 10.45.0.0\/16/,
  },
  {
    rule: 'next-hop-outside',
    title: 'a next hop outside the internal networks [setting policy.internalNetworks]',
    edit: ['[10.45.0.0/16]', '[10.45.16.0/24]'],
    at: '10.45.32.11,',
    says: /the next hop member 10.45.32.11 is in none of policy.internalNetworks/,
  },
  {
    rule: 'next-hop-family',
    title: 'an IPv6 next hop without an internal IPv6 address',
    edit: [
      `[10.45.0.0/16]
  nextHop:
    name: pool.example.com
    members:
      - { name: fe1.example.com, address: 10.45.32.11,`,
      `["fd00::/8"]
  nextHop:
    name: pool.example.com
    members:
      - { name: fe1.example.com, address: "fd00::11",`,
    ],
    at: '"fd00::11"',
    says: /fd00::11 is IPv6, and host.addresses.internal has none/,
  },
  {
    rule: 'relay-range-order',
    title: 'a relay range upside down',
    edit: ['last: 59999', 'last: 49999'],
    at: '49999',
    says: /ends at 49999, before it begins at 50000/,
  },
  {
    rule: 'relay-range-overlap',
    title: 'a relay range over a listening port',
    edit: ['first: 50000', 'first: 3000'],
    at: '3000',
    says: /holds UDP 3478 of policy.ports.avUdp/,
  },
  {
    rule: 'allowed-peer-internal',
    title: 'a relay into the internal networks',
    edit: ['allowedPeers: []', 'allowedPeers: [198.51.100.0/24, 10.0.0.0/8]'],
    at: '10.0.0.0/8',
    says: /10.0.0.0\/8 overlaps 10.45.0.0\/16 of policy.internalNetworks/,
  },
  {
    rule: 'allowed-peer-own',
    title: 'own addresses among the allowed peers',
    severity: 'warning',
    edit: ['allowedPeers: []', 'allowedPeers: [192.0.2.0/24]'],
    at: '192.0.2.0/24',
    says: /holds this edge's own address 192.0.2.10/,
  },
  {
    rule: 'private-relay-address',
    title: 'a relay on a private address',
    severity: 'warning',
    edit: ['av: [192.0.2.30]', 'av: [172.16.0.30]'],
    at: '172.16.0.30',
    says: /private address 172.16.0.30/,
  },
  {
    rule: 'reserve-relay-ports',
    title: 'the relay range is to be reserved on the host',
    severity: 'instruction',
    edit: ['first: 50000', 'first: 55000'],
    at: '55000',
    says: /ip_local_reserved_ports=55000-59999/,
  },
  ...(
    [
      ['missing.crt', /"\/.*missing.crt" does not exist/],
      ['unreadable.crt', /cannot be read/],
      ['folder.crt', /is not an ordinary file/],
      ['huge.crt', /is larger than 1 MiB/],
    ] as const
  ).map(
    ([file, says]): RuleCase => ({
      rule: file === 'missing.crt' ? 'file-missing' : 'file',
      title: `a certificate file like ${file}`,
      edit: ['certificate: access.crt', `certificate: ${file}`],
      at: file,
      says,
    }),
  ),
  ...(
    [
      ['internalCa: ca.crt', 'internalCa: wrong.crt', 'wrong.crt', /holds no certificate in PEM form/],
      ['internalCa: ca.crt', 'internalCa: damaged.crt', 'damaged.crt', /damaged certificate \(number 2\)/],
      [
        'certificate: access.crt, key: access.key',
        'certificate: access.crt, key: wrong.key',
        'wrong.key',
        /no private key/,
      ],
      [
        'certificate: access.crt, key: access.key',
        'certificate: access.crt, key: encrypted.key',
        'encrypted.key',
        /holds an encrypted key/,
      ],
      ['keyFile: pool.media', 'keyFile: wrong.media', 'wrong.media', /is not a media key/],
      [
        'keyFile: pool.media',
        'keyFile: pool.media, staticSecretFiles: [short.secret]',
        'short.secret',
        /is not a shared secret/,
      ],
    ] as const
  ).map(
    ([from, to, at, says]): RuleCase => ({
      rule: 'file-content',
      title: `a file like ${to.split(' ').at(-1)}`,
      edit: [from, to],
      at,
      says,
    }),
  ),
  {
    rule: 'file-permissions',
    title: 'a key that everybody may read',
    severity: 'warning',
    edit: ['certificate: internal.crt, key: internal.key', 'certificate: internal.crt, key: open.key'],
    at: 'open.key',
    says: /has mode 0644: chmod 0600/,
  },
];

for (const one of cases) test(`rule ${one.rule}: ${one.title}`, () => check(one));

test('rule renamed-key: an old name says the new one', () => {
  const text = edited(goodEdge, '  site: Head office', '  site: Head office\n  federationPort: 5061');
  const renamed = new Map([['policy.federationPort', 'policy.ports.accessInternal']]);
  const { findings } = examineEdge(text, { file: 'edge.yaml', files: virtualFiles, renamed });
  const [finding] = findings.filter(({ severity }) => severity === 'error');
  assert.equal(finding?.rule, 'renamed-key');
  assert.equal(finding.line, 18);
  assert.equal(finding.instead, 'write policy.ports.accessInternal');
});

test('the good documents have nothing to correct', () => {
  const options = { file: 'document.yaml', files: virtualFiles };
  assert.ok(examineEdge(goodEdge, options).findings.every(({ severity }) => severity === 'instruction'));
  assert.deepEqual(examineInternal(goodInternal, options).findings, []);
});

after(() => {
  const rules = [...edgeRules, ...internalRules, ...fileRules].map(({ name }) => name);
  const untested = rules.filter((name) => !proven.has(name));
  assert.deepEqual(untested, [], 'every rule has a test of its own');
});
