import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AccessLab } from '../testing/lab.ts';
import { request } from '../testing/messages.ts';

/*
 * Both address families, and each status that is a failure. `src/apps/lab/fail2ban.interop.test.ts` has the log file of whole programs.
 */
const FILTER = join(import.meta.dirname, '../../../../docs/guides/fail2ban/sallyport.conf');

/** The lines of the log, as fail2ban's own tester understands them: the addresses that it would ban. */
function banned(t: { after(task: () => void): void }, { log }: AccessLab): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'fail2ban-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'edge.log');
  writeFileSync(file, log.lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const ran = spawnSync('fail2ban-regex', ['--out', 'ip', file, FILTER], { encoding: 'utf8' });
  assert.equal(ran.error, undefined, 'fail2ban-regex does not run');
  return ran.stdout.split('\n').filter((line) => line !== '');
}

test('fail2ban finds whoever failed to sign in, in IPv4 and IPv6, and nobody who is refused or succeeds', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => Object.assign(policy.remoteAccess.guard, { failuresPerAccount: 1 }),
  });
  const fe = await lab.frontEnds[0].connection();
  const plays = [
    ['192.0.2.7', 401, 'alice'],
    ['2001:db8::7', 403, 'bob'],
    ['192.0.2.9', 200, 'carol'],
    ['192.0.2.8', 404, '\\"},{\\"remote\\"'],
  ] as const;
  for (const [index, [address, status, name]] of plays.entries()) {
    lab.seenFrom = address;
    const client = await lab.client();
    client.sends(
      request('REGISTER', 'sip:example.com', {
        Via: `SIP/2.0/TLS h;branch=z9hG4bKf${index}`,
        To: '<sip:alice@example.com>',
        Contact: '<sip:alice@192.168.1.5>',
        Authorization: `Digest username="${name}", realm="example.com", nonce="n", uri="sip:x", response="00"`,
      }),
    );
    fe.answers(await fe.receivesRequest('REGISTER'), status);
    await client.receives(status);
    client.ends();
  }
  lab.seenFrom = '192.0.2.7';
  const again = await lab.client();
  again.sends(
    request('REGISTER', 'sip:example.com', {
      Authorization: 'Digest username="alice", realm="example.com", nonce="n", uri="sip:x", response="00"',
    }),
  );
  await again.receives(403);
  assert.deepEqual(banned(t, lab), ['192.0.2.7', '2001:db8::7', '192.0.2.8']);
});
