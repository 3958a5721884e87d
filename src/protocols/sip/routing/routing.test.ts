import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SeededRandom } from '#kernel';
import { sipLimits } from '../messages/limits.ts';
import { type SipMessage, SipRequest, SipResponse } from '../messages/message.ts';
import { parseSipMessage } from '../messages/parse.ts';
import type { SipUri } from '../messages/uri.ts';
import { readVectors } from '../testing/vectors.ts';
import { branchCookie, hasLooped, loopPrint, newBranch } from './branch.ts';
import { type ForwardOptions, forwardRequest } from './forward.ts';
import { breadthOfBranch } from './max-breadth.ts';
import { popOwnVia } from './response.ts';
import { nextHop, preprocessRoutes } from './route.ts';
import { validateForProxy } from './validate.ts';

function parse(bytes: Buffer | string): SipMessage {
  const parsed = parseSipMessage(Buffer.from(bytes), sipLimits);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.reason);
  return parsed.value;
}
function request(headers: readonly string[], uri = 'sip:bob@example.com', method = 'INVITE'): SipRequest {
  const lines = [
    `${method} ${uri} SIP/2.0`,
    'Via: SIP/2.0/TLS 192.0.2.4:5061;branch=z9hG4bK1;rport',
    'From: <sip:alice@example.com>;tag=a',
    'To: <sip:bob@example.com>',
    'Call-ID: 1@example.com',
    `CSeq: 1 ${method}`,
    ...headers,
    'Content-Length: 0',
  ];
  const message = parse(`${lines.join('\r\n')}\r\n\r\n`);
  assert.ok(message instanceof SipRequest);
  return message;
}
const isOurs = (uri: SipUri) => uri.host === 'edge.example.com';
function plan(message: SipRequest) {
  const result = preprocessRoutes(message, isOurs);
  assert.ok(result.ok);
  return result.value;
}
const source = { address: '192.0.2.4', port: 50_000 };
function forward(message: SipRequest, more: Partial<ForwardOptions> = {}): SipMessage {
  const via = 'SIP/2.0/TLS edge.example.com;branch=z9hG4bK0';
  return parse(forwardRequest(message, { hop: nextHop(plan(message)), via, source, ...more }).toBytes());
}

describe('RFC 3261 §24.2 as the two proxies do it', () => {
  const examples = new Map(
    readVectors('rfc3261-24.txt').map(({ name, bytes }) => {
      const length = Number(/Content-Length: (\d+)/.exec(bytes.toString())?.[1]);
      return [name, parse(Buffer.concat([bytes, Buffer.alloc(length, 'x')]))];
    }),
  );
  const example = (name: string) => examples.get(`24.2-${name}`)!;
  const facts = (message: SipMessage) => [
    message.kind === 'request' ? `${message.method} ${message.uri}` : message.status,
    // Parameters by what they are, not by the text they were read from.
    message.vias().map((via) => ({ ...via, parameters: [...via.parameters] })),
    ...['Max-Forwards', 'To', 'From', 'Call-ID', 'CSeq', 'Contact', 'Content-Length'].map((name) =>
      message.header(name),
    ),
  ];
  for (const [before, after, uri, via, address] of [
    [
      'F1',
      'F3',
      'sip:bob@biloxi.com',
      'bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1',
      '192.0.2.1',
    ],
    ['F3', 'F5', 'sip:bob@192.0.2.4', 'server10.biloxi.com;branch=z9hG4bK4b43c2ff8.1', '192.0.2.2'],
  ] as const) {
    test(`${before} becomes ${after}`, () => {
      const message = example(before);
      assert.ok(message instanceof SipRequest);
      const forwarded = forwardRequest(message, {
        hop: nextHop({ uri, rest: [] }),
        via: `SIP/2.0/UDP ${via}`,
        source: { address, port: 5060 },
      });
      assert.deepEqual(facts(parse(forwarded.toBytes())), facts(example(after)));
    });
  }
  for (const [before, after, host] of [
    ['F6', 'F7', 'server10.biloxi.com'],
    ['F7', 'F8', 'bigbox3.site3.atlanta.com'],
    ['F9', 'F10', 'server10.biloxi.com'],
    ['F10', 'F11', 'bigbox3.site3.atlanta.com'],
  ] as const) {
    test(`${before} becomes ${after}`, () => {
      const message = example(before);
      assert.ok(message instanceof SipResponse);
      const popped = popOwnVia(message, (via) => via.host === host);
      assert.ok(popped.ok);
      const copy = parse(popped.value.edit.toBytes());
      assert.deepEqual(copy.vias(), example(after).vias());
      assert.deepEqual(facts(copy), facts(example(after)));
    });
  }
});

describe('request validation (RFC 3261 §16.3)', () => {
  const rules = { supported: new Set(['path']), isOurVia: () => false };
  for (const [name, message, status] of [
    ['a tel URI', request([], 'tel:+1234'), 416],
    ['a URI with headers', request([], 'sip:b@c?Route=x'), 400],
    ['a bad host', request([], 'sip:b@'), 400],
    ['Max-Forwards 0', request(['Max-Forwards: 0']), 483],
    ['an option that is not supported', request(['Proxy-Require: path, x', 'Proxy-Require: y']), 420],
  ] as const) {
    test(`${name}: ${status}`, () => {
      const verdict = validateForProxy(message, rules);
      assert.equal(verdict.ok, false);
      assert.equal(!verdict.ok && verdict.error.status, status);
      if (status === 420) assert.deepEqual(!verdict.ok && verdict.error.headers, [['Unsupported', 'x, y']]);
    });
  }
  test('a supported option in any case', () => {
    assert.equal(validateForProxy(request(['Proxy-Require: PATH']), rules).ok, true);
  });
});

describe('loops (RFC 5393 §4.2)', () => {
  const isOurVia = (via: { readonly host: string }) => via.host === 'edge.example.com';
  const sent = (message: SipRequest, print: string) => {
    const branch = newBranch(new SeededRandom(1), print);
    const copy = forward(message, { via: `SIP/2.0/TLS edge.example.com;branch=${branch}` });
    assert.ok(copy instanceof SipRequest);
    return copy;
  };
  test('the same request again is a loop: 482', () => {
    const first = request(['Max-Forwards: 70']);
    const back = sent(first, loopPrint(first));
    assert.equal(hasLooped(back, isOurVia), true);
    const verdict = validateForProxy(back, { supported: new Set(), isOurVia });
    assert.equal(!verdict.ok && verdict.error.status, 482);
  });
  test('with another target it is a spiral', () => {
    const first = request([]);
    const via = `SIP/2.0/TLS edge.example.com;branch=${newBranch(new SeededRandom(1), loopPrint(first))}`;
    const back = forward(first, { via, hop: { uri: 'sip:carol@example.com', routes: [], target: '' } });
    assert.ok(back instanceof SipRequest);
    assert.equal(hasLooped(back, isOurVia), false);
  });
  test('branches carry the cookie and do not repeat', () => {
    const random = new SeededRandom(1);
    const branches = new Set(Array.from({ length: 100 }, () => newBranch(random)));
    assert.equal(branches.size, 100);
    for (const branch of branches) assert.ok(branch.startsWith(branchCookie));
  });
});

describe('route preprocessing (RFC 3261 §16.4)', () => {
  test('Route values that are ours go, the rest stays as it was written', () => {
    const message = request([
      'Route: <sip:in@edge.example.com;lr>, <sip:out@edge.example.com;lr>,  <sip:next.example.net;lr;x=1>',
    ]);
    const { own, rest, uri, strict } = plan(message);
    assert.deepEqual(
      own.map((route) => route.user),
      ['in', 'out'],
    );
    assert.deepEqual(
      rest.map((route) => route.uri),
      ['sip:next.example.net;lr;x=1'],
    );
    assert.equal(uri, 'sip:bob@example.com');
    assert.equal(strict, false);
    assert.deepEqual(forward(message).values('Route'), ['<sip:next.example.net;lr;x=1>']);
    assert.equal(nextHop(plan(message)).target, 'sip:next.example.net;lr;x=1');
  });
  test('a strict router put us into the Request-URI: the target comes back from the end of Route', () => {
    const message = request(
      ['Route: <sip:other.example.net;lr>', 'Route: <sip:bob@192.0.2.9>'],
      'sip:token@edge.example.com;lr',
    );
    const { own, rest, uri, strict } = plan(message);
    assert.equal(strict, true);
    assert.equal(uri, 'sip:bob@192.0.2.9');
    assert.deepEqual(
      own.map((route) => route.user),
      ['token'],
    );
    assert.deepEqual(
      rest.map((route) => route.uri),
      ['sip:other.example.net;lr'],
    );
    const copy = forward(message);
    assert.equal(copy.kind === 'request' && copy.uri, 'sip:bob@192.0.2.9');
    assert.deepEqual(copy.values('Route'), ['<sip:other.example.net;lr>']);
  });
  test('the next hop is a strict router: it gets itself as Request-URI', () => {
    const message = request(['Route: <sip:strict.example.net>, <sip:last.example.net;lr>']);
    const hop = nextHop(plan(message));
    assert.equal(hop.target, 'sip:strict.example.net');
    const copy = forward(message);
    assert.equal(copy.kind === 'request' && copy.uri, 'sip:strict.example.net');
    assert.deepEqual(copy.values('Route'), ['<sip:last.example.net;lr>', '<sip:bob@example.com>']);
  });
  test('maddr that names us is taken off, another one stays', () => {
    const ours = plan(request([], 'sip:bob@example.com:5070;maddr=edge.example.com;transport=tcp;x'));
    assert.equal(ours.uri, 'sip:bob@example.com;x');
    const theirs = plan(request([], 'sip:bob@example.com;maddr=192.0.2.1'));
    assert.equal(theirs.uri, 'sip:bob@example.com;maddr=192.0.2.1');
  });
  test('a Route that cannot be read is refused', () => {
    for (const route of ['x', 'sip:edge.example.com;lr', '<sip:a;lr>,,']) {
      const refused = preprocessRoutes(request([`Route: ${route}`]), isOurs);
      assert.equal(!refused.ok && refused.error.status, 400, route);
    }
  });
});

describe('forwarding (RFC 3261 §16.6)', () => {
  test('our Via on top, received and rport on the one below, one hop less', () => {
    const copy = forward(request(['Max-Forwards: 10']));
    assert.deepEqual(
      copy.vias().map(({ host, received, rport }) => [host, received, rport]),
      [
        ['edge.example.com', undefined, undefined],
        ['192.0.2.4', '192.0.2.4', 50_000],
      ],
    );
    assert.equal(copy.header('Max-Forwards'), '9');
  });
  test('a request without Max-Forwards gets one', () => {
    assert.equal(forward(request([])).header('Max-Forwards'), '70');
  });
  test('double Record-Route and Path: the last one stands on top', () => {
    const copy = forward(request(['Record-Route: <sip:old;lr>', 'Path: <sip:old;lr>']), {
      recordRoutes: ['<sip:in;lr>', '<sip:out;lr>'],
      paths: ['<sip:edge.example.com;lr;ob>'],
    });
    assert.deepEqual(copy.values('Record-Route'), ['<sip:out;lr>', '<sip:in;lr>', '<sip:old;lr>']);
    assert.deepEqual(copy.values('Path'), ['<sip:edge.example.com;lr;ob>', '<sip:old;lr>']);
  });
});

describe('responses on their way back (RFC 3261 §16.7)', () => {
  const response = (...vias: readonly string[]) => {
    const lines = [
      'SIP/2.0 200 OK',
      ...vias,
      'From: <sip:a@b>;tag=1',
      'To: <sip:b@c>;tag=2',
      'Call-ID: 1',
      'CSeq: 1 BYE',
    ];
    const message = parse(`${lines.join('\r\n')}\r\n\r\n`);
    assert.ok(message instanceof SipResponse);
    return message;
  };
  const isOurVia = (via: { readonly host: string }) => via.host === 'edge';
  test('not ours', () => {
    const refused = popOwnVia(response('Via: SIP/2.0/TLS other', 'Via: SIP/2.0/TLS edge'), isOurVia);
    assert.equal(!refused.ok && refused.error, 'not-ours');
  });
  test('no Via below ours', () => {
    const refused = popOwnVia(response('Via: SIP/2.0/TLS edge'), isOurVia);
    assert.equal(!refused.ok && refused.error, 'no-next-via');
  });
  test('both in one line', () => {
    const popped = popOwnVia(response('Via: SIP/2.0/TLS edge;branch=z9hG4bK1, SIP/2.0/TCP a:5070'), isOurVia);
    assert.ok(popped.ok);
    assert.equal(popped.value.next.port, 5070);
    assert.deepEqual(parse(popped.value.edit.toBytes()).values('Via'), ['SIP/2.0/TCP a:5070']);
  });
});

describe('RFC 5393 §5: how wide a request may become', () => {
  test('[S13] it starts with 60, keeps what it has, and nothing raises it', () => {
    const written = (headers: readonly string[], more: Partial<ForwardOptions> = {}) =>
      forward(request(headers), more).values('Max-Breadth');
    assert.deepEqual(written([]), ['60']);
    assert.deepEqual(written(['Max-Breadth: 7']), ['7']);
    assert.deepEqual(written(['Max-Breadth: 4000']), ['60']);
    assert.deepEqual(written(['Max-Breadth: many']), ['60']);
    assert.deepEqual(written(['Max-Breadth: 7'], { breadth: 2 }), ['2']);
  });

  test('branches share it, and each needs one', () => {
    assert.equal(breadthOfBranch(60, 1), 60);
    assert.equal(breadthOfBranch(60, 7), 8);
    assert.equal(breadthOfBranch(3, 3), 1);
    assert.equal(breadthOfBranch(2, 3), undefined);
    assert.equal(breadthOfBranch(0, 1), undefined);
  });
});
