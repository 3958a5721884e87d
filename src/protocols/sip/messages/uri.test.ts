import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { escapeUser, formatSipUri, parseSipUri, type SipUri } from './uri.ts';
import { addressOfRecord, sameSipUri } from './uri-compare.ts';

function uri(text: string): SipUri {
  const parsed = parseSipUri(text);
  assert.ok(parsed.ok, `${text}: ${parsed.ok ? '' : parsed.error}`);
  return parsed.value;
}

describe('parsing (RFC 3261 §19.1)', () => {
  test('all the parts', () => {
    const text = 'sips:alice:secret@Example.COM:5061;transport=TLS;lr?subject=x&to=y%40z';
    assert.deepEqual(uri(text), {
      scheme: 'sips',
      user: 'alice',
      password: 'secret',
      host: 'example.com',
      port: 5061,
      parameters: new Map([
        ['transport', 'TLS'],
        ['lr', undefined],
      ]),
      headers: [
        ['subject', 'x'],
        ['to', 'y%40z'],
      ],
    });
  });
  test('the user part may hold what separates parameters elsewhere', () => {
    assert.equal(uri('sip:user;par=u%40example.net@example.com').user, 'user;par=u%40example.net');
    assert.equal(uri('sip:a?b/c@example.com').user, 'a?b/c');
  });
  test('IPv6', () => {
    const { host, port } = uri('sip:[2001:DB8::1]:5060;lr');
    assert.deepEqual([host, port], ['[2001:db8::1]', 5060]);
  });
  for (const [text, error] of [
    ['', 'unsupported-scheme'],
    ['tel:+1', 'unsupported-scheme'],
    ['sip', 'unsupported-scheme'],
    ['sip:', 'host'],
    ['sip:@host', 'user'],
    ['sip:a@', 'host'],
    ['sip:a@b@c', 'host'],
    ['sip:a b@c', 'user'],
    ['sip:a@[::1', 'host'],
    ['sip:a@[x]', 'host'],
    ['sip:a@b:0', 'port'],
    ['sip:a@b:65536', 'port'],
    ['sip:a@b:', 'port'],
    ['sip:a@b;', 'uri-parameter'],
    ['sip:a@b;x=', 'uri-parameter'],
    ['sip:a@b;lr;LR', 'duplicate-parameter'],
    ['sip:a@b?', 'uri-header'],
    ['sip:a@b?x', 'uri-header'],
    ['sip:a%4@b', 'escape'],
    ['sip:a@b\r\n', 'host'],
  ] as const) {
    test(`${JSON.stringify(text)}: ${error}`, () =>
      assert.deepEqual(parseSipUri(text), { ok: false, error }));
  }
});

test('any text can be a user', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (user) => {
      const parsed = uri(
        formatSipUri({ scheme: 'sip', user: escapeUser(user), host: 'a', parameters: new Map() }),
      );
      assert.equal(decodeURIComponent(parsed.user ?? ''), user);
    }),
  );
});

describe('comparison (RFC 3261 §19.1.4)', () => {
  for (const [a, b] of [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
  ] as const) {
    test(`${a} is ${b}`, () => assert.equal(sameSipUri(uri(a), uri(b)), true));
  }
  for (const [a, b] of [
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@b', 'sips:a@b'],
    ['sip:a%2Fb@c', 'sip:a/b@c'],
    ['sip:a:p@c', 'sip:a@c'],
  ] as const) {
    test(`${a} is not ${b}`, () => assert.equal(sameSipUri(uri(a), uri(b)), false));
  }
});

test('the address-of-record leaves out what does not identify (RFC 3261 §10.3)', () => {
  assert.equal(addressOfRecord(uri('sip:%61lice:p@Example.COM;transport=tls?x=y')), 'sip:alice@example.com');
  assert.equal(addressOfRecord(uri('sip:a%2fb@example.com:5070')), 'sip:a%2Fb@example.com:5070');
  assert.equal(addressOfRecord(uri('sip:example.com')), 'sip:example.com');
});
