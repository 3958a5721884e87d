import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { answerAudio, audioOffer, PCMA, PCMU, readAudio } from './audio.ts';
import { parseSdp, type SdpDrop, sdpLimits } from './reader.ts';
import type { SdpAttribute, SdpMedia, SessionDescription } from './types.ts';
import { formatSdp } from './writer.ts';

const lines = (...text: string[]) => Buffer.from(text.map((line) => `${line}\r\n`).join(''));
function read(bytes: Uint8Array): SessionDescription {
  const parsed = parseSdp(bytes);
  assert(parsed.ok, parsed.ok ? '' : parsed.error);
  return parsed.value;
}
const HEAD = ['v=0', 'o=alice 2890844526 2890844527 IN IP4 192.0.2.1', 's=-'];

/** A call from an ordinary softphone, with things that we do not use. */
const offer = lines(
  ...HEAD,
  'i=A call',
  'c=IN IP4 192.0.2.1',
  'b=AS:84',
  't=0 0',
  'a=tool:example',
  'm=audio 49170 RTP/AVP 9 8 0 101 96',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:8 pcma/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=rtpmap:96 opus/48000/2',
  'a=sendonly',
  'm=video 51372/2 RTP/AVP 99',
  'c=IN IP6 2001:db8::2',
  'a=rtpmap:99 H264/90000',
);

describe('SDP reader', () => {
  it('reads a description and keeps what belongs to v, o, s, c, t, m and a', () => {
    const description = read(offer);
    assert.deepEqual(description.origin, {
      username: 'alice',
      sessionId: '2890844526',
      sessionVersion: '2890844527',
      address: { addressType: 'IP4', address: '192.0.2.1' },
    });
    assert.deepEqual(description.attributes, [{ name: 'tool', value: 'example' }]);
    const [audio, video] = description.media;
    assert.deepEqual([audio?.kind, audio?.port, audio?.protocol], ['audio', 49170, 'RTP/AVP']);
    assert.deepEqual(audio?.formats, ['9', '8', '0', '101', '96']);
    assert.deepEqual(audio?.attributes.at(-1), { name: 'sendonly' });
    assert.deepEqual(
      [video?.portCount, video?.connection],
      [2, { addressType: 'IP6', address: '2001:db8::2' }],
    );
  });

  it('takes bare line feeds and a missing last line end', () => {
    const text = offer.toString().replaceAll('\r\n', '\n').trimEnd();
    assert.deepEqual(parseSdp(Buffer.from(text)), parseSdp(offer));
  });

  const bad: [name: string, SdpDrop, Buffer][] = [
    ['nothing', 'order', Buffer.alloc(0)],
    ['no origin', 'order', lines('v=0', 's=-', 't=0 0')],
    ['two origins', 'order', lines(...HEAD, HEAD[1] ?? '', 't=0 0')],
    ['no time', 'order', lines(...HEAD)],
    ['a time after the media', 'order', lines(...HEAD, 'c=IN IP4 h', 'm=audio 1 RTP/AVP 0', 't=0 0')],
    ['another version', 'version', lines('v=1', ...HEAD.slice(1), 't=0 0')],
    ['an origin that is short', 'origin', lines('v=0', 'o=alice 1 IN IP4 h', 's=-', 't=0 0')],
    ['another network', 'connection', lines(...HEAD, 'c=ATM NSAP x', 't=0 0')],
    ['media without address', 'connection', lines(...HEAD, 't=0 0', 'm=audio 1 RTP/AVP 0')],
    ['a port beyond 65535', 'media', lines(...HEAD, 'c=IN IP4 h', 't=0 0', 'm=audio 65536 RTP/AVP 0')],
    ['media without format', 'media', lines(...HEAD, 'c=IN IP4 h', 't=0 0', 'm=audio 1 RTP/AVP')],
    ['an attribute without name', 'attribute', lines(...HEAD, 't=0 0', 'a=:x')],
    ['an unknown type', 'line', lines(...HEAD, 't=0 0', 'q=1')],
    ['no line at all', 'line', lines(...HEAD, 't=0 0', 'hello')],
    ['a carriage return inside', 'line', lines(...HEAD, 't=0 0', 'a=x\ry')],
    ['a NUL', 'characters', lines(...HEAD, 't=0 0', 'a=x\0')],
    ['what is not UTF-8', 'characters', Buffer.concat([lines(...HEAD), Buffer.from([0xc3, 0x28])])],
    ['too many lines', 'too-many-lines', lines(...HEAD, 't=0 0', ...Array<string>(1024).fill('a=x'))],
    ['too much', 'too-large', Buffer.alloc(sdpLimits.bytes + 1, 'v')],
    [
      'too many media',
      'too-many-media',
      lines(...HEAD, 'c=IN IP4 h', 't=0 0', ...Array<string>(33).fill('m=audio 1 RTP/AVP 0')),
    ],
    [
      'too many formats',
      'too-many-formats',
      lines(...HEAD, 'c=IN IP4 h', 't=0 0', `m=audio 1 RTP/AVP${' 0'.repeat(65)}`),
    ],
  ];
  for (const [name, reason, bytes] of bad) {
    it(`refuses ${name}`, () => assert.deepEqual(parseSdp(bytes), { ok: false, error: reason }));
  }
});

describe('SDP writer', () => {
  const token = fc.stringMatching(/^[a-zA-Z0-9-]{1,12}$/);
  const text = fc.stringMatching(/^[ -~]{0,20}$/);
  const address = fc.record({ addressType: fc.constantFrom('IP4' as const, 'IP6' as const), address: token });
  const attribute: fc.Arbitrary<SdpAttribute> = fc.oneof(
    fc.record({ name: token }),
    fc.record({ name: token, value: text }),
  );
  const media: fc.Arbitrary<SdpMedia> = fc.record(
    {
      kind: token,
      port: fc.integer({ min: 0, max: 65_535 }),
      portCount: fc.integer({ min: 0, max: 99_999 }),
      protocol: fc.constantFrom('RTP/AVP', 'UDP/TLS/RTP/SAVPF'),
      formats: fc.array(token, { minLength: 1, maxLength: 5 }),
      connection: address,
      attributes: fc.array(attribute, { maxLength: 4 }),
    },
    { requiredKeys: ['kind', 'port', 'protocol', 'formats', 'attributes'] },
  );
  const description: fc.Arbitrary<SessionDescription> = fc.record({
    origin: fc.record({
      username: token,
      sessionId: fc.nat().map(String),
      sessionVersion: fc.nat().map(String),
      address,
    }),
    name: text,
    connection: address,
    times: fc.constant(['0 0']),
    attributes: fc.array(attribute, { maxLength: 4 }),
    media: fc.array(media, { maxLength: 4 }),
  });

  it('writes what the reader reads back', () => {
    fc.assert(
      fc.property(description, (given) => {
        // fast-check makes records without a prototype, which deepEqual would mind.
        assert.deepEqual(read(formatSdp(given)), structuredClone(given));
      }),
    );
  });
  it('writes no line breaks into values', () => {
    const given = { ...read(offer), name: 'x\r\nm=audio 1 RTP/AVP 0' };
    assert.throws(() => formatSdp(given), TypeError);
  });
});

describe('offer and answer for audio (RFC 3264)', () => {
  const local = { address: '198.51.100.7', port: 40_000, sessionId: '1', sessionVersion: 1 };

  it('offers PCMU and PCMA', () => {
    assert.equal(
      formatSdp(audioOffer(local)).toString(),
      lines(
        'v=0',
        'o=- 1 1 IN IP4 198.51.100.7',
        's=-',
        'c=IN IP4 198.51.100.7',
        't=0 0',
        'm=audio 40000 RTP/AVP 0 8',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:8 PCMA/8000',
        'a=ptime:20',
        'a=sendrecv',
      ).toString(),
    );
  });

  it('says when RTCP comes on the RTP port, and answers rtcp-mux only when it was offered (RFC 5761 §5.1.1)', () => {
    const muxed = { ...local, rtcpOnSamePort: true };
    const said = (description: SessionDescription) =>
      description.media[0]?.attributes.filter(({ name }) => name.startsWith('rtcp'));
    const place = { name: 'rtcp', value: '40000' };
    const plain = answerAudio(read(lines(...HEAD, 'c=IN IP4 h', 't=0 0', 'm=audio 5 RTP/AVP 0')), muxed);
    const other = answerAudio(audioOffer({ ...muxed, port: 5 }), muxed);
    assert(plain.ok && other.ok);
    assert.deepEqual(said(audioOffer(muxed)), [place, { name: 'rtcp-mux' }]);
    assert.deepEqual(said(plain.value.answer), [place]);
    assert.deepEqual(said(other.value.answer), [place, { name: 'rtcp-mux' }]);
  });

  it('answers with the formats that both have, in the order offered, and refuses the rest', () => {
    const result = answerAudio(read(offer), local);
    assert(result.ok);
    const { answer, format, peer } = result.value;
    assert.deepEqual(format, PCMA);
    assert.deepEqual([peer.address, peer.port, peer.direction], ['192.0.2.1', 49170, 'sendonly']);
    const [audio, video] = answer.media;
    assert.deepEqual(audio?.formats, ['8', '0']);
    assert.deepEqual(audio?.attributes.at(-1), { name: 'recvonly' });
    assert.deepEqual([video?.kind, video?.port, video?.formats], ['video', 0, ['99']]);
    assert.deepEqual(readAudio(read(formatSdp(answer))), {
      ok: true,
      value: {
        index: 0,
        address: '198.51.100.7',
        port: 40_000,
        formats: [PCMA, PCMU],
        direction: 'recvonly',
      },
    });
  });

  it('answers by the payload types of the offer', () => {
    const dynamic = lines(
      ...HEAD,
      'c=IN IP6 2001:db8::1',
      't=0 0',
      'm=audio 5 RTP/AVP 97',
      'a=rtpmap:97 PCMU/8000',
    );
    const result = answerAudio(read(dynamic), { ...local, address: '2001:db8::9' });
    assert(result.ok);
    assert.equal(result.value.format.payloadType, 97);
    assert.deepEqual(result.value.answer.media[0]?.formats, ['97']);
    assert.equal(result.value.answer.connection?.addressType, 'IP6');
  });

  it('mirrors the direction', () => {
    const directions = (theirs: string, direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive') => {
      const bytes = lines(...HEAD, 'c=IN IP4 h', 't=0 0', `a=${theirs}`, 'm=audio 5 RTP/AVP 0');
      const result = answerAudio(read(bytes), { ...local, direction });
      return result.ok ? result.value.answer.media[0]?.attributes.at(-1)?.name : result.error;
    };
    assert.equal(directions('sendrecv', 'sendrecv'), 'sendrecv');
    assert.equal(directions('sendonly', 'sendrecv'), 'recvonly');
    assert.equal(directions('recvonly', 'sendrecv'), 'sendonly');
    assert.equal(directions('inactive', 'sendrecv'), 'inactive');
    assert.equal(directions('sendrecv', 'recvonly'), 'recvonly');
    assert.equal(directions('sendonly', 'sendonly'), 'inactive');
  });

  it('has no answer where there is nothing in common', () => {
    const media = (...more: string[]) => read(lines(...HEAD, 'c=IN IP4 h', 't=0 0', ...more));
    assert.deepEqual(answerAudio(media('m=video 5 RTP/AVP 99'), local), { ok: false, error: 'no-audio' });
    assert.deepEqual(answerAudio(media('m=audio 0 RTP/AVP 0'), local), { ok: false, error: 'no-audio' });
    assert.deepEqual(answerAudio(media('m=audio 5 RTP/SAVP 0'), local), { ok: false, error: 'no-audio' });
    assert.deepEqual(answerAudio(media('m=audio 5 RTP/AVP 18'), local), {
      ok: false,
      error: 'no-common-format',
    });
    assert.deepEqual(answerAudio(media('m=audio 5 RTP/AVP 0', 'a=rtpmap:0 L16/44100'), local), {
      ok: false,
      error: 'no-common-format',
    });
  });
});
