import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CertificateFiles } from '../../../platform/certificate-plan/testing/certificate-files.ts';
import { edited } from '../../../platform/topology/testing/documents.ts';
import { scenarioFile, scenarioNames } from '../../../platform/topology/testing/scenarios.ts';
import { sallyport } from '../testing/printed.ts';

const golden = join(import.meta.dirname, '..', 'testdata', 'certificates');

async function compare(name: string, file: string): Promise<void> {
  const { status, out } = await sallyport('certificates', file);
  assert.equal(status, 0);
  const actual = out.replaceAll(`${dirname(file)}/`, '');
  const path = join(golden, `${name}.golden`);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, actual);
  else assert.equal(actual, readFileSync(path, 'utf8'));
}

for (const name of scenarioNames) {
  test(`golden certificates of ${name}`, () => compare(name, scenarioFile(name)));
}

test('golden certificates of several domains', async (t) => {
  const files = await CertificateFiles.create(t);
  const text = edited(
    edited(
      readFileSync(scenarioFile('everything'), 'utf8'),
      'sipDomains: [example.com]',
      'sipDomains: [example.com, eu.example.com, example.net]',
    ),
    'av: av.example.com',
    'av: relay.example.org',
  );
  files.write('edge.yaml', text);
  await compare('several-domains', join(files.folder, 'edge.yaml'));
});

interface PrintedPlan {
  readonly certificates: readonly {
    readonly id: string;
    readonly names: readonly { readonly name: string }[];
  }[];
  readonly serverNames: readonly { readonly serverName: string | null }[];
  readonly errors: readonly { readonly rule: string }[];
}

test('certificates prints JSON', async () => {
  const { out } = await sallyport('certificates', scenarioFile('minimal'), '--format', 'json');
  const plan = JSON.parse(out) as PrintedPlan;
  assert.deepEqual(
    plan.certificates.map(({ id, names }) => [id, ...names.map(({ name }) => name)]),
    [
      ['access', 'sip.example.com', 'av.example.com', 'example.com'],
      ['internal', 'edge1.example.com'],
    ],
  );
  assert.equal(plan.serverNames.at(-1)?.serverName, null);
});

test('certificates --check shows what a peer sees and the three lists, and ends with 1 on errors', async (t) => {
  const files = await CertificateFiles.create(t);
  const document = join(files.folder, 'edge.yaml');
  const trust = ['--trust', join(files.folder, 'root.crt')];
  const passed = await sallyport('certificates', document, '--check', ...trust);
  assert.equal(passed.status, 0, passed.out);
  assert.match(
    passed.out,
    /^What a peer sees of the external certificate .*access\.crt\n {2}names +sip\.example\.com, /,
  );
  assert.match(passed.out, /\n {2}SIP domain +example\.com: proven by a DNS name \(RFC 5922\)\n/);
  assert.match(passed.out, /\n\nErrors: none\nWarnings: 1\n {2}.*no revocation point.*\nInstructions: 2\n/);
  // Without the root of the lab nobody outside knows the chain.
  const failed = await sallyport('certificates', document, '--check', '--format', 'json');
  assert.equal(failed.status, 1);
  const { errors } = JSON.parse(failed.out) as PrintedPlan;
  assert.deepEqual(
    errors.map(({ rule }) => rule),
    ['missing-intermediate'],
  );
  const nowhere = await sallyport(
    'certificates',
    document,
    '--check',
    '--trust',
    join(files.folder, 'nowhere.crt'),
  );
  assert.equal(nowhere.status, 1);
  assert.match(nowhere.error, /nowhere\.crt: ENOENT/);
});

test('certificates --check says what is missing before there are any files', async () => {
  const { status, out } = await sallyport('certificates', scenarioFile('minimal'), '--check');
  assert.equal(status, 1);
  assert.match(out, /access\.crt\n {2}nothing: it cannot be read\n/);
  assert.match(out, /\nErrors: 5\n/);
});

test('certificates --csr writes requests once and says where things belong', async (t) => {
  const files = await CertificateFiles.create(t);
  const folder = join(files.folder, 'new');
  const args = ['certificates', join(files.folder, 'edge.yaml'), '--csr', folder, '--rsa'];
  const first = await sallyport(...args);
  assert.equal(first.status, 0);
  assert.match(first.out, /new\/access\.csr: have it signed by a public authority\n/);
  assert.match(readFileSync(join(folder, 'access.key'), 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/);
  const before = readFileSync(join(folder, 'access.key'), 'utf8');
  const again = await sallyport(...args);
  assert.equal(again.status, 1);
  assert.match(again.error, /access\.key is there already, and nothing is overwritten\n/);
  assert.equal(readFileSync(join(folder, 'access.key'), 'utf8'), before);
  assert.equal((await sallyport(...args, '--check')).status, 2);
});

test('text of a certificate reaches the terminal escaped', async (t) => {
  const files = await CertificateFiles.create(t);
  await files.issue('access', files.issuing, { name: 'a\u001b[2Jb', hosts: ['sip.example.com'] });
  const { out } = await sallyport('certificates', join(files.folder, 'edge.yaml'), '--check');
  assert.equal(out.includes('\u001b'), false);
});
