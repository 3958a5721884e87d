import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everyPort, PORTS } from './packets.ts';

const macs = { fromMac: '02:00:00:00:00:0a', toMac: '02:00:00:00:00:0b' };

interface Frame {
  readonly bytes: Buffer;
  readonly payload: Buffer;
  readonly protocol: number;
  readonly pseudoHeader: Buffer;
}

/** The frames of a capture file, taken apart by their own headers. */
function* framesOf(file: Buffer): Iterable<Frame> {
  assert.equal(file.readUInt32LE(0), 0xa1_b2_c3_d4);
  assert.equal(file.readUInt32LE(20), 1, 'Ethernet');
  for (let at = 24; at < file.length; ) {
    const length = file.readUInt32LE(at + 8);
    assert.equal(file.readUInt32LE(at + 12), length);
    const bytes = file.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    const six = bytes.readUInt16BE(12) === 0x86_dd;
    const header = bytes.subarray(14, six ? 54 : 34);
    const payload = bytes.subarray(14 + header.length);
    const protocol = header[six ? 6 : 9] ?? 0;
    if (!six) assert.equal(onesComplement(header), 0xffff, 'IPv4 header checksum');
    assert.equal(header.readUInt16BE(six ? 4 : 2), six ? payload.length : payload.length + 20);
    const addresses = six ? header.subarray(8, 40) : header.subarray(12, 20);
    const tail = Buffer.from([0, protocol, 0, payload.length]);
    yield { bytes, payload, protocol, pseudoHeader: Buffer.concat([addresses, tail]) };
  }
}

function onesComplement(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

for (const [source, destination, prefix] of [
  ['203.0.113.10', '198.51.100.11', 'cb00710ac633640b'],
  ['2001:db8:113::10', 'fd45:0:0:16::11', `20010db8011300000000000000000010fd450000000000160000000000000011`],
] as const) {
  test(`one SYN and one datagram for every port of ${destination}, with right checksums`, () => {
    const seen = new Map<number, Set<number>>([
      [6, new Set()],
      [17, new Set()],
    ]);
    for (const frame of framesOf(everyPort({ ...macs, source, destination, sourcePort: 20_001 }))) {
      const { bytes, payload, protocol, pseudoHeader } = frame;
      assert.equal(bytes.toString('hex', 0, 12), '02000000000b02000000000a');
      assert.ok(pseudoHeader.toString('hex').startsWith(prefix));
      assert.equal(onesComplement(Buffer.concat([pseudoHeader, payload])), 0xffff);
      assert.equal(payload.readUInt16BE(0), 20_001);
      if (protocol === 6) assert.equal(payload.readUInt16BE(12), 0x50_02, 'five words, SYN');
      else assert.equal(payload.readUInt16BE(4), 8);
      seen.get(protocol)?.add(payload.readUInt16BE(2));
    }
    for (const ports of seen.values()) {
      assert.equal(ports.size, PORTS);
      assert.ok(ports.has(1) && ports.has(65_535) && !ports.has(0));
    }
  });
}
