import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenario } from '../topology/testing/scenarios.ts';
import { checkDns } from './check-dns.ts';
import { dnsPlan } from './dns-plan.ts';
import { DnsLookUp, resolverPlace, usualLimits } from './look-up.ts';
import { served, startDnsmasq, startSilence } from './testing/dnsmasq.ts';
import { severalDomains } from './testing/several-domains.ts';

test('a name server that serves the planned records passes, in IPv4 and IPv6, for several domains', async (t) => {
  for (const document of [scenario('s1-dual'), severalDomains()]) {
    const place = await startDnsmasq(t, served(dnsPlan(document).outside));
    const findings = await checkDns(document, new DnsLookUp([place]));
    assert.deepEqual(
      findings.filter(({ severity }) => severity !== 'instruction'),
      [],
    );
    assert.ok(findings.some(({ rule, what }) => rule === 'caa' && what.startsWith('example.com has no CAA')));
  }
});

test('faults of a real zone are found', async (t) => {
  const document = scenario('s1-ipv4');
  const settings = served(dnsPlan(document).outside)
    .filter((setting) => !setting.startsWith('--host-record=sip.') && !setting.includes('=_turn._udp.'))
    .map((setting) => setting.replace('webconf.example.com,192.0.2.20', 'webconf.example.com,10.45.16.10'))
    .map((setting) =>
      setting.replace(
        '_sip._tls.example.com,sip.example.com,443',
        '_sip._tls.example.com,sip.example.com,5061',
      ),
    )
    .concat('--host-record=edge.example.com,192.0.2.10', '--cname=sip.example.com,edge.example.com')
    .concat('--srv-host=_turns._tcp.example.com,relay.example.net,443')
    .concat('--caa-record=example.com,0,issue,ca.example');
  const place = await startDnsmasq(t, settings);
  const findings = await checkDns(document, new DnsLookUp([place]));
  assert.deepEqual(
    findings
      .filter(({ rule }) => rule !== 'not-yet')
      .map(({ severity, rule, what }) => `${severity} ${rule}: ${what}`),
    [
      'error srv-alias: "sip.example.com" is an alias of "edge.example.com", and service records lead to it',
      'error address-missing: "webconf.example.com" does not lead to 192.0.2.20',
      'error internal-address: "webconf.example.com" leads the outside to 10.45.16.10 (the internal address of ' +
        'edge1.example.com): it lies in 10.45.0.0/16 of policy.internalNetworks',
      'error wrong-port: "_sip._tls.example.com" leads to port 5061 of sip.example.com, which listens on 443',
      'error record-missing: "_turn._udp.example.com" has no SRV record',
      'warning other-target: "_turns._tcp.example.com" also leads to "relay.example.net" port 443, which the ' +
        'document does not know',
      'instruction caa: "example.com": its CAA records let only "ca.example" issue certificates',
    ],
  );
});

test('a resolver that says nothing is given up', async (t) => {
  const limits = { ...usualLimits, timeoutMs: 50, tries: 1, silentInARow: 3, atATime: 1 };
  const lookUp = new DnsLookUp([await startSilence(t)], limits);
  const document = scenario('minimal');
  const findings = await checkDns(document, lookUp);
  assert.equal(findings.filter(({ what }) => what.endsWith('(ETIMEOUT)')).length, 3);
  assert.deepEqual(
    findings
      .filter(({ what }) => what.startsWith('the resolver says nothing'))
      .map(({ severity }) => severity),
    ['error'],
  );
});

test('questions are bounded in number, and one that was asked costs no other', async (t) => {
  const document = scenario('minimal');
  const place = await startDnsmasq(t, served(dnsPlan(document).outside));
  const lookUp = new DnsLookUp([place], { ...usualLimits, questions: 2 });
  const found = { state: 'found', values: ['192.0.2.10'] };
  assert.deepEqual(await lookUp.addresses('sip.example.com', 'A'), found);
  assert.deepEqual(await lookUp.addresses('sip.example.com', 'A'), found);
  assert.deepEqual(await lookUp.addresses('sip.example.com', 'AAAA'), { state: 'absent' });
  assert.deepEqual(await lookUp.alias('sip.example.com'), { state: 'failed', code: 'TOO_MANY_QUESTIONS' });
});

test('resolvers are written as address, or address and port', () => {
  const places: readonly (readonly [string, string | undefined])[] = [
    ['192.0.2.53', '192.0.2.53:53'],
    ['192.0.2.53:5353', '192.0.2.53:5353'],
    ['2001:db8::53', '[2001:db8::53]:53'],
    ['[2001:db8::53]:5353', '[2001:db8::53]:5353'],
    ['[192.0.2.53]:53', undefined],
    ['192.0.2.53:0', undefined],
    ['192.0.2.53:65536', undefined],
    ['resolver.example', undefined],
    ['fe80::1%eth0', undefined],
    ['', undefined],
  ];
  for (const [text, place] of places) assert.equal(resolverPlace(text), place, text);
});
