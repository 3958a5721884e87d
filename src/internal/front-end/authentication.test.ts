import assert from 'node:assert/strict';
import crypto, { createHash, createHmac } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { type TestContext, test } from 'node:test';
import { SeededRandom } from '#kernel';
import { answerChallenge, formatCredentials, parseChallenge, type SipRequest } from '#protocols/sip';
import { newAccount } from './accounts.ts';
import { type Authentication, Authenticator } from './authentication.ts';
import { Directory } from './directory.ts';
import { type RequestSketch, request } from './testing/messages.ts';

const PASSWORD = 'correct horse battery';
const ALICE = 'alice@example.test';
const KEY = new Uint8Array(32).fill(7);

function setUp(algorithms: Record<string, string> = { alice: 'SHA-256' }) {
  const opened = Directory.open(':memory:');
  assert.ok(opened.ok);
  for (const [user, algorithm] of Object.entries(algorithms)) {
    const account = newAccount({ address: `${user}@example.test`, password: PASSWORD, algorithm }, [
      'example.test',
    ]);
    assert.ok(account.ok);
    opened.value.save(account.value);
  }
  const authenticator = new Authenticator({
    accounts: opened.value,
    random: new SeededRandom(1),
    key: KEY,
  });
  return { directory: opened.value, authenticator };
}

function challengeOf(verdict: Authentication) {
  assert.equal(verdict.outcome, 'challenged');
  assert.ok(verdict.outcome === 'challenged');
  const parsed = parseChallenge(verdict.challenge.headers[0]?.[1] ?? '');
  assert.ok(parsed.ok);
  return { ...parsed.value, reason: verdict.reason, status: verdict.challenge.status };
}

function withAnswer(
  verdict: Authentication,
  change: { password?: string; username?: string; nc?: number; uri?: string } = {},
  sketch: RequestSketch = {},
): SipRequest {
  const credentials = answerChallenge(challengeOf(verdict), {
    username: change.username ?? 'alice',
    password: change.password ?? PASSWORD,
    method: sketch.method ?? 'REGISTER',
    uri: change.uri ?? sketch.uri ?? 'sip:example.test',
    cnonce: 'c0ffee',
    nc: change.nc ?? 1,
  });
  return request({ ...sketch, headers: [['Authorization', formatCredentials(credentials)]] });
}

test('a right answer is accepted, with each algorithm, and the challenge names the algorithm stored', () => {
  for (const algorithm of ['SHA-256', 'MD5', 'SHA-512-256']) {
    const { authenticator } = setUp({ alice: algorithm });
    const first = authenticator.authenticate(request(), ALICE, 1000);
    assert.equal(challengeOf(first).algorithm, algorithm);
    assert.equal(challengeOf(first).status, 401);
    assert.deepEqual(authenticator.authenticate(withAnswer(first), ALICE, 2000), {
      outcome: 'accepted',
      aor: ALICE,
    });
  }
});

test('other requests than REGISTER are challenged as by a proxy', () => {
  const { authenticator } = setUp();
  const first = authenticator.authenticate(
    request({ method: 'MESSAGE', uri: 'sip:bob@example.test' }),
    ALICE,
    0,
  );
  assert.equal(challengeOf(first).status, 407);
});

test('wrong password, other user, other target, old nonce, replay: each is challenged again and says why', () => {
  const { authenticator } = setUp({ alice: 'SHA-256', bob: 'SHA-256' });
  const first = authenticator.authenticate(request(), ALICE, 0);
  const reason = (answered: SipRequest, wall = 1000) =>
    challengeOf(authenticator.authenticate(answered, ALICE, wall)).reason;
  assert.equal(reason(withAnswer(first, { password: 'something else' })), 'wrong-response');
  assert.equal(reason(withAnswer(first, { username: 'bob' })), 'wrong-user');
  assert.equal(reason(withAnswer(first, { uri: 'sip:other.test' })), 'wrong-response');
  assert.equal(reason(request({ headers: [['Authorization', 'Digest realm="example.test"']] })), 'malformed');
  const late = authenticator.authenticate(withAnswer(first), ALICE, 10_000_000);
  assert.equal(challengeOf(late).reason, 'stale-nonce');
  assert.equal(challengeOf(late).stale, true);
  const second = authenticator.authenticate(request(), ALICE, 5000);
  assert.equal(authenticator.authenticate(withAnswer(second), ALICE, 5001).outcome, 'accepted');
  assert.equal(reason(withAnswer(second), 5002), 'replayed-nonce');
  assert.equal(authenticator.authenticate(withAnswer(second, { nc: 2 }), ALICE, 5003).outcome, 'accepted');
});

test('an answer with another algorithm than the one stored is challenged again', () => {
  const { authenticator } = setUp();
  const challenge = challengeOf(authenticator.authenticate(request(), ALICE, 0));
  const credentials = answerChallenge(
    { ...challenge, algorithm: 'MD5' },
    {
      username: 'alice',
      password: PASSWORD,
      method: 'REGISTER',
      uri: 'sip:example.test',
      cnonce: 'c0ffee',
      nc: 1,
    },
  );
  const answered = request({ headers: [['Authorization', formatCredentials(credentials)]] });
  assert.equal(challengeOf(authenticator.authenticate(answered, ALICE, 1)).reason, 'wrong-algorithm');
});

test('an answer for one address does not sign in another', () => {
  const { authenticator } = setUp({ alice: 'SHA-256', bob: 'SHA-256' });
  const first = authenticator.authenticate(request(), ALICE, 0);
  assert.equal(authenticator.authenticate(withAnswer(first), 'bob@example.test', 1).outcome, 'challenged');
});

test('an address without account is challenged like one with an account, always in the same way', () => {
  const { authenticator, directory } = setUp({ a: 'SHA-256', b: 'SHA-256', c: 'SHA-256', d: 'MD5' });
  const seen = new Map<string, number>();
  for (let index = 0; index < 400; index++) {
    const aor = `nobody${index}@example.test`;
    const { algorithm } = challengeOf(authenticator.authenticate(request(), aor, index));
    assert.equal(challengeOf(authenticator.authenticate(request(), aor, index + 9)).algorithm, algorithm);
    seen.set(algorithm, (seen.get(algorithm) ?? 0) + 1);
  }
  assert.deepEqual([...seen.keys()].sort(), ['MD5', 'SHA-256']);
  const share = (seen.get('MD5') ?? 0) / 400;
  assert.ok(share > 0.15 && share < 0.35, `a quarter of the accounts has MD5, ${share} of the unknown`);
  const nobody = authenticator.authenticate(request(), 'nobody@example.test', 0);
  const answered = withAnswer(nobody, { username: 'nobody' });
  assert.equal(authenticator.authenticate(answered, 'nobody@example.test', 1).outcome, 'challenged');
  assert.equal(directory.delete('d@example.test'), true);
});

test('an address without account is not signed in even by the secret of its stand-in', () => {
  const { authenticator } = setUp();
  const aor = 'nobody@example.test';
  const verdict = authenticator.authenticate(request(), aor, 0);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const secret = createHmac('sha256', KEY).update('unknown account\0').update(aor).digest('hex');
  const { nonce } = challengeOf(verdict);
  const response = sha256(`${secret}:${nonce}:00000001:c0ffee:auth:${sha256('REGISTER:sip:example.test')}`);
  const answered = request({
    headers: [
      [
        'Authorization',
        `Digest username="nobody", realm="example.test", nonce="${nonce}", uri="sip:example.test", ` +
          `response="${response}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c0ffee"`,
      ],
    ],
  });
  assert.equal(challengeOf(authenticator.authenticate(answered, aor, 1)).reason, 'wrong-response');
});

/** Every hash, comparison and question to the directory that `work` takes, with the lengths of what is hashed. */
function steps(t: TestContext, directory: Directory, work: () => void): string[] {
  const taken: string[] = [];
  const watch = <Method extends string>(
    object: Record<Method, (...args: never[]) => unknown>,
    name: Method,
  ) => {
    const original = object[name];
    const watched = t.mock.method(object, name, function (this: unknown, ...args: never[]) {
      const sizes = args.map((arg: unknown) =>
        typeof arg === 'string' && arg.length < 12 ? arg : lengthOf(arg),
      );
      taken.push(`${name} ${sizes}`);
      return original.apply(this, args);
    });
    return () => watched.mock.restore();
  };
  const restores = [
    ...(['hash', 'createHash', 'createHmac', 'timingSafeEqual'] as const).map((name) =>
      watch(crypto as unknown as Record<typeof name, (...args: never[]) => unknown>, name),
    ),
    watch(directory as unknown as Record<'find', (...args: never[]) => unknown>, 'find'),
    watch(directory as unknown as Record<'algorithms', (...args: never[]) => unknown>, 'algorithms'),
  ];
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    for (const restore of restores) restore();
    syncBuiltinESMExports();
  }
  return taken;
}
function lengthOf(value: unknown): string {
  return typeof value === 'string' || value instanceof Uint8Array ? `${value.length}` : typeof value;
}

test('S14: an address without account takes the same steps and the same hashes as one with an account', (t) => {
  const { authenticator, directory } = setUp({ alice: 'SHA-256' });
  const nobody = 'nobod@example.test';
  const challenge = (user: string) => authenticator.authenticate(request(), user, 0);
  const asked: Record<string, (aor: string, user: string) => SipRequest> = {
    'no credentials': () => request(),
    'unreadable ones': () => request({ headers: [['Authorization', 'Digest realm="example.test"']] }),
    'a wrong password': (aor, username) => withAnswer(challenge(aor), { username, password: 'a wrong one' }),
    'another user': (aor) => withAnswer(challenge(aor), { username: 'carol' }),
    'another target': (aor, username) => withAnswer(challenge(aor), { username, uri: 'sip:other.test' }),
  };
  for (const [what, make] of Object.entries(asked)) {
    const [known, unknown] = (
      [
        [ALICE, 'alice'],
        [nobody, 'nobod'],
      ] as const
    ).map(([aor, user]) => {
      const made = make(aor, user);
      let verdict: Authentication | undefined;
      const taken = steps(t, directory, () => {
        verdict = authenticator.authenticate(made, aor, 1);
      });
      assert.ok(verdict?.outcome === 'challenged');
      const { reason, challenge: said } = verdict;
      const text = JSON.stringify(said).replace(/nonce=\\"[^"]*"/, '');
      return { reason, text, taken };
    });
    assert.ok(known && unknown && known.taken.length > 3, what);
    assert.deepEqual(unknown, known, what);
  }
});

test('S15: MD5 is offered to whose account has it, to nobody else, and taken from nobody else', () => {
  const mixed = setUp({ alice: 'SHA-256', bob: 'MD5' }).authenticator;
  const offered = (authenticator: Authenticator, aor: string) =>
    challengeOf(authenticator.authenticate(request(), aor, 0)).algorithm;
  assert.equal(offered(mixed, ALICE), 'SHA-256');
  assert.equal(offered(mixed, 'bob@example.test'), 'MD5');
  const modern = setUp({ alice: 'SHA-256', bob: 'SHA-512-256' }).authenticator;
  for (let i = 0; i < 100; i++) assert.notEqual(offered(modern, `nobody${i}@example.test`), 'MD5');
  const { authenticator } = setUp();
  const first = authenticator.authenticate(request(), ALICE, 0);
  const downgraded = withAnswer(first).header('Authorization')?.replace('SHA-256', 'MD5') ?? '';
  const answered = request({ headers: [['Authorization', downgraded]] });
  assert.equal(challengeOf(authenticator.authenticate(answered, ALICE, 1)).reason, 'wrong-algorithm');
  // Left out it is MD5 (RFC 7616 §3.4).
  const unsaid = request({ headers: [['Authorization', downgraded.replace(', algorithm=MD5', '')]] });
  assert.equal(challengeOf(authenticator.authenticate(unsaid, ALICE, 1)).reason, 'wrong-algorithm');
});

test('S15: the front end answers for its own realm: credentials of another one are none', () => {
  const { authenticator } = setUp();
  const first = authenticator.authenticate(request(), ALICE, 1000);
  const right = withAnswer(first).header('Authorization') ?? '';
  const foreign = right.replace('realm="example.test"', 'realm="other.test"');
  const both: [string, string][] = [
    ['Authorization', foreign],
    ['Authorization', right],
  ];
  const only = request({ headers: [['Authorization', foreign]] });
  assert.equal(challengeOf(authenticator.authenticate(only, ALICE, 1001)).reason, 'no-credentials');
  const verdict = authenticator.authenticate(request({ headers: both }), ALICE, 1001);
  assert.deepEqual(verdict, { outcome: 'accepted', aor: ALICE });
});
