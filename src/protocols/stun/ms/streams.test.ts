import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeMs,
  encodeMsFrameHeader,
  isPseudoServerHello,
  MsDeframer,
  MsFrameType,
  MsWriter,
  matchPseudoClientHello,
  PSEUDO_CLIENT_HELLO_BYTES,
  PSEUDO_SERVER_HELLO_BYTES,
  pseudoClientHello,
  pseudoServerHello,
  Rfc4571Cutter,
} from '../index.ts';

function frame(type: MsFrameType, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + content.length);
  encodeMsFrameHeader(bytes, 0, type, content.length);
  bytes.set(content, 4);
  return bytes;
}

const pieces = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 });
const cuts = fc.array(fc.nat({ max: 700 }), { maxLength: 12 });

/** The stream in pieces that begin at these offsets. */
function cut(stream: Buffer, at: readonly number[]): Buffer[] {
  const borders = [0, ...at.filter((one) => one < stream.length).sort((a, b) => a - b), stream.length];
  return borders.slice(1).map((end, index) => stream.subarray(borders[index], end));
}

test('frames come out as they went in, wherever the stream is cut', () => {
  fc.assert(
    fc.property(pieces, cuts, fc.boolean(), (contents, at, control) => {
      const type = control ? MsFrameType.Control : MsFrameType.Data;
      const stream = Buffer.concat(contents.map((content) => frame(type, content)));
      const deframer = new MsDeframer();
      const seen: string[] = [];
      for (const chunk of cut(stream, at)) {
        const good = deframer.handleBytes(chunk, (seenType, content) => {
          assert.equal(seenType, type);
          seen.push(Buffer.from(content).toString('hex'));
          return true;
        });
        assert.ok(good);
      }
      assert.deepEqual(
        seen,
        contents.map((content) => Buffer.from(content).toString('hex')),
      );
      assert.equal(deframer.pending, 0);
    }),
  );
});

test('a stream that is not framed so is noticed at its first wrong octet', () => {
  for (const wrong of ['04', '0001', '0201', '0300000003ff', '474554']) {
    const deframer = new MsDeframer();
    const octets = [...Buffer.from(wrong, 'hex')];
    const verdicts = octets.map((octet) => deframer.handleBytes(Uint8Array.of(octet), () => true));
    assert.ok(verdicts.includes(false), wrong);
    assert.equal(
      new MsDeframer().handleBytes(Buffer.from(`${wrong}00000000`, 'hex'), () => true),
      false,
      wrong,
    );
  }
});

test('a receiver that has had enough gets no more', () => {
  const stream = Buffer.concat([frame(2, Buffer.from('a')), frame(2, Buffer.from('b'))]);
  let seen = 0;
  assert.equal(
    new MsDeframer().handleBytes(stream, () => {
      seen++;
      return false;
    }),
    false,
  );
  assert.equal(seen, 1);
});

test('a frame that announces much holds only what has arrived', () => {
  const deframer = new MsDeframer();
  assert.ok(deframer.handleBytes(Buffer.from('0300ffff', 'hex'), () => assert.fail()));
  assert.ok(deframer.handleBytes(Buffer.alloc(10), () => assert.fail()));
  assert.equal(deframer.pending, 14);
});

test('packets of RFC 4571 are cut whole, their length with them', () => {
  fc.assert(
    fc.property(pieces, cuts, (contents, at) => {
      const packets = contents.map((content) =>
        Buffer.concat([Buffer.of(content.length >> 8, content.length & 0xff), content]),
      );
      const cutter = new Rfc4571Cutter();
      const seen: Buffer[] = [];
      for (const chunk of cut(Buffer.concat(packets), at)) {
        cutter.handleBytes(chunk, (packet) => seen.push(Buffer.from(packet)));
      }
      assert.deepEqual(seen, packets);
      assert.equal(cutter.pending, 0);
    }),
  );
});

test('pseudo-TLS: the two hellos have their lengths and their free octets', () => {
  const random = Buffer.alloc(64, 0x5a);
  const client = pseudoClientHello(random);
  assert.equal(client.length, PSEUDO_CLIENT_HELLO_BYTES);
  assert.equal(client.toString('hex', 43), '00000200180100');
  assert.equal(client.readUInt16BE(3), 0x2d);
  const server = pseudoServerHello(random);
  assert.equal(server.length, PSEUDO_SERVER_HELLO_BYTES);
  assert.equal(server.toString('hex', 76), '0018000e000000');
  assert.equal(server[43], 0x20);
  assert.ok(isPseudoServerHello(server));
  for (let at = 0; at < server.length; at++) {
    const other = Buffer.from(server);
    other[at] = (other[at] ?? 0) ^ 1;
    const free = (at >= 11 && at < 43) || (at >= 44 && at < 76);
    assert.equal(isPseudoServerHello(other), free, `octet ${at}`);
  }
});

test('pseudo-TLS is told from TLS by its record length and its one cipher', () => {
  const client = pseudoClientHello(Buffer.alloc(32, 7));
  for (let length = 0; length < client.length; length++) {
    assert.equal(matchPseudoClientHello(client.subarray(0, length)), 'partial');
  }
  assert.equal(matchPseudoClientHello(client), 'yes');
  assert.equal(matchPseudoClientHello(Buffer.concat([client, Buffer.from('0200')])), 'yes');
  const real = Buffer.from(client);
  real.writeUInt16BE(0x0200, 3);
  assert.equal(matchPseudoClientHello(real.subarray(0, 5)), 'no');
  const cipher = Buffer.from(client);
  cipher[47] = 0x2f;
  assert.equal(matchPseudoClientHello(cipher), 'no');
});

test('attributes stand without padding, and every broken length is a drop', () => {
  const writer = new MsWriter().begin(new Uint8Array(64), 3, new Uint8Array(16));
  writer.put(0x8022, Buffer.from('abc'));
  writer.putU32(0x8008, 2);
  assert.equal(writer.length, 20 + 8 + 7 + 8);
  const good = Buffer.from(writer.bytes);
  assert.ok(decodeMs(good).ok);
  const drop = (bytes: Uint8Array) => {
    const decoded = decodeMs(bytes);
    return decoded.ok ? 'none' : decoded.error;
  };
  assert.equal(drop(good.subarray(0, -1)), 'ms-bad-length');
  assert.equal(drop(Buffer.concat([good, Buffer.alloc(1)])), 'ms-bad-length');
  const long = Buffer.from(good);
  long[31] = 200;
  assert.equal(drop(long), 'ms-attribute-overrun');
  assert.equal(drop(good.subarray(0, 27)), 'ms-too-short');
  const many = new MsWriter().begin(new Uint8Array(600), 3, new Uint8Array(16));
  for (let count = 0; count < 64; count++) many.put(0x8022, new Uint8Array(0));
  assert.equal(drop(many.bytes), 'ms-too-many-attributes');
  const short = new MsWriter().begin(new Uint8Array(60), 3, new Uint8Array(16));
  short.put(0x0008, new Uint8Array(19));
  assert.equal(drop(short.bytes), 'ms-malformed-integrity');
});

test('attributes after MESSAGE-INTEGRITY do not count', () => {
  const writer = new MsWriter().begin(new Uint8Array(100), 3, new Uint8Array(16));
  writer.put(0x0008, new Uint8Array(20));
  writer.putU32(0x000d, 0);
  const decoded = decodeMs(writer.bytes);
  assert.ok(decoded.ok && !decoded.value.has(0x000d) && decoded.value.hasIntegrity);
});
