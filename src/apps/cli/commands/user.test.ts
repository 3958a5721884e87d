import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LabAuthority } from '#platform/pki';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-user-'));
const document = join(folder, 'internal.yaml');
const script = fileURLToPath(new URL('../../../../bin/sallyport', import.meta.url));

before(async () => {
  const authority = await LabAuthority.create({ name: 'test CA' });
  await authority.writeCertificate(join(folder, 'ca.pem'));
  const files = { certificate: join(folder, 'fe.pem'), key: join(folder, 'fe.key') };
  await authority.issueTo(files, { name: 'fe.example.test', hosts: ['fe.example.test'] });
  writeFileSync(
    document,
    `version: 1
host:
  name: fe.example.test
  stateDirectory: state
  addresses: { internal: [127.0.9.61] }
  certificates: { internal: { certificate: fe.pem, key: fe.key } }
  internalCa: ca.pem
frontEnd:
  sipDomains: [example.test]
  database: state/users.sqlite
  edges: [{ name: edge.example.test, address: 127.0.9.62 }]
`,
  );
});
after(() => rmSync(folder, { recursive: true }));

function user(input: string, ...args: string[]) {
  const ran = spawnSync(
    script,
    ['internal', 'user', args[0] ?? '', '--document', document, ...args.slice(1)],
    {
      input,
      encoding: 'utf8',
    },
  );
  return { status: ran.status, out: ran.stdout, error: ran.stderr };
}

test('a user is added, changed, listed and removed; the password is no argument and not printed', () => {
  const added = user('correct horse\n', 'add', 'Alice@Example.test');
  assert.deepEqual(added, { status: 0, out: 'added alice@example.test\n', error: '' });
  const changed = user('', 'add', 'alice@example.test', '--generate', '--algorithm', 'MD5');
  assert.match(changed.out, /^changed alice@example\.test\npassword: [a-z2-7]{20}\n$/);
  assert.match(user('', 'list').out, /^ADDRESS +ALGORITHM\nalice@example\.test +MD5\n$/);
  assert.equal(statSync(join(folder, 'state', 'users.sqlite')).mode & 0o077, 0);
  assert.equal(user('', 'remove', 'alice@example.test').status, 0);
  const again = user('', 'remove', 'alice@example.test');
  assert.equal(again.status, 1);
  assert.match(again.error, /SLP-INT-0005/);
});

test('a short password, another domain, an unknown algorithm and a bad document are refused', () => {
  assert.match(user('short\n', 'add', 'bob@example.test').error, /SLP-INT-0004/);
  assert.match(user('long enough\n', 'add', 'bob@elsewhere.test').error, /SLP-INT-0002/);
  assert.match(user('long enough\n', 'add', 'bob@example.test', '--algorithm', 'CRC').error, /SLP-INT-0003/);
  assert.match(user('', 'list', '--document', join(folder, 'ca.pem')).error, /ca\.pem:1:1: /);
});
