import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readVectors } from '../testing/vectors.ts';
import { buildAck, buildCancel, buildRequest, buildResponse } from './build.ts';
import { parseCSeq } from './cseq.ts';
import { canonicalName, isListHeader } from './header-name.ts';
import { splitValues } from './header-value.ts';
import { sipLimits } from './limits.ts';
import { type SipMessage, SipRequest, SipResponse } from './message.ts';
import { parseSipMessage, type SipParseError } from './parse.ts';

function parse(bytes: Buffer | string): SipMessage {
  const parsed = parseSipMessage(Buffer.from(bytes), sipLimits);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.reason);
  return parsed.value;
}
function refused(bytes: Buffer | string): SipParseError {
  const parsed = parseSipMessage(Buffer.from(bytes), sipLimits);
  assert.ok(!parsed.ok);
  return parsed.error;
}
const essential: readonly (readonly [string, string])[] = [
  ['Via', 'SIP/2.0/TLS 192.0.2.4;branch=z9hG4bK1'],
  ['Max-Forwards', '70'],
  ['From', '<sip:alice@example.com>;tag=a'],
  ['To', '<sip:bob@example.com>'],
  ['Call-ID', '1@example.com'],
  ['CSeq', '1 INVITE'],
];
function request(more: readonly (readonly [string, string])[] = [], body?: string): SipRequest {
  const options = { method: 'INVITE', uri: 'sip:bob@example.com', headers: [...essential, ...more] };
  const message = parse(buildRequest({ ...options, body: Buffer.from(body ?? '') }));
  assert.ok(message instanceof SipRequest);
  return message;
}

describe('the examples of RFC 3261 §24', () => {
  for (const { name, expectation, bytes } of readVectors('rfc3261-24.txt')) {
    test(`${name}: ${expectation}`, () => {
      const length = Number(/Content-Length: (\d+)/.exec(bytes.toString())?.[1]);
      const message = parse(Buffer.concat([bytes, Buffer.alloc(length, 'x')]));
      const what = message.kind === 'request' ? `request ${message.method}` : `response ${message.status}`;
      assert.equal(what, expectation);
      assert.equal(message.body.length, length);
    });
  }
});

describe('headers', () => {
  const message = request(
    [
      ['m', '"a, b" <sip:x,y@z>;q=1 , <sip:c@d>'],
      ['Contact', '<sip:e@f>'],
      ['Supported', ''],
      ['X-List', 'a, b'],
      ['x-list', 'c'],
      ['Authorization', 'Digest a="b", c="d"'],
    ],
    'hello',
  );
  test('by any name', () => {
    for (const name of ['Contact', 'contact', 'CONTACT', 'm', 'M']) {
      assert.deepEqual(message.values(name), ['"a, b" <sip:x,y@z>;q=1', '<sip:c@d>', '<sip:e@f>'], name);
    }
    assert.equal(message.header('i'), '1@example.com');
    assert.equal(message.has('Subject'), false);
    assert.equal(message.header('Subject'), undefined);
    assert.deepEqual(message.values('Subject'), []);
  });
  test('only lists are split', () => {
    assert.deepEqual(message.values('X-LIST'), ['a, b', 'c']);
    assert.deepEqual(message.values('Authorization'), ['Digest a="b", c="d"']);
    assert.deepEqual(message.values('Supported'), []);
    assert.equal(message.header('Supported'), '');
  });
  test('all of them in order', () => {
    assert.deepEqual(message.names().slice(6), [
      'Contact',
      'Contact',
      'Supported',
      'X-List',
      'x-list',
      'Authorization',
      'Content-Length',
    ]);
    assert.deepEqual([...message.fields()].at(-1), ['Content-Length', '5']);
  });
  test('names', () => {
    assert.equal(canonicalName('call-id'), 'Call-ID');
    assert.equal(canonicalName('X-y'), 'X-y');
    assert.equal(isListHeader('v'), true);
    assert.equal(isListHeader('WWW-Authenticate'), false);
  });
  test('values split outside quotes and brackets only', () => {
    assert.deepEqual(splitValues('"a,\\",b" , <c,"d>,e,'), ['"a,\\",b"', '<c,"d>', 'e', '']);
  });
});

describe('refusals and their answers', () => {
  const text = request().bytes.toString();
  const firstLine = (error: SipParseError) => error.response?.toString().split('\r\n')[0];
  for (const [name, bad, line] of [
    ['no Via', text.replace(/Via.*\r\n/, ''), undefined],
    ['no From', text.replace(/From.*\r\n/, ''), 'SIP/2.0 400 Missing or Bad From'],
    ['no To', text.replace(/To:.*\r\n/, ''), 'SIP/2.0 400 Missing or Bad To'],
    ['no Call-ID', text.replace(/Call-ID.*\r\n/, ''), 'SIP/2.0 400 Missing or Bad Call-ID'],
    ['a Call-ID with a space', text.replace('1@', '1 @'), 'SIP/2.0 400 Missing or Bad Call-ID'],
    ['no CSeq', text.replace(/CSeq.*\r\n/, ''), 'SIP/2.0 400 Missing or Bad CSeq'],
    ['CSeq 2^31', text.replace('1 INVITE', '2147483648 INVITE'), 'SIP/2.0 400 Missing or Bad CSeq'],
    ['Max-Forwards 256', text.replace(': 70', ': 256'), 'SIP/2.0 400 Bad Max-Forwards'],
    ['two From', text.replace('From', 'f: <sip:x@y>;tag=1\r\nFrom'), 'SIP/2.0 400 Repeated Header Field'],
    ['two Max-Forwards', text.replace('Max', 'Max-Forwards: 1\r\nMax'), 'SIP/2.0 400 Repeated Header Field'],
    ['a long URI', text.replace('bob@', `${'b'.repeat(8200)}@`), 'SIP/2.0 414 Request-URI Too Long'],
    [
      'not UTF-8',
      Buffer.from(text.replace('CSeq', 'Subject: \xff\r\nCSeq'), 'latin1'),
      'SIP/2.0 400 Bad Request',
    ],
    [
      'a body that is not all there',
      text.replace('Length: 0', 'Length: 9'),
      'SIP/2.0 400 Body Shorter Than Content-Length',
    ],
  ] as const) {
    test(`${name}: ${line}`, () => assert.equal(firstLine(refused(bad)), line));
  }
  test('an ACK and a response are never answered', () => {
    const ack = text.replace('INVITE sip', 'ACK sip');
    assert.deepEqual(refused(ack), { reason: 'cseq-method', kind: 'request' });
    assert.deepEqual(refused(text.replace(/^.*/, 'SIP/2.0 700 x')), {
      reason: 'status-code',
      kind: 'response',
    });
    assert.deepEqual(refused(text.replace(/^.*/, 'SIP/3.0 200 x')), { reason: 'version', kind: 'response' });
  });
  test('the answer repeats the headers, tags To, and is the same for the same request', () => {
    const bad = text.replace('1 INVITE', '1 BYE').replace('From', 'v: SIP/2.0/TLS b\r\nFrom');
    const first = refused(bad).response!;
    assert.deepEqual(refused(bad).response, first);
    const answer = parse(first);
    assert.equal(answer.vias().length, 2);
    assert.equal(answer.from.tag, 'a');
    assert.match(answer.to.tag ?? '', /^[0-9a-f]{8}$/);
    assert.equal(answer.body.length, 0);
  });
  test('what has no end of headers or is too large', () => {
    assert.equal(refused('OPTIONS sip:a SIP/2.0\r\n').reason, 'no-header-end');
    assert.equal(refused(Buffer.alloc(70_000)).reason, 'message-too-large');
  });
});

describe('building', () => {
  test('a response repeats what it must (RFC 3261 §8.2.6.2)', () => {
    const invite = request([
      ['Via', 'SIP/2.0/TLS b;branch=z9hG4bK2'],
      ['Record-Route', '<sip:edge;lr>'],
      ['Timestamp', '54'],
      ['Subject', 'x'],
    ]);
    const ringing = parse(buildResponse(invite, 180, { toTag: 'x1', headers: [['Contact', '<sip:b@c>']] }));
    assert.ok(ringing instanceof SipResponse);
    assert.deepEqual([ringing.status, ringing.reason], [180, 'Ringing']);
    assert.deepEqual(ringing.vias(), invite.vias());
    assert.equal(ringing.to.tag, 'x1');
    assert.deepEqual(ringing.values('Record-Route'), ['<sip:edge;lr>']);
    assert.equal(ringing.has('Subject') || ringing.has('Timestamp') || ringing.has('Max-Forwards'), false);
    const trying = parse(buildResponse(invite, 100, { toTag: 'x1' }));
    assert.equal(trying.to.tag, undefined);
    assert.equal(trying.header('Timestamp'), '54');
    assert.equal(parse(buildResponse(invite, 404)).has('Record-Route'), false);
  });
  test('a response says where the request came from', () => {
    const answer = parse(buildResponse(request(), 200, { source: { address: '198.51.100.1', port: 9 } }));
    assert.equal(answer.topVia.received, '198.51.100.1');
  });
  test('a To that has a tag keeps it', () => {
    const message = parse(
      request().bytes.toString().replace('bob@example.com>\r', 'bob@example.com>;tag=t\r'),
    );
    assert.ok(message instanceof SipRequest);
    assert.equal(parse(buildResponse(message, 200, { toTag: 'x1' })).to.tag, 't');
  });
  test('ACK (RFC 3261 §17.1.1.3) and CANCEL (§9.1) belong to the transaction of the INVITE', () => {
    const invite = request([
      ['Via', 'SIP/2.0/TLS b;branch=z9hG4bK2'],
      ['Route', '<sip:next;lr>'],
      ['Proxy-Require', 'x'],
    ]);
    const busy = parse(buildResponse(invite, 486, { toTag: 'x1' }));
    assert.ok(busy instanceof SipResponse);
    for (const [bytes, method, tag] of [
      [buildAck(invite, busy), 'ACK', 'x1'],
      [buildCancel(invite), 'CANCEL', undefined],
    ] as const) {
      const message = parse(bytes);
      assert.ok(message instanceof SipRequest);
      assert.deepEqual([message.method, message.uri, message.to.tag], [method, invite.uri, tag]);
      assert.deepEqual(message.cseq, { number: 1, method });
      assert.deepEqual(message.vias(), [invite.topVia]);
      assert.deepEqual(message.values('Route'), ['<sip:next;lr>']);
      assert.equal(message.callId, invite.callId);
      assert.equal(message.has('Proxy-Require'), false);
    }
  });
  test('nothing can be injected', () => {
    const options = { method: 'INVITE', uri: 'sip:a@b', headers: essential };
    for (const bad of [
      { ...options, method: 'A B' },
      { ...options, uri: 'sip:a SIP/2.0\r\nX: y' },
      { ...options, headers: [['X\r\nY', 'z']] as const },
      { ...options, headers: [['X', 'y\r\nZ: 1']] as const },
      { ...options, headers: [['l', '5']] as const },
    ]) {
      assert.throws(() => buildRequest(bad), TypeError);
    }
    assert.throws(() => buildResponse(request(), 200, { reason: 'OK\r\nX: y' }), TypeError);
    assert.throws(() => buildResponse(request(), 200, { toTag: 'a;b' }), TypeError);
    assert.throws(() => buildResponse(request(), 99), RangeError);
  });
  test('what is built parses to what went in', () => {
    const value = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/\p{Cc}/gu, '').trim());
    const name = fc.stringMatching(/^X-[A-Za-z0-9.!%*_+`'~-]{1,8}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), fc.uint8Array(), (headers, body) => {
        const bytes = buildRequest({
          method: 'MESSAGE',
          uri: 'sip:b@c',
          headers: [...essential.slice(0, 5), ['CSeq', '7 MESSAGE'], ...headers],
          body,
        });
        const message = parse(bytes);
        assert.ok(message instanceof SipRequest);
        assert.deepEqual([...message.fields()].slice(6, -1), headers);
        assert.deepEqual(new Uint8Array(message.body), body);
      }),
    );
  });
});

test('CSeq', () => {
  assert.deepEqual(parseCSeq('0009  INVITE'), { ok: true, value: { number: 9, method: 'INVITE' } });
  for (const text of ['', 'INVITE', '1', '1 ', '1INVITE', '-1 INVITE', '1 A B', '2147483648 A']) {
    assert.equal(parseCSeq(text).ok, false, text);
  }
});
