import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { parseChallenge } from '#protocols/sip';
import { ALICE, answerOf, DOMAIN, FocusStage, GUEST } from './testing/focus-stage.ts';

const BOB = 'bob@partner.example';
const UNKNOWN = 'zzzzzzzzzzzzzzzz';

test('a user inside is told where the meeting is, by the service’s own place', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  const { answer, response } = stage.joins(id, { name: 'Alice' });
  const { token, ...rest } = answer;
  assert.deepEqual(rest, {
    conference: { id, domain: DOMAIN },
    title: 'Budget',
    participant: 1,
    role: 'presenter',
    tokenSeconds: 60,
    places: [{ webSocket: 'wss://fe1.corp.example:5443/psom', host: 'fe1.corp.example', port: 5443 }],
  });
  assert.ok(token.length > 40);
  assert.equal(response.header('Contact'), `<sip:${id}@${DOMAIN}>;isfocus`);
  assert.equal(response.header('Allow-Events'), 'conference');
  assert.equal(stage.meetings.roster(id).entries[0]?.displayName, 'Alice');
});

test('a user outside and somebody of a partner come in as the edge marked them, by a place of the edges', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  assert.equal(stage.joins(id, { mark: 'remote-user' }).answer.places[0]?.host, 'conf.example.com');
  const { answer } = stage.joins(id, { from: BOB, mark: 'federated', name: 'Bob' });
  assert.equal(answer.role, 'attendee');
  const told = stage.meetings
    .roster(id)
    .entries.map(({ address, kind, outside }) => ({ address, kind, outside }));
  assert.deepEqual(told, [
    { address: ALICE, kind: 'user', outside: true },
    { address: BOB, kind: 'federated', outside: true },
  ]);
});

test('a guest is asked for the key by both algorithms, and comes in with either', () => {
  const stage = new FocusStage();
  const { id, key } = stage.create();
  stage.sends('INVITE', id, { from: GUEST, mark: 'guest' });
  const challenges = stage
    .response(401)
    .values('WWW-Authenticate')
    .map((text) => parseChallenge(text));
  assert.deepEqual(
    challenges.map((one) => one.ok && [one.value.realm, one.value.algorithm, one.value.qop.join()]),
    [
      [DOMAIN, 'SHA-256', 'auth'],
      [DOMAIN, 'MD5', 'auth'],
    ],
  );
  for (const [algorithm, from] of [
    ['SHA-256', GUEST],
    ['MD5', 'other@anonymous.invalid'],
  ] as const) {
    stage.hop.take();
    stage.guestSends('INVITE', id, key, { algorithm, from, name: 'Grace' });
    assert.equal(answerOf(stage.response(200)).role, 'attendee');
  }
});

test('a wrong key, a key of another conference and a conference that does not exist are answered alike', async () => {
  const stage = new FocusStage();
  const [one, other] = [stage.create(), stage.create()];
  const shape = (id: string, key: string, user?: string) => {
    stage.hop.take();
    stage.sends('INVITE', id, { from: GUEST, mark: 'guest', callId: 'same' });
    const asked = stage.response(401).bytes.toString();
    stage.hop.take();
    stage.guestSends('INVITE', id, key, { callId: 'same', ...(user === undefined ? {} : { user }) });
    const refused = stage.response(403).bytes.toString();
    const plain = (text: string) =>
      text
        .replace(/nonce="[^"]*"/g, 'nonce')
        .replace(/branch=[^;\s]*/g, 'branch')
        .replace(/;tag=[^;\s]*/g, ';tag')
        .replaceAll(id, 'ID');
    return [plain(asked), plain(refused)];
  };
  const wrong = shape(one.id, 'AAAAAAAAAAAAAAAA');
  assert.deepEqual(shape(one.id, other.key), wrong);
  assert.deepEqual(shape(UNKNOWN, one.key), wrong);
  assert.deepEqual(shape('no-conference-at-all', one.key), wrong);
  assert.deepEqual(shape(one.id, one.key, other.id), wrong);
  const metrics = await stage.network.metrics.text();
  assert.match(metrics, /focus_requests_total\{outcome="wrong-key"\} 5/);
  assert.equal(stage.focus.calls, 0);
});

test('looking for conferences costs the same work for those that exist and those that do not', (t) => {
  const stage = new FocusStage();
  const { id, key } = stage.create();
  const asked: string[] = [];
  const { keyHash, admit } = stage.meetings;
  stage.meetings.keyHash = (name, algorithm) => {
    asked.push(`key ${algorithm}`);
    return keyHash.call(stage.meetings, name, algorithm);
  };
  stage.meetings.admit = (...words) => {
    asked.push('admit');
    return admit.apply(stage.meetings, words);
  };
  const { createHmac, hash } = crypto;
  t.mock.method(crypto, 'createHmac', (...words: Parameters<typeof createHmac>) => {
    asked.push('HMAC');
    return createHmac(...words);
  });
  t.mock.method(crypto, 'hash', (...words: Parameters<typeof hash>) => {
    asked.push('hash');
    return hash(...words);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const work = (name: string, secret: string) => {
    asked.length = 0;
    stage.guestSends('INVITE', name, secret);
    stage.hop.take();
    return [...asked];
  };
  const wrong = work(id, 'AAAAAAAAAAAAAAAA');
  assert.equal(wrong.filter((step) => step === 'key SHA-256').length, 1);
  assert.equal(wrong.includes('admit'), false);
  assert.deepEqual(work(UNKNOWN, key), wrong);
  assert.equal(work(id, key).filter((step) => step === 'admit').length, 1);
});

test('credentials count once, for a while, for the very request and for the very guest', () => {
  const stage = new FocusStage();
  const { id, key } = stage.create();
  const { headers = [], callId = '' } = stage.guestSends('INVITE', id, key);
  stage.response(200);
  stage.hop.take();
  const guest = { mark: 'guest', from: GUEST, headers } as const;
  stage.sends('INVITE', id, { ...guest, callId: 'replayed' });
  assert.ok(parsedStale(stage.response(401).header('WWW-Authenticate')) === false);
  stage.sends('INVITE', id, { ...guest, from: 'another@anonymous.invalid', callId: 'stolen' });
  assert.ok(parsedStale(stage.response(401).header('WWW-Authenticate')) === true);
  stage.passes(300_000);
  stage.hop.take();
  stage.sends('INVITE', id, { ...guest, callId: `${callId}-late` });
  assert.ok(parsedStale(stage.response(401).header('WWW-Authenticate')) === true);
});
function parsedStale(text: string | undefined): boolean | undefined {
  const challenge = parseChallenge(text ?? '');
  return challenge.ok ? challenge.value.stale : undefined;
}

test('who is not who the mark says, or is nobody’s without one, is refused', () => {
  const stage = new FocusStage();
  const { id, key } = stage.create();
  for (const words of [
    { from: BOB },
    { from: GUEST },
    { from: BOB, mark: 'remote-user' },
    { from: ALICE, mark: 'guest' },
    { from: ALICE, mark: 'federated' },
  ] as const) {
    stage.sends('INVITE', id, words);
    stage.response(403);
  }
  const headers = [
    ['Sallyport-Asserted-Source', '<sip:carol@example.com>;source=remote-user;edge=e'],
  ] as const;
  stage.sends('INVITE', id, { headers });
  stage.response(403);
  // The token of a conference is for who was let in only, and only then.
  stage.guestSends('INVITE', id, `${key}x`);
  assert.equal(stage.response(403).body.length, 0);
  assert.equal(stage.focus.calls, 0);
  assert.equal(stage.meetings.roster(id).entries.length, 0);
});

test('what a conference is not open for: each refusal has a status of its own', () => {
  const stage = new FocusStage();
  const refused = (id: string, status: number, words: Parameters<FocusStage['sends']>[2] = {}) => {
    stage.sends('INVITE', id, words);
    const response = stage.response(status);
    assert.equal(response.body.length, 0);
    return response;
  };
  refused(UNKNOWN, 404);
  refused(UNKNOWN, 404, { from: BOB, mark: 'federated' });
  const closed = stage.create({ federated: false, guests: false });
  refused(closed.id, 404, { from: BOB, mark: 'federated' });
  stage.guestSends('INVITE', closed.id, closed.key);
  stage.response(606);
  const locked = stage.create();
  stage.meeting(locked.id).setLocked(true);
  refused(locked.id, 480, { from: 'carol@example.com' });
  const removed = stage.create();
  stage.meeting(removed.id).ban('carol@example.com');
  refused(removed.id, 603, { from: 'carol@example.com' });
  const ended = stage.create();
  stage.meeting(ended.id).end();
  stage.meetings.flush();
  refused(ended.id, 410);
  const over = stage.create({ lifeMs: 1000 });
  stage.passes(2000);
  refused(over.id, 410);
  const open = stage.create();
  stage.places = [];
  const away = refused(open.id, 503, { from: ALICE, mark: 'remote-user' });
  assert.ok(away.has('Retry-After'));
  assert.equal(stage.meetings.roster(open.id).entries.length, 0);
});

test('requests that no conference can serve', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  const refused = (method: string, status: number, words: Parameters<FocusStage['sends']>[2] = {}) => {
    stage.sends(method, id, words);
    return stage.response(status);
  };
  refused('INVITE', 406, { bare: true });
  refused('INVITE', 406, { bare: true, headers: [['Accept', 'application/sdp']] });
  assert.equal(refused('INVITE', 420, { headers: [['Require', 'timer']] }).header('Unsupported'), 'timer');
  assert.match(refused('MESSAGE', 405).header('Allow') ?? '', /INVITE/);
  refused('SUBSCRIBE', 489, { headers: [['Event', 'presence']] });
  refused('INVITE', 404, { uri: `sip:${id}@elsewhere.example` });
  refused('BYE', 481, { toTag: 'nobody' });
  refused('INVITE', 481, { toTag: 'nobody' });
  const capable = refused('OPTIONS', 200).bytes.toString();
  stage.sends('OPTIONS', UNKNOWN);
  const unknown = stage.response(200).header('Accept');
  assert.ok(unknown !== undefined && capable.includes(unknown));
});

test('so many calls at a time and no more', () => {
  const stage = new FocusStage();
  const { id } = stage.create();
  stage.settings = { ...stage.settings, calls: 1 };
  const { inDialog } = stage.joins(id);
  stage.sends('INVITE', id, { from: 'carol@example.com' });
  assert.ok(stage.response(503).has('Retry-After'));
  stage.sends('BYE', id, { ...inDialog, cseq: 2 });
  stage.response(200);
  stage.joins(id, { from: 'carol@example.com' });
});
