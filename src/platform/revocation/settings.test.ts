import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EdgeDocument } from '#platform/topology';
import { type RevocationOptions, revocationPolicy } from './index.ts';
import { LOCAL, scene, WEB } from './testing/scene.ts';

/** A document as far as this room reads it. */
function documentWith(revocation: Partial<EdgeDocument['policy']['revocation']>): EdgeDocument {
  const addresses = { access: [LOCAL], webConferencing: [LOCAL], av: [LOCAL], internal: ['10.0.0.1'] };
  const defaults = {
    unknown: 'refuse',
    shortLivedDays: 10,
    allowedNetworks: [`${WEB}/32`],
    listKibibytes: 10_240,
    fetchSeconds: 10,
    keepFresh: true,
    acceptedKept: 1000,
    rejectedKept: 500,
    evictedPercent: 20,
  };
  return {
    host: { addresses },
    policy: { internalNetworks: ['10.0.0.0/8'], revocation: { ...defaults, ...revocation } },
  } as unknown as EdgeDocument;
}

async function configured(t: TestContext, limits: RevocationOptions['limits'] = {}) {
  const given = await scene(t, { limits });
  return {
    ...given,
    set: (change: Partial<EdgeDocument['policy']['revocation']>) => {
      const policy = revocationPolicy(documentWith(change));
      if (!policy.ok) throw new Error(policy.error.message);
      given.revocation.configure(policy.value);
    },
  };
}

test('whether an unknown state refuses a partner [setting policy.revocation.unknown]', async (t) => {
  const { authority, point, server, check, set } = await configured(t);
  const partner = authority.issue('partner', point);
  server.answer = (_request, response) => response.writeHead(503).end();
  set({});
  assert.equal(await check(partner), 'SLP-PKI-0002');
  set({ unknown: 'accept' });
  assert.equal(await check(partner), 'ok');
});

test('how long a certificate without list may live [setting policy.revocation.shortLivedDays]', async (t) => {
  const { authority, check, set } = await configured(t);
  const short = authority.issue('short', [], { days: 9 });
  const long = authority.issue('long', [], { days: 30 });
  set({});
  assert.deepEqual([await check(short), await check(long)], ['ok', 'SLP-PKI-0003']);
  set({ shortLivedDays: 31 });
  assert.deepEqual([await check(short), await check(long)], ['ok', 'ok']);
  set({ shortLivedDays: 0 });
  assert.equal(await check(short), 'SLP-PKI-0003');
});

test('where lists may come from [setting policy.revocation.allowedNetworks]', async (t) => {
  const { authority, point, server, check, set } = await configured(t);
  const partner = authority.issue('partner', point);
  set({ allowedNetworks: [] });
  assert.equal(await check(partner), 'SLP-PKI-0002');
  assert.equal(server.asked.length, 0);
  const other = await configured(t);
  const second = other.authority.issue('partner', other.point);
  other.set({ allowedNetworks: ['127.88.0.0/24'] });
  assert.equal(await other.check(second), 'ok');
  assert.equal(other.server.asked.length, 1);
});

test('how large a list may be [setting policy.revocation.listKibibytes]', async (t) => {
  const { authority, server, check, set, publish } = await configured(t);
  for (let index = 0; index < 30; index++) {
    authority.issue(`gone${index}`);
    authority.revoke(`gone${index}`);
  }
  publish();
  for (const [kibibytes, expected] of [
    [1, 'SLP-PKI-0002'],
    [2, 'ok'],
  ] as const) {
    set({ listKibibytes: kibibytes });
    const url = `http://crl.test:${server.port}/${kibibytes}.crl`;
    const partner = authority.issue(`partner${kibibytes}`, [`crlDistributionPoints=URI:${url}`]);
    assert.equal(await check(partner), expected);
  }
});

test('how long fetching may take [setting policy.revocation.fetchSeconds]', async (t) => {
  const { authority, point, server, check, set } = await configured(t);
  const partner = authority.issue('partner', point);
  const released = Promise.withResolvers<void>();
  const list = authority.list();
  server.answer = (request, response) => {
    request.socket.on('close', released.resolve);
    void released.promise.then(() => response.destroyed || response.end(list));
  };
  set({ fetchSeconds: 1 });
  assert.equal(await check(partner), 'SLP-PKI-0002');
  server.answer = (_request, response) => void setTimeout(() => response.end(list), 1300);
  const slow = authority.issue('slow', [`crlDistributionPoints=URI:http://crl.test:${server.port}/slow`]);
  set({ fetchSeconds: 10 });
  assert.equal(await check(slow), 'ok');
});

test('whether lists in use are fetched again before their time ends [setting policy.revocation.keepFresh]', async (t) => {
  const { authority, point, server, check, set, publish } = await configured(t, {
    refreshMs: 10,
    retryMs: 10,
  });
  const partner = authority.issue('partner', point);
  set({ keepFresh: false });
  assert.equal(await check(partner), 'ok');
  const asked = server.asked.length;
  authority.revoke('partner');
  publish();
  // Many times the interval at which it would have been fetched.
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await check(partner), 'ok');
  }
  assert.equal(server.asked.length, asked);
  set({ keepFresh: true });
  while ((await check(partner)) === 'ok') await new Promise((resolve) => setTimeout(resolve, 5));
});

test('how many verdicts are remembered, and how many go at a time [setting policy.revocation.acceptedKept] [setting policy.revocation.rejectedKept] [setting policy.revocation.evictedPercent]', async (t) => {
  const { authority, revocation, check, set, point, publish } = await configured(t);
  const good = Array.from({ length: 5 }, (_, index) => authority.issue(`short${index}`, [], { days: 5 }));
  set({ acceptedKept: 4, evictedPercent: 50 });
  for (const certificate of good) await check(certificate);
  assert.equal(revocation.kept.accepted, 3, 'four, of which half went for the fifth');
  set({ acceptedKept: 4, evictedPercent: 100 });
  for (const certificate of good) await check(certificate);
  assert.equal(revocation.kept.accepted, 1);
  set({ acceptedKept: 1000 });
  for (const certificate of good) await check(certificate);
  assert.equal(revocation.kept.accepted, 5);
  const bad = ['bad', 'worse'].map((name) => authority.issue(name, point));
  for (const name of ['bad', 'worse']) authority.revoke(name);
  publish();
  for (const most of [1, 2]) {
    set({ rejectedKept: most, evictedPercent: 100 });
    for (const certificate of bad) assert.equal(await check(certificate), 'SLP-PKI-0001');
    assert.equal(revocation.kept.rejected, most);
  }
});
