import assert from 'node:assert/strict';
import type { FuzzTarget } from '#tools/fuzz';
import { parseMediaKeyRing } from './key-ring.ts';
import { mediaKeyText, parseMediaKey } from './media-key.ts';
import { formatMrasRequest, mrasLimits, parseMrasRequest } from './mras/request.ts';
import { formatMrasResponse, parseMrasResponse } from './mras/response.ts';
import { RestVerifier, restCredential } from './rest.ts';
import { MediaTokenIssuer, MediaTokenVerifier } from './token.ts';
import { CombinedVerifier } from './verifier.ts';

const wall = 1_800_000_000_000;
const key = parseMediaKey(Buffer.from(mediaKeyText(Buffer.alloc(32, 3))));
assert.ok(key.ok);
const token = new MediaTokenIssuer(key.value).issue('sip:alice@example.test', wall + 60_000);
const rawToken = Buffer.from(token.username, 'base64');
const verifier = new CombinedVerifier([
  new MediaTokenVerifier([{ key: key.value, until: Number.POSITIVE_INFINITY }]),
  new RestVerifier([Buffer.from('a secret of the relay')]),
]);

const request = formatMrasRequest({
  requestId: '1',
  version: '2.0',
  to: 'sip:edge@example.test',
  from: 'sip:alice@example.test',
  route: 'directip',
  credentials: [
    { id: 'a', identity: 'sip:alice@example.test', location: 'internet', duration: 480 },
    { id: 'b', identity: 'sip:bob@example.test' },
  ],
});
const response = formatMrasResponse({
  requestId: '1',
  version: '1.0',
  serverVersion: '2.0',
  reason: 'OK',
  credentials: [
    {
      id: 'a',
      credentials: { username: 'dQ==', password: 'cA==', duration: 480, realm: 'example.test' },
      relays: [
        { location: 'internet', hostName: 'av.example.test', udpPort: 3478 },
        { location: 'intranet', directIpAddress: '192.0.2.1', tcpPort: 443 },
      ],
    },
  ],
});

export const targets: readonly FuzzTarget[] = [
  {
    name: 'mras-request',
    seeds: [request],
    run(input) {
      const parsed = parseMrasRequest(input);
      if (!parsed.ok) return;
      assert.ok(parsed.value.credentials.length >= 1);
      assert.ok(parsed.value.credentials.length <= mrasLimits.credentialsRequests);
      const written = formatMrasRequest(parsed.value);
      // Escaping can make it longer than what may be read; otherwise it must say the same.
      if (written.length <= mrasLimits.bytes) {
        assert.deepEqual(parseMrasRequest(written), parsed);
      }
    },
  },
  {
    name: 'mras-response',
    seeds: [response],
    run(input) {
      const parsed = parseMrasResponse(input);
      if (!parsed.ok) return;
      const written = formatMrasResponse(parsed.value);
      if (written.length <= mrasLimits.bytes) {
        assert.deepEqual(parseMrasResponse(written), parsed);
      }
    },
  },
  {
    name: 'relay-credential',
    seeds: [
      Buffer.from(token.username),
      rawToken,
      Buffer.from(restCredential('a secret of the relay', 'alice', wall + 60_000).username),
      Buffer.from('alice:1800000600'),
    ],
    run(input) {
      const before = Buffer.from(input);
      const found = verifier.lookup(input, 'example.test', wall);
      assert.ok(before.equals(input), 'the username was changed');
      if (!found.ok) return;
      assert.equal(found.value.keys[0]?.length, 16);
      assert.ok(found.value.expires > wall);
      if (!found.value.user.startsWith('token:')) return;
      // A token of the key's holder, unchanged: nothing else may pass.
      assert.ok(before.equals(rawToken) || before.toString('latin1') === token.username);
    },
  },
  {
    name: 'media-key-ring',
    seeds: [
      Buffer.from(mediaKeyText(Buffer.alloc(32, 1))),
      Buffer.from(
        `${mediaKeyText(Buffer.alloc(32, 1))}${mediaKeyText(Buffer.alloc(32, 2)).trim()} from 2026-03-01T12:00:00Z\n`,
      ),
    ],
    run: (input) => {
      const ring = parseMediaKeyRing(input);
      if (!ring.ok) return;
      const next = ring.value.rolled(Buffer.alloc(32, 9), Date.parse('9000-01-01T00:00:00Z'), 0, 480);
      if (next.ok && !parseMediaKeyRing(Buffer.from(next.value)).ok)
        throw new Error('its own roll is not read');
    },
  },
];
