import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { scenarioFile } from '../../../platform/topology/testing/scenarios.ts';
import { sallyport } from '../testing/printed.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-ports-'));
after(() => rmSync(folder, { recursive: true }));
const wrong = join(folder, 'edge.yaml');
writeFileSync(wrong, 'version: 1\nsurprise: yes\n');

test('port-summary prints each format and language; ports is the same command', async () => {
  const file = scenarioFile('s1-ipv4');
  const terminal = await sallyport('port-summary', file);
  assert.equal(terminal.status, 0);
  assert.match(terminal.out, /^Port summary: Head office\n\nS1: a single edge with public addresses/);
  assert.equal((await sallyport('ports', file)).out, terminal.out);
  assert.match(
    (await sallyport('ports', file, '--format', 'markdown')).out,
    /^# Port summary: Head office\n/,
  );
  const csv = (await sallyport('ports', file, '--format', 'csv')).out;
  assert.match(csv, /^row,table,state,.*\r\next-02,/);
  assert.ok(csv.endsWith('\r\n') && !csv.endsWith('\n\r\n'));
  const json = JSON.parse((await sallyport('ports', file, '--format', 'json', '--lang', 'fr')).out) as {
    language: string;
    tables: { title: string }[];
  };
  assert.equal(json.language, 'fr');
  assert.equal(json.tables[1]?.title, 'Interface interne');
});

test('port-summary leaves out what is off unless all is asked for', async () => {
  const file = scenarioFile('minimal');
  assert.doesNotMatch((await sallyport('ports', file)).out, /^ext-06/m);
  assert.match((await sallyport('ports', file, '--all')).out, /^ext-06 /m);
});

test('a document with mistakes has no port summary, and every mistake is told', async () => {
  for (const args of [
    ['port-summary', wrong],
    ['explain', 'ext-05', wrong],
  ]) {
    const { status, out, error } = await sallyport(...args);
    assert.equal(status, 1);
    assert.equal(out, '');
    assert.match(error, /edge\.yaml:2:1: /);
  }
  assert.equal((await sallyport('ports', join(folder, 'none.yaml'))).status, 1);
});

test('explain tells rows and ports, with a document and without', async () => {
  const row = await sallyport('explain', 'ext-09');
  assert.equal(row.status, 0);
  assert.match(row.out, /^ext-09: RTP/);
  const file = scenarioFile('single-address');
  const port = await sallyport('explain', '444', file);
  assert.match(port.out.replaceAll('\n', ' '), /^ext-08: .*\/single-address\.yaml it is on\./);
  assert.match((await sallyport('explain', '5062', '--lang', 'fr')).out, /^int-05\u00a0: /);
});

test('explain of what is not known fails, says what is, and prints nothing that a terminal would obey', async () => {
  for (const asked of ['ext-40', '9999', 'a\u001b[31m']) {
    const { status, out, error } = await sallyport('explain', asked);
    assert.equal(status, 1);
    assert.equal(out, '');
    assert.match(error, /ext-01|5061/);
    assert.equal(error.includes('\u001b'), false);
  }
});

test('a wrong format or language is a wrong command line', async () => {
  assert.equal((await sallyport('ports', scenarioFile('minimal'), '--format', 'pdf')).status, 2);
  assert.equal((await sallyport('explain', 'ext-05', '--lang', 'de')).status, 2);
});
