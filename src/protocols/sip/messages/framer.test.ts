import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readVectors } from '../testing/vectors.ts';
import { type FramerEvent, type KeepAliveSide, SipStreamFramer } from './framer.ts';
import { sipLimits } from './limits.ts';
import { parseSipMessage } from './parse.ts';

const options = (body = '', length: number | string = body.length) =>
  [
    'OPTIONS sip:bob@example.com SIP/2.0',
    'Via: SIP/2.0/TLS 192.0.2.4:5061;branch=z9hG4bK1',
    'Max-Forwards: 70',
    'From: <sip:alice@example.com>;tag=a',
    'To: <sip:bob@example.com>',
    'Call-ID: 1@example.com',
    'CSeq: 1 OPTIONS',
    `Content-Length: ${length}`,
    '',
    body,
  ].join('\r\n');
const bad = (text: string) => text.replace('CSeq: 1 OPTIONS', 'CSeq: 1 BYE');

/** Comparable form; keep-alives that follow one another count once, since how many depends on the chunks. */
function summary(events: readonly FramerEvent[]): string[] {
  const lines = events.map((event) => {
    if (event.type === 'message') return `message ${event.message.bytes.toString('latin1')}`;
    if (event.type === 'bad-request') return `bad-request ${event.reason} ${event.status} ${event.fatal}`;
    if (event.type === 'bad-response') return `bad-response ${event.reason} ${event.fatal}`;
    return event.type === 'close' ? `close ${event.reason}` : event.type;
  });
  return lines.filter((line, i) => (line !== 'ping' && line !== 'pong') || line !== lines[i - 1]);
}
function frame(
  chunks: readonly (string | Buffer)[],
  side: KeepAliveSide = 'answers',
  limits = sipLimits,
): string[] {
  const framer = new SipStreamFramer(limits, side);
  return summary(chunks.flatMap((chunk) => framer.push(Buffer.from(chunk), 0)));
}

describe('framing by Content-Length (RFC 3261 §18.3)', () => {
  test('messages in one chunk', () => {
    const [first, second] = [options('hello'), options()];
    assert.deepEqual(frame([first + second]), [`message ${first}`, `message ${second}`]);
  });
  test('a whole message in one chunk is not copied', () => {
    const chunk = Buffer.from(options('hello'));
    const [event] = new SipStreamFramer(sipLimits).push(chunk, 0);
    assert.ok(event?.type === 'message');
    assert.equal(event.message.bytes.buffer, chunk.buffer);
    assert.equal(event.message.body.toString(), 'hello');
  });
  test('octet by octet', () => {
    const text = options('hello') + options();
    assert.deepEqual(frame([...text]), frame([text]));
  });
  test('line ends before a message are ignored', () => {
    assert.deepEqual(frame([`\r\n${options()}`]), [`message ${options()}`]);
  });
  test('without Content-Length the stream is lost', () => {
    const text = options().replace(/Content-Length: 0\r\n/, '');
    assert.deepEqual(frame([text + options()]), ['bad-request content-length-missing 400 true']);
  });
  for (const length of ['x', '-1', '5\r\nContent-Length: 5', '', '99999999999', '+1']) {
    test(`Content-Length ${JSON.stringify(length)} loses the stream`, () => {
      assert.deepEqual(frame([options('hello', length) + options()]), [
        'bad-request content-length 400 true',
      ]);
    });
  }
  test('after a bad message whose end is known the stream goes on', () => {
    assert.deepEqual(frame([bad(options('hello')) + options()]), [
      'bad-request cseq-method 400 false',
      `message ${options()}`,
    ]);
  });
  test('a bad response is dropped without an answer', () => {
    const response = options().replace(/^.*\r\n/, 'SIP/2.0 999 What\r\n');
    assert.deepEqual(frame([response + options()]), [
      'bad-response status-code false',
      `message ${options()}`,
    ]);
  });
});

describe('CRLF keep-alive (RFC 5626 §4.4.1)', () => {
  test('two CRLF are a ping for the side that answers', () => {
    assert.deepEqual(frame(['\r\n\r\n']), ['ping']);
    assert.deepEqual(frame(['\r', '\n', '\r', '\n']), ['ping']);
    assert.deepEqual(frame(['\r\n']), []);
  });
  test('one CRLF is a pong for the side that asks', () => {
    assert.deepEqual(frame(['\r\n'], 'asks'), ['pong']);
  });
  test('between messages', () => {
    assert.deepEqual(frame([`${options()}\r\n\r\n${options()}`]), [
      `message ${options()}`,
      'ping',
      `message ${options()}`,
    ]);
  });
  test('a flood in one chunk is answered once', () => {
    const framer = new SipStreamFramer(sipLimits);
    assert.equal(framer.push(Buffer.from('\r\n'.repeat(10_000)), 0).length, 1);
  });
});

describe('what is not SIP', () => {
  for (const [name, text, reason] of [
    ['HTTP', 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n', 'not-sip'],
    ['HTTP without an end', 'GET / HTTP/1.1\r\n', 'not-sip'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01', 'not-sip'],
    ['a bare CR', '\rOPTIONS', 'line-break'],
    ['a line without end', 'A'.repeat(9000), 'start-line-too-long'],
    ['lines that end with LF', options().replace('\r\nMax', '\nMax'), 'line-break'],
    ['NUL in a header', options().replace('Max', 'M\0x'), 'header-line'],
    ['NUL in a value', options().replace('70', '7\x000'), 'control-character'],
    ['a folded start line', options().replace('SIP/2.0\r\n', 'SIP/2.0\r\n folded\r\n'), 'header-line'],
    ['no end of the head', `${options().slice(0, -2)}${'X: y\r\n'.repeat(11_000)}`, 'message-too-large'],
  ] as const) {
    test(`${name}: ${reason}`, () => {
      assert.deepEqual(frame([text]), [`close ${reason}`]);
      assert.deepEqual(frame([...text]), [`close ${reason}`]);
    });
  }
  test('nothing is kept of a stream that is lost', () => {
    const framer = new SipStreamFramer(sipLimits);
    framer.push(Buffer.from('A'.repeat(9000)), 0);
    assert.equal(framer.closed, true);
    assert.equal(framer.heldBytes, 0);
    assert.deepEqual(framer.push(Buffer.from(options()), 0), []);
  });
});

describe('limits', () => {
  test('a body beyond the message limit is refused before it is read', () => {
    const limits = { ...sipLimits, messageBytes: 400 };
    assert.deepEqual(frame([options('', 400)], 'answers', limits), [
      'bad-request message-too-large 513 true',
    ]);
  });
  test('a body beyond the message limit is stepped over where that was asked for', () => {
    const limits = { ...sipLimits, messageBytes: 400 };
    const events = new SipStreamFramer(limits, 'answers', 1000).push(
      Buffer.from(`${options('', 400)}${'x'.repeat(400)}${options()}`),
      0,
    );
    assert.deepEqual(
      events.map((event) => (event.type === 'bad-request' ? event.fatal : event.type)),
      [false, 'message'],
    );
  });
  test('a header line beyond its limit', () => {
    const text = options().replace('Max-Forwards', `Subject: ${'a'.repeat(9000)}\r\nMax-Forwards`);
    assert.deepEqual(frame([text + options()]), [
      'bad-request header-too-long 513 false',
      `message ${options()}`,
    ]);
  });
  test('a line as long as it may be, and one octet longer, its end included', () => {
    const limits = { ...sipLimits, headerLineBytes: 100 };
    const startLine = (octets: number) =>
      options().replace('sip:', `sip:${'u'.repeat(octets - options().indexOf('\n') - 1)}`);
    const subject = (octets: number) =>
      options().replace('Max-Forwards', `Subject: ${'a'.repeat(octets - 11)}\r\nMax-Forwards`);
    assert.equal(startLine(100).indexOf('\n') + 1, 100);
    for (const text of [startLine(100), subject(100)]) {
      assert.deepEqual(frame([text], 'answers', limits), [`message ${text}`]);
      assert.deepEqual(frame([...text], 'answers', limits), [`message ${text}`]);
    }
    for (const chunks of [[startLine(101)], [...startLine(101)]])
      assert.deepEqual(frame(chunks, 'answers', limits), ['close start-line-too-long']);
    assert.deepEqual(frame([subject(101)], 'answers', limits), ['bad-request header-too-long 513 false']);
    const datagram = (octets: number) => parseSipMessage(Buffer.from(startLine(octets)), limits);
    assert.ok(datagram(100).ok);
    const refused = datagram(101);
    assert.equal(!refused.ok && refused.error.status, 414);
  });
  test('too many headers', () => {
    const text = options().replace('Max-Forwards', `${'X: y\r\n'.repeat(200)}Max-Forwards`);
    assert.deepEqual(frame([text + options()]), [
      'bad-request too-many-headers 513 false',
      `message ${options()}`,
    ]);
  });
  test('memory for a message that arrives slowly stays near its size', () => {
    const framer = new SipStreamFramer(sipLimits);
    for (const octet of options().slice(0, 300)) framer.push(Buffer.from(octet), 0);
    assert.ok(framer.heldBytes <= 1024);
  });
});

describe('the time for one message', () => {
  test('counts from its first octet', () => {
    const framer = new SipStreamFramer(sipLimits);
    assert.equal(framer.deadline, undefined);
    framer.push(Buffer.from('OPT'), 1000);
    assert.equal(framer.deadline, 31_000);
    framer.push(Buffer.from('IONS'), 20_000);
    assert.equal(framer.deadline, 31_000);
    assert.deepEqual(framer.checkDeadline(30_999), []);
    assert.deepEqual(framer.checkDeadline(31_000), [{ type: 'close', reason: 'message-timeout' }]);
    assert.deepEqual(framer.checkDeadline(31_001), []);
  });
  test('goes on in the body, also in one that is stepped over', () => {
    for (const text of [options('hello'), bad(options('hello'))]) {
      const framer = new SipStreamFramer(sipLimits);
      framer.push(Buffer.from(text.slice(0, -2)), 0);
      assert.equal(framer.deadline, 30_000);
      assert.deepEqual(framer.push(Buffer.from('lo'), 30_000), [
        { type: 'close', reason: 'message-timeout' },
      ]);
    }
  });
  test('ends with the message', () => {
    const framer = new SipStreamFramer(sipLimits);
    framer.push(Buffer.from(options('hello')), 0);
    assert.equal(framer.deadline, undefined);
  });
});

describe('how a stream is cut into chunks changes nothing', () => {
  const torture = readVectors('rfc4475.txt').map(({ bytes }) => bytes.toString('latin1'));
  const part = fc.oneof(
    fc.constantFrom(
      '\r\n\r\n',
      '\r\n',
      '\r',
      'GET / HTTP/1.1\r\n\r\n',
      options('hello'),
      bad(options('hello')),
    ),
    fc.constantFrom(...torture),
    fc.string({ maxLength: 20 }),
  );
  const cuts = fc.array(fc.nat({ max: 4000 }), { maxLength: 30 });
  test('events', () => {
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 5 }),
        cuts,
        fc.constantFrom('answers', 'asks'),
        (parts, at, side) => {
          const stream = Buffer.from(parts.join(''), 'latin1');
          const points = [
            0,
            ...at.filter((point) => point < stream.length).sort((a, b) => a - b),
            stream.length,
          ];
          const chunks = points.slice(1).map((end, i) => stream.subarray(points[i], end));
          assert.deepEqual(frame(chunks, side), frame([stream], side));
        },
      ),
      { numRuns: 500 },
    );
  });
});
