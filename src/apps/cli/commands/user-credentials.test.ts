import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MediaTokenVerifier, mediaKeyText, parseMediaKey } from '#protocols/credentials';
import { Bench, INTERNAL } from '../../../edge/av-authentication/testing/bench.ts';
import { sallyport } from '../testing/printed.ts';

const HOUR_MS = 3_600_000;

/** An A/V Authentication service that runs, and the internal.yaml of one of its callers. */
async function running(t: TestContext, caller = 'fe1.corp.test'): Promise<{ bench: Bench; file: string }> {
  const bench = await Bench.start();
  t.after(() => bench.stop());
  const folder = bench.document.host.stateDirectory;
  const pair = { certificate: join(folder, 'caller.pem'), key: join(folder, 'caller.key') };
  await bench.authority.issueTo(pair, { name: caller, hosts: [caller] });
  const file = join(folder, 'internal.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      version: 1,
      host: {
        name: caller,
        stateDirectory: folder,
        addresses: { internal: ['127.0.9.61'] },
        certificates: { internal: pair },
        internalCa: bench.document.host.internalCa,
      },
      frontEnd: {
        sipDomains: ['example.test'],
        edges: [{ name: 'edge.corp.test', address: INTERNAL, avAuthenticationPort: bench.port }],
      },
    }),
  );
  return { bench, file };
}
const credentials = (file: string, ...more: string[]) =>
  sallyport('internal', 'user', 'credentials', 'alice@example.test', '--document', file, ...more);

test('user credentials prints what a client with a fixed entry needs, good for as long as the edge allows', async (t) => {
  const { bench, file } = await running(t);
  bench.document.policy.mediaCredentials.lifetimeMinutes = 180 * 24 * 60;
  await bench.apply();
  const { status, out, error } = await credentials(file);
  assert.equal(status, 0, error);
  const value = (name: string) => new RegExp(`^${name} +(\\S+)$`, 'm').exec(out)?.[1] ?? '';
  assert.equal(value('minutes'), '259200');
  assert.match(out, /server +turn:av\.example\.test:3478\?transport=udp\n/);
  assert.match(out, /server +turns:av\.example\.test:443/);
  const key = parseMediaKey(Buffer.from(mediaKeyText(Buffer.alloc(32, 1))));
  assert.ok(key.ok);
  const verifier = new MediaTokenVerifier([{ key: key.value, until: Number.POSITIVE_INFINITY }]);
  const found = verifier.lookup(Buffer.from(value('username')), value('realm'), Date.now());
  assert.ok(found.ok && found.value.expires > Date.now() + 179 * 24 * HOUR_MS);
  assert.ok(!error.includes('SLP-AV-0401'), 'the clocks are the same');
});

test('user credentials: inside another name, and never more than the edge grants', async (t) => {
  const { file } = await running(t);
  const { out } = await credentials(file, '--location', 'intranet', '--days', '1');
  assert.match(out, /turn:edge\.corp\.test:3478/);
  assert.match(out, /minutes +480/);
});

test('user credentials says why there are none', async (t) => {
  const { bench, file } = await running(t);
  const foreign = await sallyport(
    'internal',
    'user',
    'credentials',
    'alice@elsewhere.test',
    '--document',
    file,
  );
  assert.deepEqual([foreign.status, foreign.error.slice(0, 12)], [1, 'SLP-INT-0005']);
  await bench.service.drain();
  const busy = await credentials(file);
  assert.equal(busy.status, 1);
  assert.match(busy.error, /SLP-AV-0405 .*Server Busy/);
  const stranger = await running(t, 'stranger.corp.test');
  assert.equal((await credentials(stranger.file)).status, 1);
});
