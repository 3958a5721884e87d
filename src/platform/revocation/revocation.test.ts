import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { JumpingClock, SystemClock } from '#kernel';
import { Trace } from '#platform/telemetry';
import { OpenSslAuthority } from '../pki/testing/openssl-authority.ts';
import { LOCAL, scene, WEB } from './testing/scene.ts';

test('[S10] a revoked certificate is refused, its neighbour is not; the list is fetched once, from the Access address', async (t) => {
  const { authority, server, point, check, publish } = await scene(t);
  const good = authority.issue('good', point);
  const bad = authority.issue('bad', point);
  authority.revoke('bad');
  publish();
  const trace = new Trace(new SystemClock());
  assert.equal(await check(good, undefined, trace), 'ok');
  assert.match(trace.steps[0]!.text, /^CN=good: good by the list of http:\/\/crl\.test/);
  assert.deepEqual(await Promise.all([check(bad), check(bad), check(good)]), [
    'SLP-PKI-0001',
    'SLP-PKI-0001',
    'ok',
  ]);
  assert.deepEqual(server.asked, [{ path: '/ca.crl', from: LOCAL, host: `crl.test:${server.port}` }]);
});

test('a list is kept fresh in the background: a revocation is noticed without a new certificate', async (t) => {
  const limits = { refreshMs: 10, retryMs: 10 };
  const { authority, server, point, check, publish } = await scene(t, { limits });
  const partner = authority.issue('partner', point);
  assert.equal(await check(partner), 'ok');
  authority.revoke('partner');
  publish();
  while ((await check(partner)) === 'ok') await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await check(partner), 'SLP-PKI-0001');
  assert.ok(server.asked.length > 1);
});

test('[S10] an older list, replayed, does not undo a revocation', async (t) => {
  const { authority, server, point, check, publish } = await scene(t, {
    limits: { refreshMs: 10, retryMs: 10 },
  });
  const partner = authority.issue('partner', point);
  const before = authority.list([], { age: 60 });
  authority.revoke('partner');
  publish();
  assert.equal(await check(partner), 'SLP-PKI-0001');
  publish(before);
  const asked = server.asked.length;
  while (server.asked.length < asked + 3) {
    assert.equal(await check(partner), 'SLP-PKI-0001');
    await new Promise(setImmediate);
  }
});

test('[S10] what is no list of the issuer leaves the state unknown, and is not asked for again at once', async (t) => {
  const { authority, server, point, check } = await scene(t);
  const stranger = new OpenSslAuthority(t, 'Other root');
  const partner = authority.issue('partner', point);
  const wrong = stranger.list();
  server.answer = (_request, response) => response.end(wrong);
  assert.equal(await check(partner), 'SLP-PKI-0002');
  assert.equal(await check(partner), 'SLP-PKI-0002');
  assert.equal(server.asked.length, 1);
});

test('[S7] a web server that stalls, cuts, redirects, sends too much or nothing costs time and bytes within bounds', async (t) => {
  const answers = {
    stalls: (response: ServerResponse) => response.write('0'),
    cuts: (response: ServerResponse) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('0');
      setImmediate(() => response.destroy());
    },
    redirects: (response: ServerResponse) =>
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    announces: (response: ServerResponse) => response.writeHead(200, { 'content-length': 99_999_999 }),
    floods: (response: ServerResponse) => {
      const more = () => response.write(Buffer.alloc(65_536)) && setImmediate(more);
      response.on('drain', more);
      more();
    },
    nothing: (response: ServerResponse) => response.end(),
  };
  const { authority, server, check } = await scene(t, { policy: { fetchMs: 300 } });
  for (const [name, answer] of Object.entries(answers)) {
    const url = `http://crl.test:${server.port}/${name}`;
    const partner = authority.issue(name, [`crlDistributionPoints=URI:${url}`]);
    server.answer = (_request, response) => void answer(response);
    assert.equal(await check(partner), 'SLP-PKI-0002', name);
  }
  assert.equal(server.asked.length, 6, 'no redirect was followed');
});

test('[S12] only http: at the port of the plan, without user, and only addresses that may be dialled are asked', async (t) => {
  const asked: string[] = [];
  const { authority, server, check } = await scene(t, {
    policy: {
      mayDial: (address) => {
        asked.push(address);
        return false;
      },
    },
  });
  const { port } = server;
  const urls = [
    `https://crl.test:${port}/ca.crl`,
    `ldap://crl.test:${port}/ca.crl`,
    'file:///etc/passwd',
    `http://user@crl.test:${port}/ca.crl`,
    'http://crl.test:22/ca.crl',
    `http://${WEB}:${port}/ca.crl`,
    `http://crl.test:${port}/ca.crl`,
  ];
  for (const [index, url] of urls.entries()) {
    const partner = authority.issue(`partner${index}`, [`crlDistributionPoints=URI:${url}`]);
    assert.equal(await check(partner), 'SLP-PKI-0002', url);
  }
  assert.deepEqual(asked, [WEB, WEB], 'addresses written in a URL are judged like those from the DNS');
  assert.equal(server.asked.length, 0);
});

test('a staple of the issuer spares the list; a revoked one is believed; one that is no use leads to the list', async (t) => {
  const { authority, server, point, check } = await scene(t);
  const good = authority.issue('good', point);
  const bad = authority.issue('bad', point);
  const other = authority.issue('other', point);
  authority.revoke('bad');
  assert.equal(await check(good, authority.ocspResponse('good')), 'ok');
  assert.equal(await check(bad, authority.ocspResponse('bad')), 'SLP-PKI-0001');
  assert.equal(server.asked.length, 0);
  assert.equal(await check(other, authority.ocspResponse('good')), 'ok');
  assert.equal(server.asked.length, 1);
});

test('[S10] a good response that is stapled again does not carry a certificate past the list that revokes it', async (t) => {
  const { authority, point, check, publish } = await scene(t);
  const bad = authority.issue('bad', point);
  const other = authority.issue('other', point);
  const staple = authority.ocspResponse('bad');
  authority.revoke('bad');
  publish();
  assert.equal(await check(other), 'ok', 'the list is at hand');
  assert.equal(await check(bad, staple), 'SLP-PKI-0001');
});

const HOUR = 3_600_000;

test('[S10] a clock that is set back prolongs neither a verdict nor the list that it rests on', async (t) => {
  const clock = new JumpingClock();
  const { authority, server, point, check, publish } = await scene(t, {
    clock,
    policy: { keepFresh: false },
  });
  const partner = authority.issue('partner', point);
  publish(authority.list([], { seconds: 2 * 3600 }));
  assert.equal(await check(partner), 'ok');
  authority.revoke('partner');
  publish();
  // Three hours pass, but the clock of the wall shows three hours less than before.
  clock.later = 3 * HOUR;
  clock.ahead = -3 * HOUR;
  assert.equal(await check(partner), 'SLP-PKI-0002', 'the new list is from the future, the old one is over');
  assert.equal(server.asked.length, 2);
  clock.later += HOUR;
  clock.ahead = 0;
  assert.equal(await check(partner), 'SLP-PKI-0001');
});

test('[S10] an older list does not take the place of one whose time is over, however the clock is set', async (t) => {
  const clock = new JumpingClock();
  const { authority, point, check, publish } = await scene(t, { clock, policy: { keepFresh: false } });
  const partner = authority.issue('partner', point);
  const before = authority.list([], { age: 60, seconds: 3600 });
  authority.revoke('partner');
  publish(authority.list([], { seconds: 60 }));
  assert.equal(await check(partner), 'SLP-PKI-0001');
  publish(before);
  clock.later = HOUR;
  assert.equal(await check(partner), 'SLP-PKI-0002');
});

test('[S10] who was revoked stays so when the clock jumps, and who was not is served again when it is right', async (t) => {
  const clock = new JumpingClock();
  const { authority, point, check, publish } = await scene(t, { clock });
  const [good, bad] = [authority.issue('good', point), authority.issue('bad', point)];
  authority.revoke('bad');
  publish();
  assert.deepEqual([await check(good), await check(bad)], ['ok', 'SLP-PKI-0001']);
  for (const [hours, stands] of [
    [-12, 'ok'],
    [36, 'SLP-PKI-0002'], // beyond the time of every list that there is
    [0, 'ok'],
  ] as const) {
    clock.ahead = hours * HOUR;
    clock.later += 2 * 60_000;
    assert.equal(await check(good), stands);
    assert.notEqual(await check(bad), 'ok');
  }
});

test('at most so many verdicts of each kind are kept; a full cache lets a fifth go', async (t) => {
  const { authority, check, revocation, server, point } = await scene(t, {
    policy: { accepted: 5, rejected: 5 },
  });
  for (let index = 0; index < 7; index++) {
    const name = `partner${index}`;
    const certificate = authority.issue(name, point);
    assert.equal(await check(certificate, authority.ocspResponse(name)), 'ok');
    assert.ok(revocation.kept.accepted <= 5);
  }
  assert.ok(revocation.kept.accepted >= 4);
  assert.equal(server.asked.length, 0);
});

test('rejected certificates are kept when that is certain: revoked ones, and those that can be asked about nowhere', async (t) => {
  const { authority, check, revocation, server, point, publish } = await scene(t);
  const bad = authority.issue('bad', point);
  authority.revoke('bad');
  publish();
  assert.equal(await check(bad), 'SLP-PKI-0001');
  assert.deepEqual([revocation.kept.accepted, revocation.kept.rejected], [0, 1]);
  const silent = authority.issue('silent', []);
  for (let times = 0; times < 2; times++) assert.equal(await check(silent), 'SLP-PKI-0003');
  assert.deepEqual([revocation.kept.accepted, revocation.kept.rejected], [0, 2]);
  server.answer = (_request, response) => response.writeHead(503).end();
  const elsewhere = authority.issue('elsewhere', [`${point[0]}.gone`]);
  const asked = server.asked.length;
  for (let times = 0; times < 2; times++) assert.equal(await check(elsewhere), 'SLP-PKI-0002');
  assert.deepEqual([revocation.kept.accepted, revocation.kept.rejected], [0, 2]);
  assert.equal(
    server.asked.length - asked,
    1,
    'the list that could not be had is not asked for at once again',
  );
});

test('who names no place to ask and was seen without a staple, as every partner is that dials us, is served when it staples one', async (t) => {
  const { authority, check, revocation, server } = await scene(t);
  const partner = authority.issue('partner', []);
  const staple = authority.ocspResponse('partner');
  assert.equal(await check(partner), 'SLP-PKI-0003');
  assert.equal(await check(partner, Buffer.from('no response')), 'SLP-PKI-0003');
  assert.equal(await check(partner, staple), 'ok');
  assert.deepEqual([revocation.kept.accepted, revocation.kept.rejected], [1, 0]);
  assert.equal(await check(partner), 'ok', 'it was good a moment ago');
  const gone = authority.issue('gone', []);
  authority.revoke('gone');
  assert.equal(await check(gone), 'SLP-PKI-0003');
  assert.equal(await check(gone, authority.ocspResponse('gone')), 'SLP-PKI-0001');
  assert.equal(await check(gone), 'SLP-PKI-0001', 'and it is known to be revoked from then on');
  assert.equal(server.asked.length, 0);
});
