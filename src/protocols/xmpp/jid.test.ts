import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalDomain, jidText, parseJid } from './index.ts';

test('an address is taken apart and brought into one form', () => {
  assert.deepEqual(parseJid('Juliet@XMPP.example/Balcony'), {
    local: 'juliet',
    domain: 'xmpp.example',
    resource: 'Balcony',
  });
  assert.deepEqual(parseJid('xmpp.example'), { domain: 'xmpp.example' });
  assert.equal(jidText(parseJid('a@b.example/c/d@e')!), 'a@b.example/c/d@e');
  assert.equal(parseJid('tschüss@bücher.example')?.domain, 'xn--bcher-kva.example');
  assert.equal(parseJid('u\u0308@x.example')?.local, 'ü');
});

test('what is no address is none', () => {
  const bad = [
    '',
    '@x.example',
    'a@',
    'a b@x.example',
    'a@b@c.example/',
    'a@x.example/',
    "o'neill@x.example",
    'a@-x.example',
  ];
  const worse = [
    'a@x..example',
    'a@192.0.2.1',
    'a@[::1]',
    'a@x.example:5269',
    'a@x%2eexample',
    'a@x.example\0',
    'a\u0001@x.example',
  ];
  for (const text of [...bad, ...worse]) assert.equal(parseJid(text), undefined, JSON.stringify(text));
  assert.equal(parseJid(`${'a'.repeat(1024)}@x.example`), undefined);
});

test('a final dot and letters of either case make no other domain', () => {
  assert.equal(canonicalDomain('XMPP.Example.'), 'xmpp.example');
  assert.equal(canonicalDomain('a/b'), undefined);
});
