import assert from 'node:assert/strict';
import { test } from 'node:test';
import { served, startDnsmasq } from '../../../platform/dns/testing/dnsmasq.ts';
import { scenarioFile } from '../../../platform/topology/testing/scenarios.ts';
import { sallyport } from '../testing/printed.ts';

const file = scenarioFile('s1-dual');

test('dns prints tables with reasons and the three lists', async () => {
  const { status, out } = await sallyport('dns', file);
  assert.equal(status, 0);
  assert.match(out, /^Outside: for everybody\nNAME +TYPE +DATA +PORT ROWS +WHY\n/);
  assert.match(
    out,
    /\n_sip\._tls\.example\.com +SRV +0 0 443 sip\.example\.com\. +ext-05 +clients outside find/,
  );
  assert.match(out, /\nInside: for the internal network\n/);
  assert.match(out, /\nErrors: none\nWarnings: none\nInstructions: \d+\n {2}example\.com: whether a CAA/);
});

test('dns prints zones, one zone, another view', async () => {
  const { out } = await sallyport('dns', file, '--format', 'zone', '--zone', 'Example.com.');
  assert.match(out, /^; .*\n\$ORIGIN example\.com\.\n\$TTL 3600\n/);
  assert.match(out, /\nsip +IN AAAA 2001:db8:1::10\n/);
  for (const line of out.trimEnd().split('\n')) assert.match(line, /^(;|\$|\S+ +IN |$)/);
  const inside = await sallyport('dns', file, '--format', 'zone', '--view', 'inside');
  assert.match(inside.out, /\nedge1 +IN A +10\.45\.16\.10\n/);
  const none = await sallyport('dns', file, '--zone', 'example.net');
  assert.equal(none.status, 1);
  assert.match(none.error, /no record of the document lies in example\.net: its zones are example\.com/);
});

interface PrintedRecords {
  readonly outside: readonly {
    readonly origin: string;
    readonly records: readonly { readonly type: string }[];
  }[];
  readonly errors: readonly unknown[];
}

test('dns prints JSON', async () => {
  const { out } = await sallyport('dns', file, '--format', 'json');
  const { outside, errors } = JSON.parse(out) as PrintedRecords;
  assert.equal(outside[0]?.origin, 'example.com');
  assert.ok(outside[0].records.some(({ type }) => type === 'SRV'));
  assert.deepEqual(errors, []);
});

test('dns --check asks the resolvers that it is told, compares them, and ends with 1 on errors', async (t) => {
  const { out } = await sallyport('dns', file, '--format', 'json');
  const zones = (JSON.parse(out) as { outside: Parameters<typeof served>[0] }).outside;
  const good = await startDnsmasq(t, served(zones));
  const bad = await startDnsmasq(
    t,
    served(zones).filter((setting) => !setting.includes('_sip._tls')),
  );
  const passed = await sallyport('dns', file, '--check', '--resolver', good);
  assert.equal(passed.status, 0, passed.out);
  assert.match(passed.out, /^Errors: none\nWarnings: none\nInstructions: \d+\n/);
  const failed = await sallyport('dns', file, '--check', '--resolver', good, '--resolver', bad);
  assert.equal(failed.status, 1);
  assert.match(
    failed.out,
    new RegExp(
      `^Errors: 1\\n  ${bad}: "_sip._tls.example.com" has no SRV record: add _sip._tls.example.com. IN SRV`,
    ),
  );
  const json = await sallyport('dns', file, '--check', '--format', 'json', '--resolver', bad);
  assert.equal((JSON.parse(json.out) as PrintedRecords).errors.length, 1);
});

test('dns refuses what is no resolver, and a document with errors', async () => {
  assert.equal((await sallyport('dns', file, '--check', '--resolver', 'dns.example.com')).status, 2);
  const many = Array.from({ length: 9 }, (_, at) => ['--resolver', `192.0.2.${at}`]).flat();
  assert.equal((await sallyport('dns', file, '--check', ...many)).status, 2);
  const missing = await sallyport('dns', 'nowhere.yaml');
  assert.equal(missing.status, 1);
  assert.match(missing.error, /nowhere\.yaml:1:1: there is no such file/);
});
