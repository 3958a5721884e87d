import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Disclosure, Seal, TopologyHiding } from './index.ts';

const seal = new Seal({ current: Buffer.alloc(32, 1), others: [] });
const disclosure = new Disclosure({
  publicHosts: ['example.com', 'sip.example.com', '192.0.2.10', '2001:db8:1::10'],
  internalHosts: ['edge1.corp.example', 'fe1.corp.example', '10.45.32.11', 'example.com'],
  internalNetworks: ['10.45.0.0/16', 'fd00:45::/32'],
});
const hiding = new TopologyHiding(seal, disclosure, { host: 'sip.example.com', port: 443 });

test('whatever is sealed opens again, for its purpose only, and looks the same each time', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      const sealed = seal.seal('target', text);
      assert.match(sealed, /^[A-Za-z0-9_-]+$/);
      assert.equal(seal.open('target', sealed), Buffer.from(text, 'utf8').toString('utf8'));
      assert.equal(seal.open('route-set', sealed), undefined);
      assert.equal(seal.seal('target', text), sealed);
    }),
  );
});

test('every changed bit of a sealed value is noticed, and another key opens nothing', () => {
  const sealed = Buffer.from(seal.seal('target', 'sip:bob@10.45.32.99'), 'base64url');
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(seal.open('target', changed.toString('base64url')), undefined, `bit ${bit}`);
  }
  assert.equal(
    new Seal({ current: Buffer.alloc(32, 2), others: [] }).open('target', sealed.toString('base64url')),
    undefined,
  );
  for (const odd of ['', 'A', 'not base64!', '='.repeat(40)])
    assert.equal(seal.open('target', odd), undefined);
});

test('hosts may be seen by a list, in any spelling of an address', () => {
  for (const host of [
    'example.com',
    'EXAMPLE.com.',
    '192.0.2.10',
    '[2001:DB8:1:0::10]',
    '[::ffff:192.0.2.10]',
  ])
    assert.ok(disclosure.isPublic(host), host);
  for (const host of ['fe1.corp.example', '10.45.32.11', 'anything.example', '192.168.1.5'])
    assert.ok(!disclosure.isPublic(host), host);
});

test('a text that names the inside is recognised', () => {
  const telling = [
    'from FE1.corp.example:5061',
    'a84b4c76e66710@10.45.1.2',
    '[fd00:45::7]:5061',
    'v6 fd00:45::7',
    'mapped ::ffff:10.45.9.9 too',
    '399 mcu3.corp.example "a server that no document names"',
    'sip:conf@Corp.Example;x=1',
    'xcorp.example, then <sip:a.b.corp.example>',
  ];
  for (const text of telling) assert.ok(disclosure.mentionsInternal(text), text);
  const harmless = [
    'sip:alice@example.com',
    '192.0.2.10',
    '10.46.0.1',
    '1.2.3.4.5',
    '12:30:59 GMT',
    'a::b c',
    'fe1.xcorp.example',
    'sip:x@mcu3.corp.example.net',
  ];
  for (const text of harmless) assert.ok(!disclosure.mentionsInternal(text), text);
  const beside = new Disclosure({
    publicHosts: ['shop.example.com'],
    internalHosts: ['fe1.example.com', 'fe1.lan'],
    internalNetworks: [],
  });
  assert.ok(beside.mentionsInternal('sip:fe1.example.com'));
  for (const text of ['sip:mcu3.example.com', 'sip:mcu3.lan'])
    assert.ok(!beside.mentionsInternal(text), text);
});

test('a target of the inside is shown as one of the edge, and opens to the same URI', () => {
  const real = 'sip:bob-0x55@10.45.32.99:40001;transport=tls';
  const shown = hiding.targets.hide(real);
  assert.match(shown, /^sip:~[A-Za-z0-9_-]+@sip\.example\.com:443;transport=tls$/);
  assert.equal(hiding.targets.open(shown), real);
  assert.equal(hiding.targets.hide('sip:bob@example.com'), 'sip:bob@example.com');
  assert.equal(hiding.targets.open('sip:bob@example.com'), undefined);
  assert.equal(hiding.targets.open('sip:~AAAAAAAAAAAAAAAAAAAAAAAA@sip.example.com:443'), undefined);
});

test('a hidden target with a password beside its token is not ours', () => {
  const shown = hiding.targets.hide('sip:bob@10.45.32.99');
  assert.equal(hiding.targets.open(shown.replace('@', ':word@')), undefined);
});

test('what was hidden or opened before is known no longer than the secret that did it', () => {
  const [old, next] = [Buffer.alloc(32, 5), Buffer.alloc(32, 6)];
  const exchanged = new Seal({ current: old, others: [] });
  const { targets } = new TopologyHiding(exchanged, disclosure, { host: 'sip.example.com', port: 443 });
  const real = 'sip:bob@10.45.32.99';
  const shown = targets.hide(real);
  assert.equal(targets.hide(real), shown);
  assert.equal(targets.open(shown), real);
  exchanged.exchange({ current: next, others: [old] });
  const newer = targets.hide(real);
  assert.notEqual(newer, shown);
  for (const each of [shown, newer]) assert.equal(targets.open(each), real);
  exchanged.exchange({ current: next, others: [] });
  assert.equal(targets.open(shown), undefined);
  assert.equal(targets.open(newer), real);
});

test('a value that was shown is remembered as long as its key seals', () => {
  const [old, next] = [Buffer.alloc(32, 3), Buffer.alloc(32, 4)];
  const exchanged = new Seal({ current: old, others: [] });
  const both = new TopologyHiding(exchanged, disclosure, { host: 'sip.example.com', port: 443 });
  const contact = '<sip:bob@10.45.32.99>;+sip.rendering="no"';
  const shown = both.hideUris(contact);
  assert.equal(both.hideUris(contact), shown);
  exchanged.exchange({ current: next, others: [old] });
  const newer = both.hideUris(contact);
  assert.notEqual(newer, shown);
  for (const each of [shown, newer]) assert.equal(both.openUris(each), contact);
});

test('a public host does not let an internal parameter through', () => {
  assert.match(hiding.targets.hide('sip:example.com;maddr=10.45.32.11'), /^sip:~/);
});

test('URIs inside a value are hidden where they stand', () => {
  const value = '"Bob" <sip:bob@fe1.corp.example>;expires=60;+sip.instance="<urn:uuid:1>"';
  const shown = hiding.hideUris(value);
  assert.ok(!shown.includes('corp.example'));
  assert.ok(shown.endsWith('>;expires=60;+sip.instance="<urn:uuid:1>"'));
  assert.equal(hiding.openUris(shown), value);
});

test('a transfer with Replaces keeps its Call-ID readable on both sides', () => {
  const inside = '<sip:bob@10.45.32.99?Replaces=7@10.45.1.2%3Bto-tag%3D1%3Bfrom-tag%3D2>';
  const shown = hiding.hideUris(inside);
  assert.ok(!disclosure.mentionsInternal(shown), shown);
  assert.equal(decodeURIComponent(hiding.openUris(shown)), decodeURIComponent(inside));
});

test('routes fold into one parameter and come back in order', () => {
  const routes = ['<sip:fe1.corp.example;lr>', '<sip:10.45.32.11:5061;transport=tls;lr>;x=1'];
  const folded = hiding.foldRoutes(routes);
  assert.match(folded, /^;behind=[A-Za-z0-9_-]+$/);
  assert.deepEqual(hiding.unfoldRoutes(folded.slice(';behind='.length)), routes);
  assert.equal(hiding.foldRoutes([]), '');
  assert.equal(hiding.unfoldRoutes('AAAAAAAAAAAAAAAAAAAAAAAAAAAA'), undefined);
});

test('only a Call-ID that tells something is hidden', () => {
  assert.equal(hiding.hideCallId('a84b4c76e66710'), 'a84b4c76e66710');
  const shown = hiding.hideCallId('a84b4c76e66710@10.45.1.2');
  assert.match(shown, /^~[A-Za-z0-9_-]+$/);
  assert.equal(hiding.openCallId(shown), 'a84b4c76e66710@10.45.1.2');
  assert.equal(hiding.openCallId('~mine'), '~mine');
  const dialog = hiding.hideDialogId('x@fe1.corp.example;to-tag=1;from-tag=2');
  assert.ok(dialog.endsWith(';to-tag=1;from-tag=2'));
  assert.equal(hiding.openDialogId(dialog), 'x@fe1.corp.example;to-tag=1;from-tag=2');
});

test('secrets are exchanged: the new one seals, those that are listed open, and a key that is asked for seals as before', () => {
  const [old, next] = [Buffer.alloc(32, 3), Buffer.alloc(32, 4)];
  const one = new Seal({ current: old, others: [] });
  const token = one.seal('call-id', 'a@10.45.1.2');
  const key = one.keyOf('call-id', token);
  assert.match(key ?? '', /^[0-9a-f]{8}$/);
  one.exchange({ current: next, others: [old] });
  const newer = one.seal('call-id', 'a@10.45.1.2');
  assert.notEqual(newer, token);
  assert.notEqual(one.keyOf('call-id', newer), key);
  assert.equal(one.seal('call-id', 'a@10.45.1.2', key), token);
  // Another edge, which remembers nothing.
  const other = new Seal({ current: old, others: [next] });
  for (const each of [token, newer]) assert.equal(other.open('call-id', each), 'a@10.45.1.2');
  one.exchange({ current: next, others: [] });
  assert.equal(one.open('call-id', token), undefined);
  assert.equal(one.seal('call-id', 'a@10.45.1.2', key), newer);
});
