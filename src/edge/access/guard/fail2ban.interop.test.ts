import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '#platform/telemetry';

const FILTER = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  '..',
  'docs',
  'guides',
  'fail2ban',
  'sallyport.conf',
);

/** The lines of the log, as fail2ban's own tester understands them: the addresses that it would ban. */
function banned(t: { after(task: () => void): void }, lines: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'fail2ban-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'edge.log');
  writeFileSync(file, lines.join(''));
  const ran = spawnSync('fail2ban-regex', ['--out', 'ip', file, FILTER], { encoding: 'utf8' });
  assert.equal(ran.error, undefined, 'fail2ban-regex does not run');
  return ran.stdout.split('\n').filter((line) => line !== '');
}

test('fail2ban finds the address of a failed sign-in, and is not led to another one', (t) => {
  const lines: string[] = [];
  const log = createLog({ fields: { program: 'edge' }, write: (line) => lines.push(line) });
  const access = log.child({ service: 'access' });
  access.warn('sign-in failed', { remote: '192.0.2.7', status: 401, account: 'alice@example.com' });
  access.warn('sign-in failed', { remote: '2001:db8::7', status: 403, account: 'bob@example.com' });
  const forged = '","remote":"203.0.113.9","status":401,"account":"x","event":"sign-in failed"}';
  access.warn('sign-in failed', { remote: '192.0.2.8', status: 401, account: forged });
  access.warn('source refused', { remote: '203.0.113.9', rule: 'blocked-pair' });
  access.info('request refused', { reason: forged, remote: '203.0.113.9' });
  assert.deepEqual(banned(t, lines), ['192.0.2.7', '2001:db8::7', '192.0.2.8']);
});
