import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeIp } from '#protocols/stun';
import {
  embeddedIpv4,
  judgePeer,
  type PeerPolicy,
  type PeerVerdict,
  parsePeerPolicy,
} from './peer-policy.ts';

function policy(
  allowedPeers: string[] = [],
  internalNetworks: string[] = [],
  ownAddresses: string[] = [],
): PeerPolicy {
  const parsed = parsePeerPolicy({ allowedPeers, internalNetworks, ownAddresses });
  assert.ok(parsed.ok);
  return parsed.value;
}

function judgeAll(under: PeerPolicy, addresses: readonly string[], verdict: PeerVerdict): void {
  for (const address of addresses) assert.equal(judgePeer(under, address), verdict, address);
}

test('ordinary Internet addresses are allowed', () => {
  judgeAll(
    policy(),
    ['8.8.8.8', '1.1.1.1', '193.0.0.1', '223.255.255.255', '2a00:1450::1', '2606:4700::1', '2620:fe::fe'],
    'allowed',
  );
});

test('T1: loopback and the unspecified address', () => {
  judgeAll(policy(), ['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::1', '::'], 'special-purpose');
});

test('T2: IPv4-mapped forms are the IPv4 address', () => {
  judgeAll(
    policy(),
    ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1'],
    'special-purpose',
  );
});

test('T3: IPv4-compatible, translated, NAT64, 6to4, Teredo and ISATAP forms', () => {
  judgeAll(
    policy(),
    [
      '::127.0.0.1',
      '::8.8.8.8',
      '::ffff:0:127.0.0.1',
      '64:ff9b::7f00:1',
      '64:ff9b::808:808',
      '64:ff9b:1::1',
      '2002:7f00:1::1',
      '2002:808:808::1',
      '2001:0:4136:e378:8000:63bf:3fff:fdd2',
      '2a00::5efe:10.0.0.1',
      '2a00::200:5efe:192.168.1.1',
    ],
    'special-purpose',
  );
  judgeAll(policy(), ['2a00::5efe:8.8.8.8'], 'allowed');
});

test('T3: an exception for the outer form does not let a refused inner address through', () => {
  const open = policy(['64:ff9b::/96', '2002::/16', '::ffff:0:0/96', '2001::/32']);
  judgeAll(open, ['64:ff9b::8.8.8.8', '2002:808:808::1', '::ffff:8.8.8.8'], 'allowed');
  judgeAll(
    open,
    ['64:ff9b::127.0.0.1', '2002:a00:1::1', '::ffff:169.254.169.254', '2001:0:808:808::f5ff:fffe'],
    'special-purpose',
  );
});

test('T4: link local, metadata services, private, shared, unique local, site local, multicast, broadcast', () => {
  judgeAll(
    policy(),
    [
      '169.254.169.254',
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '100.64.0.1',
      '100.127.255.255',
      '192.0.0.8',
      '198.18.0.1',
      '198.19.255.255',
      '224.0.0.1',
      '239.1.1.1',
      '240.0.0.1',
      '255.255.255.255',
      'fe80::1',
      'fec0::1',
      'fc00::1',
      'fd12::1',
      'ff02::1',
      '100::1',
      '5f00::1',
      '2001:db8::1',
      '3fff::1',
      '2001:2::1',
    ],
    'special-purpose',
  );
  judgeAll(
    policy(),
    ['172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '198.17.255.255', '198.20.0.0'],
    'allowed',
  );
});

test('exceptions lift the default refusal, for exactly their range', () => {
  const open = policy(['127.0.3.0/24', '10.1.2.3', '2001:db8:5::/48']);
  judgeAll(open, ['127.0.3.0', '127.0.3.255', '10.1.2.3', '2001:db8:5::1'], 'allowed');
  judgeAll(open, ['127.0.2.255', '127.0.4.0', '10.1.2.4', '2001:db8:6::1'], 'special-purpose');
});

test('own addresses and internal networks are refused under any exception, in every form', () => {
  const open = policy(['0.0.0.0/0', '::/0'], ['10.0.0.0/8', '2a00:5::/32'], ['203.0.113.30', '2a00:9::1']);
  judgeAll(
    open,
    ['203.0.113.30', '::ffff:203.0.113.30', '2002:cb00:711e::1', '64:ff9b::203.0.113.30', '2a00:9::1'],
    'own-address',
  );
  judgeAll(open, ['10.0.0.1', '::ffff:10.0.0.1', '2002:a00:1::5', '2a00:5::1'], 'internal-network');
  const localNat64 = ['a00:0:100::', 'a:0:1::', '0:a:0:100:0', ':a00:1'].map((rest) => `64:ff9b:1:${rest}`);
  judgeAll(open, localNat64, 'internal-network');
  judgeAll(open, ['203.0.113.31', '127.0.0.1', '::ffff:127.0.0.1'], 'allowed');
});

test('what is no address, or no range', () => {
  judgeAll(policy(), ['', 'localhost', '1.2.3.4/8'], 'not-an-address');
  for (const text of [
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '::/129',
    'x/8',
    '/8',
    '10.0.0.0/8/9',
    '10.0.0.0/1e1',
  ]) {
    const parsed = parsePeerPolicy({ ownAddresses: [], internalNetworks: [], allowedPeers: [text] });
    assert.ok(!parsed.ok, text);
    assert.equal(parsed.error.code, 'SLP-AV-0101');
  }
  assert.throws(() => policy().withOwnAddresses(['nowhere']), RangeError);
});

function number(octets: Uint8Array): bigint {
  return octets.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

test('T5: a range holds exactly the addresses between its first and last, compared as numbers', () => {
  const sizes = fc.constantFrom(4, 16);
  const arbitrary = sizes.chain((size) =>
    fc.tuple(
      fc.uint8Array({ minLength: size, maxLength: size }),
      fc.integer({ min: 0, max: size * 8 }),
      fc.integer({ min: 0, max: size * 8 - 1 }),
    ),
  );
  fc.assert(
    fc.property(arbitrary, ([base, bits, flipped]) => {
      const size = base.length as 4 | 16;
      const other = base.slice();
      other[flipped >> 3] = (other[flipped >> 3] ?? 0) ^ (0x80 >> (flipped & 7));
      const shift = BigInt(size * 8 - bits);
      const expected = number(base) >> shift === number(other) >> shift;
      const refused = policy([], [`${decodeIp(base, 0, size)}/${bits}`]);
      // Addresses that carry IPv4 are judged in both forms; only the plain ones say something about the range.
      if (size === 16 && embeddedIpv4(other).length > 0) return;
      assert.equal(judgePeer(refused, decodeIp(other, 0, size)) === 'internal-network', expected);
    }),
  );
});

test('no IPv6 form of a refused IPv4 address is ever allowed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (octets) => {
      const v4 = decodeIp(octets, 0, 4);
      const open = policy(['::/0']);
      if (judgePeer(open, v4) === 'allowed') return;
      const hex = Buffer.from(octets).toString('hex');
      const groups = `${hex.slice(0, 4)}:${hex.slice(4)}`;
      const turned = Buffer.from(octets.map((octet) => octet ^ 0xff)).toString('hex');
      for (const form of [
        `::${v4}`,
        `::ffff:${v4}`,
        `::ffff:0:${v4}`,
        `64:ff9b::${v4}`,
        `2002:${groups}::1`,
        `2001:0:${groups}::1`,
        `2001:0:808:808:0:0:${turned.slice(0, 4)}:${turned.slice(4)}`,
        `2a00::5efe:${v4}`,
      ]) {
        assert.notEqual(judgePeer(open, form), 'allowed', form);
      }
    }),
  );
});
