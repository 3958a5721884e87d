import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatMrasResponse, type MediaRelay, type MrasResponse, parseMrasResponse } from './response.ts';
import { mrasReasons } from './vocabulary.ts';

const text = fc.stringMatching(/^[!-~]{1,40}$/);
const port = fc.integer({ min: 1, max: 65_535 });
const relay: fc.Arbitrary<MediaRelay> = fc.oneof(
  fc.record(
    { location: fc.constantFrom('internet', 'intranet'), hostName: text, udpPort: port, tcpPort: port },
    { requiredKeys: ['location', 'hostName'] },
  ),
  fc.record(
    { location: fc.constantFrom('internet', 'intranet'), directIpAddress: fc.ipV6(), udpPort: port },
    { requiredKeys: ['location', 'directIpAddress'] },
  ),
);
const responses: fc.Arbitrary<MrasResponse> = fc.record(
  {
    requestId: text,
    version: fc.constantFrom('1.0', '2.0'),
    serverVersion: fc.constant('2.0'),
    to: text,
    from: text,
    reason: fc.constantFrom(...mrasReasons),
    credentials: fc.array(
      fc.record({
        id: text,
        credentials: fc.record(
          { username: text, password: text, duration: fc.integer({ min: 1, max: 259_200 }), realm: text },
          { requiredKeys: ['username', 'password', 'duration'] },
        ),
        relays: fc.array(relay, { minLength: 1, maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ['serverVersion', 'reason', 'credentials'] },
);

test('property: what our server writes, our client reads', () => {
  fc.assert(
    fc.property(responses, (value) => {
      const parsed = parseMrasResponse(formatMrasResponse(value));
      assert.ok(parsed.ok);
      assert.deepEqual(parsed.value, structuredClone(value));
    }),
  );
});

test('what breaks the schema is malformed', () => {
  const good = formatMrasResponse({
    serverVersion: '2.0',
    reason: 'OK',
    credentials: [
      {
        id: 'c',
        credentials: { username: 'u', password: 'p', duration: 480 },
        relays: [{ location: 'internet', hostName: 'av.example.test', udpPort: 3478 }],
      },
    ],
  }).toString();
  assert.ok(parseMrasResponse(Buffer.from(good)).ok);
  const bad = [
    '',
    good.replace('reasonPhrase="OK"', ''),
    good.replace('"OK"', '"Fine"'),
    good.replace('serverVersion="2.0"', ''),
    good.replace('mrasp', 'other'),
    good.replace('credentialsRequestID="c"', ''),
    good.replace('<username>u</username>', ''),
    good.replace('<password>p</password>', ''),
    good.replace('480', 'soon'),
    good.replace('480', ''),
    good.replace('>internet<', '>perimeter<'),
    good.replace('3478', '65536'),
    good.replace('3478', '0'),
    good.replace('<hostName>av.example.test</hostName>', ''),
    good.replace('</hostName>', '</hostName><directIPAddress>192.0.2.1</directIPAddress>'),
    good.replace(/<mediaRelay>.*<\/mediaRelay>/, ''),
  ];
  for (const xml of bad) {
    assert.deepEqual(parseMrasResponse(Buffer.from(xml)), { ok: false, error: 'malformed' }, xml);
  }
  const large = Buffer.alloc(70_000, 0x20);
  assert.deepEqual(parseMrasResponse(large), { ok: false, error: 'too-large' });
});
