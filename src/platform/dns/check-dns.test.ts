import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Complaint } from '#platform/topology';
import { edited } from '../topology/testing/documents.ts';
import { scenario, scenarioFile, scenarioNames } from '../topology/testing/scenarios.ts';
import { checkDns, joinedFindings } from './check-dns.ts';
import { dnsPlan } from './dns-plan.ts';
import { Answers } from './testing/answers.ts';
import { edgeFrom, severalDomains } from './testing/several-domains.ts';

const said = (findings: readonly Complaint[]): string[] =>
  findings
    .filter(({ rule }) => rule !== 'not-yet' && rule !== 'caa')
    .map(({ severity, rule, what, instead }) => `${severity} ${rule}: ${what}: ${instead}`);

async function checked(name: 's1-dual' | 's2-nat' | 's3-dns-pool', change: (answers: Answers) => void) {
  const document = scenario(name);
  const answers = new Answers(dnsPlan(document));
  change(answers);
  return said(await checkDns(document, answers));
}

test('what the plan asks for is enough, in every scenario', async () => {
  for (const name of scenarioNames) {
    const document = scenario(name);
    const findings = await checkDns(document, new Answers(dnsPlan(document)));
    assert.deepEqual(
      findings.filter(({ severity }) => severity !== 'instruction'),
      [],
      name,
    );
  }
});

const ADD_SIP = '_sip._tls.example.com. IN SRV 0 0 443 sip.example.com.';

const faults: readonly (readonly [string, (answers: Answers) => void, readonly string[]])[] = [
  [
    'a missing service record',
    ({ srv }) => srv.delete('_sip._tls.example.com'),
    [`error record-missing: "_sip._tls.example.com" has no SRV record: add ${ADD_SIP}`],
  ],
  [
    'a wrong port',
    ({ srv }) => srv.set('_sip._tls.example.com', [{ target: 'sip.example.com', port: 5061 }]),
    [
      `error wrong-port: "_sip._tls.example.com" leads to port 5061 of sip.example.com, which listens on 443: write ${ADD_SIP}`,
    ],
  ],
  [
    'a wrong target',
    ({ srv }) => srv.set('_sip._tls.example.com', [{ target: 'old.example.com', port: 443 }]),
    [
      `error wrong-target: "_sip._tls.example.com" leads to "old.example.com" port 443, not to this edge: write ${ADD_SIP}`,
    ],
  ],
  [
    'a target outside of the domain',
    ({ srv }) => srv.set('_sip._tls.example.com', [{ target: 'sip.notexample.com', port: 443 }]),
    [
      'error target-outside: "_sip._tls.example.com" leads to "sip.notexample.com" outside of example.com: ' +
        `clients and partners refuse it: write ${ADD_SIP}`,
    ],
  ],
  [
    'an alias outside of the domain beside the right record',
    ({ srv, aliases }) => {
      srv.get('_turn._udp.example.com')?.push({ target: 'relay.example.net', port: 3478 });
      aliases.set('relay.example.net', 'host7.example.net');
    },
    [
      'warning other-target: "_turn._udp.example.com" also leads to "relay.example.net" port 3478, which the document ' +
        'does not know: remove the record with "relay.example.net" 3478, unless it is another site of yours',
      'error srv-alias: "relay.example.net" is an alias of "host7.example.net", and service records lead to it: ' +
        'replace the CNAME with the addresses themselves',
    ],
  ],
  [
    'a service that says that it is not offered',
    ({ srv }) => srv.set('_sip._tls.example.com', [{ target: '', port: 0 }]),
    [
      `error not-offered: "_sip._tls.example.com" says that there is no such service (target "."): write ${ADD_SIP}`,
    ],
  ],
  [
    'a target that is an alias',
    ({ aliases }) => aliases.set('sip.example.com', 'edge.hosting.example.net'),
    [
      'error srv-alias: "sip.example.com" is an alias of "edge.hosting.example.net", and service records lead to it: ' +
        'replace the CNAME with the addresses themselves',
    ],
  ],
  [
    'no address at all',
    ({ hosts }) => hosts.delete('webconf.example.com'),
    [
      'error record-missing: "webconf.example.com" has no A record: add webconf.example.com. IN A 192.0.2.20',
      'error record-missing: "webconf.example.com" has no AAAA record: add webconf.example.com. IN AAAA 2001:db8:1::20',
    ],
  ],
  [
    'A without AAAA',
    ({ hosts }) => hosts.set('sip.example.com', ['192.0.2.10']),
    [
      'error family-missing: "sip.example.com" has A and no AAAA, and the document has 2001:db8:1::10: ' +
        'add sip.example.com. IN AAAA 2001:db8:1::10',
    ],
  ],
  [
    'an address of nobody',
    ({ hosts }) => hosts.get('av.example.com')?.push('198.51.100.99'),
    [
      'error foreign-address: "av.example.com" also leads to 198.51.100.99, which the document does not know: ' +
        'remove av.example.com. IN A 198.51.100.99',
    ],
  ],
  [
    "another service's address",
    ({ hosts }) => hosts.get('av.example.com')?.push('192.0.2.10'),
    [
      'error foreign-address: "av.example.com" also leads to 192.0.2.10, the Access Edge address of edge1.example.com: ' +
        'remove av.example.com. IN A 192.0.2.10',
    ],
  ],
  [
    'the internal address of the edge',
    ({ hosts }) => hosts.get('sip.example.com')?.push('10.45.16.10'),
    [
      'error internal-address: "sip.example.com" leads the outside to 10.45.16.10 (the internal address of ' +
        'edge1.example.com): it lies in 10.45.0.0/16 of policy.internalNetworks: remove sip.example.com. IN A ' +
        '10.45.16.10, or ask a resolver that answers as the outside sees it',
    ],
  ],
  [
    'a private address',
    ({ hosts }) => hosts.get('sip.example.com')?.push('192.168.7.7'),
    [
      'error internal-address: "sip.example.com" leads the outside to 192.168.7.7: it is a private address: ' +
        'remove sip.example.com. IN A 192.168.7.7, or ask a resolver that answers as the outside sees it',
    ],
  ],
  [
    'a resolver that fails',
    ({ failures }) => failures.set('A sip.example.com', 'ESERVFAIL'),
    [
      'error no-answer: "sip.example.com" A: the resolver gives no answer (ESERVFAIL): see whether the zone is served ' +
        'and its signatures are valid, or ask another with --resolver',
    ],
  ],
  [
    'a text that a terminal would obey',
    ({ srv }) => srv.set('_turn._udp.example.com', [{ target: 'a\u001b[2Jb', port: 1 }]),
    [
      'error wrong-target: "_turn._udp.example.com" leads to "a\\u001b[2Jb" port 1, not to this edge: write ' +
        '_turn._udp.example.com. IN SRV 0 0 3478 av.example.com.',
    ],
  ],
];

for (const [title, change, expected] of faults) {
  test(`finds ${title}`, async () => assert.deepEqual(await checked('s1-dual', change), expected));
}

test('a member of the pool that the records leave out is named', async () => {
  const findings = await checked('s3-dns-pool', ({ hosts }) =>
    hosts.set('sip.example.com', ['192.0.2.11', '2001:db8:1::11', '2001:db8:1::12']),
  );
  assert.deepEqual(findings, [
    'error address-missing: "sip.example.com" does not lead to 192.0.2.12: add sip.example.com. IN A 192.0.2.12',
  ]);
});

test('the address behind the translation is not for the outside', async () => {
  const { av } = scenario('s2-nat').host.addresses;
  const findings = await checked('s2-nat', ({ hosts }) => hosts.set('av.example.com', [...av]));
  assert.equal(findings.length, 2);
  assert.match(findings[0] ?? '', /^error address-missing: "av.example.com" does not lead to 203\.0\.113\./);
  assert.match(
    findings[1] ?? '',
    /^error internal-address: .*the A\/V Edge address of edge1.example.com, which the external firewall translates/,
  );
});

test('a document that itself shows private addresses is told so', async () => {
  const text = edited(readFileSync(scenarioFile('minimal'), 'utf8'), '[192.0.2.10]', '[192.168.1.10]');
  const document = edgeFrom(text);
  const findings = said(await checkDns(document, new Answers(dnsPlan(document))));
  assert.equal(findings.length, 1);
  assert.match(findings[0] ?? '', /^warning private-address: "sip.example.com" A 192.168.1.10 is of no use/);
});

test('a record of a service that is off is a warning if it leads here, and nobody’s business if not', async () => {
  const document = scenario('minimal');
  const answers = new Answers(dnsPlan(document));
  answers.srv.set('_sipfederationtls._tcp.example.com', [{ target: 'sip.example.com', port: 5061 }]);
  answers.srv.set('_xmpp-server._tcp.example.com', [{ target: 'chat.example.com', port: 5269 }]);
  assert.deepEqual(said(await checkDns(document, answers)), [
    'warning service-off: "_sipfederationtls._tcp.example.com" leads to sip.example.com, where nothing is open for it: ' +
      'policy.features.federation is off: remove the record, or write policy.features.federation: true',
  ]);
});

test('CAA: the nearest set counts, and only what it says is told', async () => {
  const document = severalDomains();
  const answers = new Answers(dnsPlan(document));
  answers.caa.set('example.com', [
    { tag: 'issue', value: 'ca.example' },
    { tag: 'iodef', value: 'mailto:a@example.com' },
  ]);
  answers.caa.set('eu.example.com', [{ tag: 'issue', value: ';' }]);
  answers.failures.set('CAA example.net', 'ETIMEOUT');
  const findings = (await checkDns(document, answers)).filter(({ rule, what }) =>
    rule === 'caa' ? true : what.includes('CAA'),
  );
  assert.deepEqual(
    findings.map(({ severity, what }) => `${severity} ${what}`),
    [
      'instruction "example.com": its CAA records let only "ca.example" issue certificates',
      'warning "eu.example.com": its CAA records let no authority issue certificates',
      'warning "example.net" CAA: the resolver gives no answer (ETIMEOUT)',
      'instruction example.org has no CAA record: every authority may issue certificates for it',
    ],
  );
});

test('resolvers that disagree are named, and those that agree are not', () => {
  const finding = (what: string): Complaint => ({ severity: 'error', rule: 'r', what, instead: 'i' });
  const joined = joinedFindings([
    { resolver: '192.0.2.1:53', findings: [finding('both'), finding('one')] },
    { resolver: '192.0.2.2:53', findings: [finding('both')] },
  ]);
  assert.deepEqual(
    joined.map(({ what }) => what),
    ['both', '192.0.2.1:53: one'],
  );
});
