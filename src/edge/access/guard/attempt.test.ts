import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestHash } from '#protocols/sip';
import { asRequest, asResponse, request, sipText } from '../testing/messages.ts';
import { type Claim, claimOf } from './attempt.ts';
import { outcomeOf } from './outcome.ts';

type Fields = Record<string, string | string[]>;
const ALICE = '<sip:Alice@Example.com>';

const DIGEST = (username: string, realm = 'r') => digestOf(`username="${username}"`, realm);
const digestOf = (name: string, realm = 'r') =>
  `Digest ${name}, realm="${realm}", nonce="n", uri="sip:example.com", response="0123"`;

/** What becomes of a request of alice with these fields. */
function read(fields: Fields, method = 'REGISTER') {
  return claimOf(
    asRequest(request(method, 'sip:example.com', { From: `${ALICE};tag=1`, To: ALICE, ...fields })),
  );
}
function claim(fields: Fields, method?: string): Claim {
  const found = read(fields, method);
  assert.ok(!('kind' in found), JSON.stringify(found));
  return found;
}
function reason(fields: Fields): string {
  const found = read(fields);
  assert.ok('kind' in found, JSON.stringify(found));
  return `${found.status} ${found.reason}`;
}
const accounts = (fields: Fields) => claim(fields).accounts;

test('the account is whom the credentials name, at their realm and at the domain of the sender', () => {
  assert.deepEqual(accounts({}), ['alice@example.com']);
  assert.deepEqual(accounts({ Authorization: DIGEST('Bob', 'Example.com') }), ['bob@example.com']);
  assert.deepEqual(accounts({ 'Proxy-Authorization': DIGEST('sip:bob@b.test') }), [
    'bob@b.test',
    'bob@example.com',
    'bob@r',
  ]);
});

test('an escape counts as what it stands for, also beside a sign that is none', () => {
  for (const name of ['%62ob@example.com%', 'b%6fb@example.com%2', '%62ob@x.test%', 'b%F3b@%'])
    assert.ok(accounts({ Authorization: DIGEST(name) }).includes('bob@example.com'), name);
});

test('one account has one key, however its name is written', () => {
  const spellings = [
    'bob',
    'BOB',
    'bob@example.com',
    'sip:bob@example.com;user=phone',
    'bob@Example.com.',
    'bob@example.com..',
    'SIPS:bob@EXAMPLE.com:5061',
    '<sip:bob@example.com>',
    'bob:secret@example.com',
    '%62ob',
    'sip:b%6fb@example.com;x=%zz',
    'b%F3b',
    'bob%40example.com',
    'EXAMPLE\\\\bob',
    ' bob ',
    'ｂｏｂ',
    'bób',
    'bo\u0301b',
    'bo\u200bb',
    'b\u1d52b',
  ];
  for (const spelling of spellings) {
    const found = accounts({ Authorization: DIGEST(spelling, 'example.com') });
    assert.deepEqual(found, ['bob@example.com'], spelling);
  }
  const extended = digestOf("username*=UTF-8''b%6Fb", 'example.com');
  assert.deepEqual(accounts({ Authorization: extended }), ['bob@example.com']);
});

test('a backslash that one reader keeps and another one drops leads to the same person', () => {
  for (const domain of ['CORP', 'OTHER']) {
    const found = accounts({ Authorization: DIGEST(`${domain}\\bob`, 'example.com') });
    assert.deepEqual(found, [`${domain.toLowerCase()}bob@example.com`, 'bob@example.com']);
  }
  assert.ok(accounts({ Authorization: DIGEST('b\\ob', 'example.com') }).includes('bob@example.com'));
});

test('another domain behind the name gains nothing: the realm counts as well', () => {
  for (const domain of ['x1.test', 'x2.test']) {
    const found = accounts({ Authorization: DIGEST(`bob@${domain}`, 'example.com') });
    assert.ok(found.includes('bob@example.com'), `${found}`);
    const nobody = accounts({ From: '<sip:example.com>;tag=1', Authorization: DIGEST('bob', domain) });
    assert.deepEqual(nobody, ['bob@', `bob@${domain}`]);
  }
});

test('the hash of a name is the name of the sender, or refused', () => {
  const hashed = (name: string, algorithm: 'MD5' | 'SHA-256') =>
    `${DIGEST(digestHash(algorithm, `${name}:r`))}, userhash=true, algorithm=${algorithm}`;
  const { identity, accounts: found } = claim({ Authorization: hashed('Alice', 'SHA-256') });
  assert.deepEqual(found, ['alice@example.com', 'alice@r']);
  assert.deepEqual(identity?.names, ['["digest","Alice","r"]']);
  assert.deepEqual(accounts({ Authorization: hashed('Alice', 'MD5') }), ['alice@example.com', 'alice@r']);
  assert.equal(reason({ Authorization: hashed('bob', 'SHA-256') }), '400 bad-credentials');
});

test('every field counts: one user may answer several realms, two users are one too many', () => {
  const chain = {
    Authorization: DIGEST('alice', 'a.test'),
    'Proxy-Authorization': DIGEST('Alice', 'b.test'),
  };
  assert.deepEqual(accounts(chain), ['alice@example.com', 'alice@a.test', 'alice@b.test']);
  assert.equal(claim(chain).proofs.length, 2);
  const two = (first: string, second: string) => ({ Authorization: [first, second] });
  assert.equal(reason(two(DIGEST('alice', 'a'), DIGEST('bob', 'b'))), '403 several-users');
  assert.equal(
    reason({ Authorization: DIGEST('alice'), 'Proxy-Authorization': DIGEST('bob') }),
    '403 several-users',
  );
  assert.equal(reason(two(DIGEST('alice'), DIGEST('alice'))), '400 bad-credentials', 'two for one realm');
  const named = two(DIGEST('alice', 'Example Proxy'), DIGEST('alice', 'Example Corp'));
  assert.deepEqual(accounts(named), ['alice@example.com', 'alice@example_proxy', 'alice@example_corp']);
  const signed = (realm: string) => `Kerberos realm="${realm}", response="00"`;
  assert.equal(claim(two(signed('a'), signed('b'))).proofs.length, 2, 'nobody guesses a ticket');
  assert.equal(reason(two('Foo a', 'Foo b')), '400 bad-credentials');
  const five = ['a', 'b', 'c', 'd', 'e'].map((realm) => DIGEST('alice', realm));
  assert.equal(reason({ Authorization: five }), '400 many-credentials');
  assert.equal(claim({ Authorization: five.slice(1) }).proofs.length, 4);
});

test('what two readers could understand differently is refused', () => {
  const bad = [
    digestOf('username="alice", username="bob"'),
    digestOf('username="alice", Username=bob'),
    digestOf(`username="alice", username*=UTF-8''bob`),
    digestOf("username*=ISO-8859-1''bob"),
    digestOf('realm="x"'),
    `${DIGEST('alice')}, ${DIGEST('bob')}`,
    `NTLM gssapi-data="", ${DIGEST('bob')}`,
    `Foo a=b, Digest username="bob", response="00"`,
    'NTLM gssapi-data="", gssapi-data="TlRMTVNTUAAD"',
    'Foo a="b',
    'Digest',
    'Digest username="bob',
    ', Digest username="bob"',
    '"Digest" username="bob"',
    DIGEST('bob\\\u0000x'),
  ];
  for (const text of bad) assert.equal(reason({ Authorization: text }), '400 bad-credentials', text);
});

/** The third message of NTLM, as [MS-SIPAE] carries it. */
function ntlm(user: string, domain = 'CORP'): string {
  const texts = [Buffer.from(domain, 'utf16le'), Buffer.from(user, 'utf16le')];
  const head = Buffer.alloc(64);
  head.write('NTLMSSP\0', 'latin1');
  head.writeUInt32LE(3, 8);
  let offset = head.length;
  for (const [index, text] of texts.entries()) {
    head.writeUInt16LE(text.length, 28 + 8 * index);
    head.writeUInt32LE(offset, 32 + 8 * index);
    offset += text.length;
  }
  head.writeUInt32LE(1, 60);
  return `NTLM qop="auth", realm="SIP", gssapi-data="${Buffer.concat([head, ...texts]).toString('base64')}"`;
}

test('schemes that hide the user: the sender counts, and whoever can be read does', () => {
  const proofs = (text: string) => claim({ Authorization: text }).proofs.length;
  const asks = 'NTLM qop="auth", realm="SIP", gssapi-data="", version=4';
  assert.equal(proofs(asks), 0);
  assert.equal(proofs('Digest username="alice", realm="r", nonce="", uri="sip:r", response=""'), 0);
  assert.deepEqual(accounts({ Authorization: ntlm('Bob') }), ['bob@example.com', 'bob@corp']);
  // Nothing that could be a guess is taken for a question.
  for (const text of [
    'Basic Ym9iOng=',
    'Foo x',
    'Foo response=" 0"',
    'NTLM gssapi-data=" TlRM"',
    'NTLM TlRM',
  ]) {
    assert.equal(proofs(text), 1, text);
    assert.deepEqual(accounts({ Authorization: text }), ['alice@example.com'], text);
    assert.equal(claim({ Authorization: text }).identity, undefined, text);
  }
  const To = '<sip:carol@example.com>';
  assert.deepEqual(accounts({ To, Authorization: 'Foo x' }), ['alice@example.com', 'carol@example.com']);
  assert.deepEqual(claim({ Authorization: 'Bearer x' }).identity?.names, []);
  // Whoever is no address of record is counted like one.
  assert.deepEqual(accounts({ From: '<sip:example.com>;tag=1', To: '<tel:+1>' }), ['?']);
});

test('who it is, is kept to the letter, and not at all where it could be somebody else', () => {
  const identity = (fields: Fields) => claim(fields).identity;
  assert.deepEqual(identity({}), { addresses: ['Alice@example.com'], names: [] });
  const own = { addresses: ['Alice@example.com'], names: [] };
  assert.deepEqual(identity({ Authorization: DIGEST('Alice', 'example.com') }), own);
  assert.deepEqual(identity({ Authorization: DIGEST('alice', 'example.com') })?.names, [
    '["digest","alice","example.com"]',
  ]);
  assert.deepEqual(identity({ Authorization: DIGEST('Alice', 'pbx') })?.names, ['["digest","Alice","pbx"]']);
  assert.deepEqual(identity({ To: '<sip:bob@example.com>' })?.addresses, [
    'Alice@example.com',
    'bob@example.com',
  ]);
  assert.equal(identity({ To: '<tel:+1>' }), undefined);
  assert.equal(identity({ Authorization: DIGEST('x'.repeat(700)) }), undefined);
});

const answer = (status: number, ...fields: string[]) =>
  asResponse(
    sipText([
      `SIP/2.0 ${status} X`,
      'Via: SIP/2.0/TLS a;branch=z9hG4bK1',
      'From: <sip:a@b.test>;tag=1',
      'To: <sip:a@b.test>;tag=2',
      'Call-ID: 1',
      'CSeq: 1 REGISTER',
      ...fields,
    ]),
  );

test('what counts as a failure', () => {
  const digest = claim({ Authorization: DIGEST('alice') });
  const outcome = (status: number, ...fields: string[]) =>
    outcomeOf('REGISTER', digest, answer(status, ...fields));
  assert.equal(outcome(200), 'accepted');
  assert.equal(outcome(401, 'WWW-Authenticate: Digest realm="r", nonce="n"'), 'failed');
  assert.equal(outcome(401, 'WWW-Authenticate: Digest realm="r", nonce="n", stale=true'), undefined);
  assert.equal(outcome(403), 'failed');
  assert.equal(outcome(404), 'failed');
  assert.equal(outcomeOf('MESSAGE', digest, answer(404)), undefined);
  assert.equal(outcomeOf('MESSAGE', digest, answer(403)), 'failed');
  assert.equal(outcome(503), undefined);
  const step = claim({ Authorization: 'NTLM realm="r", gssapi-data="TlRM"' });
  const next = answer(401, 'WWW-Authenticate: NTLM realm="r", gssapi-data="TlRM"');
  assert.equal(outcomeOf('REGISTER', step, next), undefined);
});

test('a stale nonce or a next step of one realm or scheme excuses no other', () => {
  const two = claim({ Authorization: [DIGEST('alice', 'a'), DIGEST('alice', 'b')] });
  const stale = (realm: string) => `WWW-Authenticate: Digest realm="${realm}", nonce="n", stale=true`;
  assert.equal(outcomeOf('REGISTER', two, answer(401, stale('a'))), 'failed');
  assert.equal(outcomeOf('REGISTER', two, answer(401, stale('a'), stale('b'))), undefined);
  const guess = claim({ Authorization: [DIGEST('alice'), 'NTLM realm="r", gssapi-data=""'] });
  const step = 'WWW-Authenticate: NTLM realm="r", gssapi-data="TlRM"';
  assert.equal(outcomeOf('REGISTER', guess, answer(401, step)), 'failed');
});

test('only a sign-in of its own, with one proof, is accepted for its credentials', () => {
  const digest = claim({ Authorization: DIGEST('alice') });
  assert.equal(outcomeOf('OPTIONS', digest, answer(200)), undefined);
  const two = claim({ Authorization: [DIGEST('alice', 'a'), DIGEST('alice', 'b')] });
  assert.equal(outcomeOf('REGISTER', two, answer(200)), undefined);
  const other = claim({ From: '<sip:bob@example.com>;tag=1', Authorization: DIGEST('Alice', 'example.com') });
  assert.equal(outcomeOf('REGISTER', other, answer(200)), undefined);
});
