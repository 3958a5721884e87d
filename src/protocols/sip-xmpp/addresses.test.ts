import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jidText, parseJid } from '#protocols/xmpp';
import { bareOfSip, jidOfSip, sipOfJid } from './addresses.ts';

function toJid(sip: string): string {
  const jid = jidOfSip(sip);
  return jid.ok ? jidText(jid.value) : `error ${jid.error}`;
}
function toSip(jid: string): string {
  const parsed = parseJid(jid);
  assert.ok(parsed !== undefined, jid);
  const sip = sipOfJid(parsed, true);
  return sip.ok ? sip.value : `error ${sip.error}`;
}

const both = [
  ['sip:f%C3%BC@sip.example', 'fü@sip.example'],
  ["sip:o'malley@sip.example", 'o\\27malley@sip.example'],
  ['sip:foo@sip.example;gr=bar', 'foo@sip.example/bar'],
  ['sip:m&m@xmpp.example', 'm\\26m@xmpp.example'],
  ['sip:tsch%C3%BCss@xmpp.example', 'tschüss@xmpp.example'],
  ['sip:baz@xmpp.example;gr=qux', 'baz@xmpp.example/qux'],
  ['sip:a/b@sip.example', 'a\\2fb@sip.example'],
] as const;

test('the examples of RFC 7247 §6 hold in both directions', () => {
  for (const [sip, jid] of both) {
    assert.equal(toJid(sip), jid);
    assert.equal(toSip(jid), sip);
  }
});

test('characters that RFC 7247 §6 escapes in a user part, and those of XEP-0106 §2, survive the way there and back', () => {
  const odd = '#%[\\]^`{|}';
  const sip = toSip(`x${odd}y@xmpp.example`);
  assert.equal(sip, 'sip:x%23%25%5B%5C%5D%5E%60%7B%7C%7Dy@xmpp.example');
  assert.equal(toJid(sip), `x${odd}y@xmpp.example`);
  assert.equal(toJid('sip:d%20art:x@sip.example').slice(0, 5), 'd\\20a');
  assert.equal(toJid('sip:call%40home@sip.example'), 'call\\40home@sip.example');
  assert.equal(toSip('call\\40home@sip.example'), 'sip:call%40home@sip.example');
  // XEP-0106 §4: what only looks like an escape stays what it was.
  assert.equal(toJid('sip:c%5C3a@sip.example'), 'c\\5c3a@sip.example');
  assert.equal(toSip('c\\5c3a@sip.example'), 'sip:c%5C3a@sip.example');
});

test('a resource of any characters becomes a gr parameter and comes back', () => {
  const sip = toSip('juliet@xmpp.example/Größe; x=1/ü');
  assert.equal(sip, 'sip:juliet@xmpp.example;gr=Gr%C3%B6%C3%9Fe%3B%20x%3D1%2F%C3%BC');
  assert.equal(toJid(sip), 'juliet@xmpp.example/Größe; x=1/ü');
});

test('the bare address needs no resource and knows no case', () => {
  assert.deepEqual(bareOfSip('sips:Romeo@SIP.example:5061;transport=tls;gr=x'), {
    ok: true,
    value: 'romeo@sip.example',
  });
});

test('what has no counterpart is refused by name', () => {
  assert.equal(toJid('tel:+123'), 'error not-sip');
  assert.equal(toJid('sip:sip.example'), 'error no-user');
  assert.equal(toJid('sip:%ff@sip.example'), 'error not-utf-8');
  assert.equal(toJid('sip:a@sip.example;gr=%ff'), 'error not-utf-8');
  assert.equal(toJid('sip:%00@sip.example'), 'error not-a-jid');
  assert.equal(toJid('sip:%20x@sip.example'), 'error not-a-jid');
  assert.equal(toJid('sip:x@192.0.2.1'), 'error not-a-jid');
  assert.equal(toSip('xmpp.example'), 'error no-user');
});
