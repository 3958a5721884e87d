import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaKeyText, readMediaKeys, readRestSecrets } from './index.ts';

const files: Readonly<Record<string, string>> = {
  '/keys/current': mediaKeyText(Buffer.alloc(32, 1)),
  '/keys/broken': 'nothing',
  '/keys/secret': 'a secret of the relay\n',
};
function read(file: string): Uint8Array {
  const text = files[file];
  if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  return Buffer.from(text);
}

test('files are read in order, and the failure names the file', () => {
  const keys = readMediaKeys(['/keys/current', '/keys/current'], read);
  assert.ok(keys.ok && keys.value.length === 2);
  const secrets = readRestSecrets(['/keys/secret'], read);
  assert.ok(secrets.ok);
  assert.deepEqual(secrets.value.map(String), ['a secret of the relay']);
  const missing = readMediaKeys(['/keys/current', '/keys/none'], read);
  assert.ok(!missing.ok && missing.error.code === 'SLP-AV-0203');
  assert.match(missing.error.message, /\/keys\/none: ENOENT/);
  const broken = readMediaKeys(['/keys/broken'], read);
  assert.ok(!broken.ok && broken.error.code === 'SLP-AV-0201');
  assert.match(broken.error.message, /\/keys\/broken/);
});
