import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { canonicalIp, decodeIp, encodeIp, familyOf } from './ip-address.ts';

test('canonical texts', () => {
  for (const [text, canonical] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['::ffff:102:304', '::ffff:1.2.3.4'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['fe80::1%eth0', 'fe80::1'],
  ] as const) {
    assert.equal(canonicalIp(text), canonical, text);
  }
});

test('what is no address', () => {
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1..2.3',
    '0x1.2.3.4',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'localhost',
    '1:2:3:4:5:6:7:1.2.3.4',
  ]) {
    assert.equal(canonicalIp(text), undefined, text);
  }
});

test('every address survives text and octets, and another parser reads the same', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc
          .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
          .map((octets) => Uint8Array.from(octets)),
      ),
      (octets) => {
        const length = octets.length as 4 | 16;
        const text = decodeIp(octets, 0, length);
        const again = new Uint8Array(16);
        assert.equal(encodeIp(text, again, 0), length);
        assert.deepEqual(again.subarray(0, length), octets);
        assert.deepEqual(ipaddr.parse(text).toByteArray(), [...octets]);
        assert.equal(familyOf(text), length === 4 ? 'ipv4' : 'ipv6');
        assert.equal(canonicalIp(ipaddr.parse(text).toNormalizedString()), text);
      },
    ),
  );
});

test('texts are accepted only where another parser accepts them too', () => {
  const piece = fc.constantFrom('0', '1', 'ff', '256', ':', '::', '.', '1.2.3.4', 'ffff', 'x');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      const canonical = canonicalIp(text);
      if (canonical !== undefined) assert.ok(ipaddr.isValid(text), text);
      else if (text.includes(':')) assert.ok(!ipaddr.isValid(text), text);
    }),
  );
});
