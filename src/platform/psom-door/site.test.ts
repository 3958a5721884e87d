import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadSite } from './index.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-site-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('the built files by their paths, those with a name of their contents for good', (t) => {
  const path = folder(t);
  mkdirSync(join(path, 'assets'));
  writeFileSync(join(path, 'index.html'), '<!doctype html>');
  writeFileSync(join(path, 'assets', 'app-0a1B2c3D.js'), 'let x;'.repeat(1000));
  writeFileSync(join(path, 'notes.exe'), 'no type that is served');
  symlinkSync('/etc/passwd', join(path, 'passwd.txt'));
  const site = loadSite(path);
  assert.ok(site.ok && site.value);
  assert.deepEqual([...site.value.keys()].sort(), ['/assets/app-0a1B2c3D.js', '/index.html']);
  const script = site.value.get('/assets/app-0a1B2c3D.js');
  assert.equal(script?.lasting, true);
  assert.ok((script?.gzipped?.length ?? 0) < 1000);
  assert.equal(site.value.get('/index.html')?.lasting, false);
});

test('what is not built, and what is too much', (t) => {
  const path = folder(t);
  assert.deepEqual(loadSite(path), { ok: true, value: undefined });
  assert.deepEqual(loadSite(join(path, 'missing')), { ok: true, value: undefined });
  writeFileSync(join(path, 'index.html'), '');
  writeFileSync(join(path, 'large.png'), '');
  truncateSync(join(path, 'large.png'), 65 * 1024 * 1024);
  const site = loadSite(path);
  assert.equal(site.ok ? undefined : site.error.code, 'SLP-WEB-0002');
});
