import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatMrasRequest, type MrasRequest, mrasLimits, parseMrasRequest } from './request.ts';

const NS = 'http://schemas.microsoft.com/2006/09/sip/mrasp';
const HEAD = 'requestID="1" from="sip:alice@example.test" version="1.0" to="sip:edge@example.test;gruu"';
const ONE =
  '<credentialsRequest credentialsRequestID="c"><identity>sip:alice@example.test</identity></credentialsRequest>';

function parse(xml: string) {
  return parseMrasRequest(Buffer.from(xml));
}
function request(inside: string, head = HEAD): string {
  return `<request ${head} xmlns="${NS}">${inside}</request>`;
}
function reasonOf(xml: string): string {
  const parsed = parse(xml);
  return parsed.ok ? 'OK' : parsed.error.reason;
}

test('the request of a deployed client', () => {
  const xml =
    '<request requestID="1619019019" from="sip:alice@example.test" version="1.0" ' +
    'to="sip:edge.example.test@example.test;gruu;opaque=srvr:MRAS:abc123" ' +
    `xmlns="${NS}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
    '<credentialsRequest credentialsRequestID="1619019019"><identity>sip:alice@example.test</identity>' +
    '<location>internet</location><duration>480</duration></credentialsRequest></request>';
  assert.deepEqual(parse(xml), {
    ok: true,
    value: {
      requestId: '1619019019',
      version: '1.0',
      to: 'sip:edge.example.test@example.test;gruu;opaque=srvr:MRAS:abc123',
      from: 'sip:alice@example.test',
      route: 'loadbalanced',
      credentials: [
        { id: '1619019019', identity: 'sip:alice@example.test', location: 'internet', duration: 480 },
      ],
    },
  });
});

test('what is optional may be absent, prefixed, declared, or in CDATA', () => {
  assert.equal(reasonOf(request(ONE)), 'OK');
  assert.equal(reasonOf(`\ufeff<?xml version="1.0" encoding="UTF-8"?>\r\n${request(ONE)}\n`), 'OK');
  const prefixed = request(ONE)
    .replaceAll('<', '<m:')
    .replaceAll('<m:/', '</m:')
    .replace('xmlns=', 'xmlns:m=');
  assert.equal(reasonOf(prefixed), 'OK');
  assert.equal(reasonOf(request(ONE.replace('sip:alice@example.test', '<![CDATA[a&b]]>'))), 'OK');
  assert.equal(reasonOf(request(`<x:note xmlns:x="urn:x">hello</x:note>${ONE}`)), 'OK');
});

test('Request Malformed: the XML', () => {
  const bad = [
    'nonsense',
    '<request',
    request(ONE).slice(0, -1),
    `${request(ONE)}<more/>`,
    `<!DOCTYPE request>${request(ONE)}`,
    `<!DOCTYPE r [<!ENTITY a "b">]>${request(ONE.replace('sip:alice@example.test', '&a;'))}`,
    `<!-- hello -->${request(ONE)}`,
    `<?php echo ?>${request(ONE)}`,
    request(`${ONE}<!-- hello -->`),
    request(ONE.replace('sip:alice@example.test', '&unknown;')),
    request(ONE.replace('sip:alice@example.test', '\u0001')),
    request(ONE.replace('sip:alice@example.test', '&#1;')),
    `<?xml version="1.0" encoding="UTF-16"?>${request(ONE)}`,
    `<?xml version="1.1"?>${request(ONE)}`,
    `<?xml version="1.1"?>${request(ONE, HEAD.replace('requestID="1"', 'requestID="&#1;"'))}`,
    request(ONE, `${HEAD} requestID="2"`),
    request(ONE.replace('</identity>', '</Identity>')),
    request(`<a:b>${ONE}</a:b>`),
    request(`<a><b><c><d><e/></d></c></b></a>${ONE}`),
  ];
  for (const xml of bad) assert.equal(reasonOf(xml), 'Request Malformed', xml);
  const latin1 = Buffer.from(request(ONE.replace('sip:alice', 'sip:\u00e9')), 'latin1');
  const parsed = parseMrasRequest(latin1);
  assert.ok(!parsed.ok && parsed.error.reason === 'Request Malformed');
});

test('Request Malformed: the content', () => {
  const bad = [
    request(''),
    request(ONE).replaceAll(NS, 'urn:other'),
    request(ONE).replaceAll('request', 'demand'),
    request(ONE, HEAD.replace('requestID="1"', '')),
    request(ONE, HEAD.replace('requestID="1"', 'requestID=""')),
    request(ONE, HEAD.replace('requestID="1"', `requestID="${'x'.repeat(65)}"`)),
    request(ONE, HEAD.replace('version="1.0"', '')),
    request(ONE, HEAD.replace('sip:edge@example.test;gruu', 'mailto:edge@example.test')),
    request(ONE, HEAD.replace('sip:alice@example.test', '')),
    request(ONE, `${HEAD} route="scenic"`),
    request(ONE.replace('credentialsRequestID="c"', '')),
    request(ONE.replace('"c"', `"${'c'.repeat(65)}"`)),
    request(ONE.replace('<identity>sip:alice@example.test</identity>', '')),
    request(ONE.replace('sip:alice@example.test', '')),
    request(ONE.replace('</identity>', '</identity><identity>x</identity>')),
    request(ONE.replace('</identity>', '</identity><location>perimeter</location>')),
    request(ONE.replace('</identity>', '</identity><duration>0</duration>')),
    request(ONE.replace('</identity>', '</identity><duration>-5</duration>')),
    request(ONE.replace('</identity>', '</identity><duration>1.5</duration>')),
    request(ONE.replace('</identity>', '</identity><duration/>')),
    request(ONE.replace('</identity>', '</identity><colour>red</colour>')),
    request(ONE.replace('sip:alice@example.test', '<deep/>')),
    request('<other/>'),
  ];
  for (const xml of bad) assert.equal(reasonOf(xml), 'Request Malformed', xml);
});

test('Version Mismatch, with what can be echoed', () => {
  for (const version of ['3.0', '1.1', '0.9', 'one', '1', '10.0']) {
    const parsed = parse(request(ONE, HEAD.replace('1.0', version)));
    assert.ok(!parsed.ok && parsed.error.reason === 'Version Mismatch', version);
    assert.deepEqual(parsed.error.echo, {
      requestId: '1',
      version,
      to: 'sip:edge@example.test;gruu',
      from: 'sip:alice@example.test',
    });
  }
  assert.equal(reasonOf(request(ONE, HEAD.replace('1.0', '2.0'))), 'OK');
});

test('Request Too Large: 101 requests, too many bytes, attributes or elements', () => {
  assert.equal(reasonOf(request(ONE.repeat(100))), 'OK');
  assert.equal(reasonOf(request(ONE.repeat(101))), 'Request Too Large');
  const identity = ONE.replace('sip:alice@example.test', 'x'.repeat(65_000));
  assert.equal(reasonOf(request(identity)), 'OK');
  assert.equal(reasonOf(request(identity.replace('x', 'x'.repeat(1_000)))), 'Request Too Large');
  const attributes = Array.from({ length: 20 }, (_, n) => `a${n}="1"`).join(' ');
  assert.equal(reasonOf(request(ONE, `${HEAD} ${attributes}`)), 'Request Too Large');
  assert.equal(reasonOf(request(`${'<x/>'.repeat(mrasLimits.elements)}${ONE}`)), 'Request Too Large');
});

test('durations beyond any use are still durations', () => {
  const parsed = parse(
    request(ONE.replace('</identity>', `</identity><duration> +${'9'.repeat(400)} </duration>`)),
  );
  assert.ok(parsed.ok);
  assert.ok((parsed.value.credentials[0]?.duration ?? 0) > 180 * 24 * 60);
});

const text = (maxLength: number) =>
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((value) => value.length <= maxLength);
const uri = fc.stringMatching(/^sips?:[a-z0-9.]{1,20}@[a-z]{1,10}$/);
const requests: fc.Arbitrary<MrasRequest> = fc.record({
  requestId: text(64),
  version: fc.constantFrom('1.0', '2.0'),
  to: uri,
  from: uri,
  route: fc.constantFrom('loadbalanced', 'directip'),
  credentials: fc.array(
    fc.record(
      {
        id: text(64),
        identity: text(200),
        location: fc.constantFrom('internet', 'intranet'),
        duration: fc.integer({ min: 1, max: 300_000 }),
      },
      { requiredKeys: ['id', 'identity'] },
    ),
    { minLength: 1, maxLength: 5 },
  ),
});

test('property: what our client writes, our server reads', () => {
  fc.assert(
    fc.property(requests, (value) => {
      const parsed = parseMrasRequest(formatMrasRequest(value));
      assert.ok(parsed.ok, JSON.stringify(parsed));
      assert.deepEqual(parsed.value, structuredClone(value));
    }),
  );
});

test('property: no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.ok(!parseMrasRequest(bytes).ok);
    }),
  );
});
