import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Store } from '#platform/store';
import { makeSealingKey } from '#protocols/replication';
import { type About, pack, unpack } from './archive.ts';
import { collect } from './collect.ts';
import { lock, unlock } from './container.ts';
import { inTheWay, putBack } from './restore.ts';

const PASSPHRASE = 'correct horse battery staple';
const about: About = {
  program: 'internal',
  host: 'fe1.example.com',
  product: '0',
  created: 1,
  socket: '/run/x.sock',
};

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'backup-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
function code(result: { ok: boolean; error?: unknown }): string {
  return result.ok ? 'ok' : (result.error as { code: string }).code;
}

test('what was locked opens with the passphrase, or with the key of the recipient, and with nothing else', () => {
  const content = Buffer.from('documents, keys, databases');
  const byWords = lock(content, { kind: 'passphrase', passphrase: PASSPHRASE });
  assert.ok(byWords.ok && !byWords.value.includes(content));
  const words = (passphrase: string) => unlock(byWords.value, { kind: 'passphrase', passphrase });
  assert.deepEqual(words(PASSPHRASE), { ok: true, value: content });
  assert.equal(code(words(`${PASSPHRASE} `)), 'SLP-CFG-0042');
  const [key, other] = [makeSealingKey(), makeSealingKey()];
  const byKey = lock(content, { kind: 'recipient', publicKey: key.publicKey });
  assert.ok(byKey.ok);
  assert.deepEqual(unlock(byKey.value, { kind: 'recipient', key }), { ok: true, value: content });
  assert.equal(code(unlock(byKey.value, { kind: 'recipient', key: other })), 'SLP-CFG-0042');
  assert.equal(code(unlock(byKey.value, { kind: 'passphrase', passphrase: PASSPHRASE })), 'SLP-CFG-0042');
  assert.equal(code(lock(content, { kind: 'passphrase', passphrase: 'short' })), 'SLP-CFG-0044');
  assert.equal(code(lock(content, { kind: 'recipient', publicKey: 'nonsense' })), 'SLP-CFG-0045');
});

test('a file that was changed or cut anywhere does not open, and asks for no more memory than there may be', () => {
  const key = makeSealingKey();
  const locked = lock(Buffer.from('x'.repeat(100)), { kind: 'recipient', publicKey: key.publicKey });
  assert.ok(locked.ok);
  for (let at = 0; at < locked.value.length; at++) {
    const damaged = Buffer.from(locked.value);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    assert.notEqual(code(unlock(damaged, { kind: 'recipient', key })), 'ok', `byte ${at}`);
    assert.notEqual(
      code(unlock(locked.value.subarray(0, at), { kind: 'recipient', key })),
      'ok',
      `cut to ${at}`,
    );
  }
  for (const [n, r] of [
    [2 ** 30, 8],
    [3, 8],
  ]) {
    const head = { lock: 'passphrase', salt: 'AAAA', n, r, p: 1, nonce: Buffer.alloc(12).toString('base64') };
    const file = Buffer.from(`SALLYPORT-BACKUP 1\n${JSON.stringify(head)}\n${' '.repeat(40)}`);
    assert.equal(code(unlock(file, { kind: 'passphrase', passphrase: PASSPHRASE })), 'SLP-CFG-0042');
  }
});

test('everything comes back as it was: bytes, modes, links, and a database that was written meanwhile', (t) => {
  const folder = place(t);
  const at = (name: string) => join(folder, name);
  mkdirSync(at('state/versions/1'), { recursive: true });
  writeFileSync(at('document.yaml'), 'version: 1\n');
  writeFileSync(at('state/own.key'), 'secret', { mode: 0o600 });
  writeFileSync(at('state/versions/1/policy.yaml'), 'policy: {}\n');
  symlinkSync('versions/1', at('state/current'));
  chmodSync(at('document.yaml'), 0o640);
  const store = Store.open({ file: at('store.sqlite'), migrations: ['CREATE TABLE t (n INTEGER) STRICT'] });
  assert.ok(store.ok);
  store.value.command('INSERT INTO t VALUES (1)').run();
  const collected = collect({
    files: [at('document.yaml')],
    state: [at('state/own.key'), at('state/current'), at('state/absent')],
    databases: [at('store.sqlite'), at('absent.sqlite')],
  });
  assert.ok(collected.ok, JSON.stringify(collected));
  store.value.command('INSERT INTO t VALUES (2)').run();
  const packed = pack({ about, files: collected.value });
  assert.ok(packed.ok);
  const archive = unpack(packed.value);
  assert.ok(archive.ok);
  assert.deepEqual(archive.value.about, about);

  assert.equal(code(putBack(archive.value, false)), 'SLP-CFG-0046');
  assert.equal(inTheWay(archive.value).length, 7, 'five files, and what lies beside the open database');
  store.value.close();
  for (const name of ['document.yaml', 'state', 'store.sqlite']) rmSync(at(name), { recursive: true });
  writeFileSync(at('store.sqlite-wal'), 'of another life');
  assert.equal(code(putBack(archive.value, false)), 'SLP-CFG-0046');
  assert.equal(code(putBack(archive.value, true)), 'ok');

  assert.equal(readFileSync(at('state/own.key'), 'utf8'), 'secret');
  assert.equal(statSync(at('document.yaml')).mode & 0o777, 0o640);
  assert.equal(statSync(at('state/own.key')).mode & 0o777, 0o600);
  assert.equal(readlinkSync(at('state/current')), 'versions/1');
  assert.ok(lstatSync(at('state/current')).isSymbolicLink());
  assert.ok(!existsSync(at('store.sqlite-wal')));
  const again = Store.open({ file: at('store.sqlite'), migrations: ['CREATE TABLE t (n INTEGER) STRICT'] });
  assert.ok(again.ok);
  t.after(() => again.value.close());
  assert.deepEqual(again.value.query('SELECT n FROM t', (row) => Number(row.n)).all(), [1]);
});

test('a file that cannot be read is named, and nothing half is made', (t) => {
  const missing = join(place(t), 'certificate.pem');
  const collected = collect({ files: [missing], state: [], databases: [] });
  assert.ok(
    !collected.ok && collected.error.code === 'SLP-CFG-0043' && collected.error.message.includes(missing),
  );
});

test('an archive that is none, or leads elsewhere, is refused', () => {
  assert.equal(code(unpack(Buffer.from('PK nothing'))), 'SLP-CFG-0041');
  const file = { path: '/etc/../root/x', kind: 'file', mode: 0o600, uid: 0, gid: 0 } as const;
  const packed = pack({ about, files: [{ ...file, content: Buffer.from('x') }] });
  assert.ok(packed.ok);
  assert.equal(code(unpack(packed.value)), 'SLP-CFG-0041');
});
