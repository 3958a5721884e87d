import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenSslAuthority } from '../testing/openssl-authority.ts';
import { findInList, type ListProblem, listProblem, readRevocationList } from './revocation-list.ts';

const URL = 'http://crl.test/ca.crl';
const limits = { entries: 1000 };

/** An issuing distribution point, in a section of its own. */
let points = 0;
const idp = (line: string) => {
  points += 1;
  return [`issuingDistributionPoint=critical,@point${points}\n[point${points}]\n${line}`];
};

test("openssl's lists tell who is revoked, and for how long they count", (t) => {
  const authority = new OpenSslAuthority(t);
  const good = authority.issue('good');
  const bad = authority.issue('bad');
  authority.revoke('bad');
  const list = readRevocationList(authority.list(), limits);
  assert.ok(list.ok);
  const now = Date.now();
  assert.equal(listProblem(list.value, authority.certificate, now), undefined);
  assert.deepEqual(findInList(list.value, good, URL), { ok: true, value: 'good' });
  assert.deepEqual(findInList(list.value, bad, URL), { ok: true, value: 'revoked' });
  assert.equal(listProblem(list.value, authority.certificate, now + 3_700_000), 'expired');
  assert.equal(listProblem(list.value, authority.certificate, now - 3_600_000), 'not-yet-valid');
});

test('[S10] a list that somebody else has signed, or that was changed, says nothing', (t) => {
  const authority = new OpenSslAuthority(t);
  const stranger = new OpenSslAuthority(t, 'Other root');
  const namesake = new OpenSslAuthority(t);
  const der = authority.list();
  const problemOf = (bytes: Buffer) => {
    const list = readRevocationList(bytes, limits);
    return list.ok ? listProblem(list.value, authority.certificate, Date.now()) : list.error;
  };
  assert.equal(problemOf(stranger.list()), 'wrong-issuer');
  assert.equal(problemOf(namesake.list()), 'bad-signature');
  const changed = Buffer.from(der);
  changed[changed.length - 3]! ^= 1;
  assert.ok(['bad-signature', 'unreadable'].includes(problemOf(changed) ?? 'none'));
  assert.equal(problemOf(Buffer.concat([der, Buffer.of(0)])), 'unreadable');
  assert.equal(problemOf(der.subarray(0, der.length - 1)), 'unreadable');
  assert.equal(problemOf(Buffer.alloc(0)), 'unreadable');
});

test('delta and indirect lists, and lists for some reasons, are refused by their name', (t) => {
  const authority = new OpenSslAuthority(t);
  const cases: [readonly string[], ListProblem][] = [
    [['2.5.29.27=critical,ASN1:INTEGER:1'], 'delta'],
    [idp('indirectCRL=TRUE'), 'indirect'],
    [idp('onlysomereasons=keyCompromise'), 'other-scope'],
    [idp('onlyAA=TRUE'), 'other-scope'],
    [['1.2.3.4.5=critical,ASN1:NULL'], 'unsupported-extension'],
  ];
  for (const [lines, problem] of cases) {
    const list = readRevocationList(authority.list(lines), limits);
    assert.equal(!list.ok && list.error, problem);
  }
});

test('a list for authorities, or for another place, does not speak for a leaf', (t) => {
  const authority = new OpenSslAuthority(t);
  const leaf = authority.issue('leaf');
  const cases: [string, boolean][] = [
    ['onlyCA=TRUE', false],
    ['onlyuser=TRUE', true],
    [`fullname=URI:${URL}`, true],
    ['fullname=URI:http://crl.test/other.crl', false],
  ];
  for (const [line, speaks] of cases) {
    const list = readRevocationList(authority.list(idp(line)), limits);
    assert.ok(list.ok, line);
    assert.equal(findInList(list.value, leaf, URL).ok, speaks, line);
  }
});

test('more entries than the limit are not read', (t) => {
  const authority = new OpenSslAuthority(t);
  for (const name of ['one', 'two', 'three']) {
    authority.issue(name);
    authority.revoke(name);
  }
  const der = authority.list();
  assert.equal(readRevocationList(der, { entries: 3 }).ok, true);
  const list = readRevocationList(der, { entries: 2 });
  assert.equal(!list.ok && list.error, 'too-many-entries');
});
