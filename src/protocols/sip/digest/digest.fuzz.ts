import assert from 'node:assert/strict';
import type { FuzzTarget } from '#tools/fuzz';
import { formatChallenge, parseChallenge } from './challenge.ts';
import { formatCredentials, parseCredentials } from './credentials.ts';

function challenge(input: Uint8Array): void {
  const parsed = parseChallenge(Buffer.from(input).toString('latin1'));
  if (parsed.ok) assert.deepEqual(parseChallenge(formatChallenge(parsed.value)), parsed);
}

function credentials(input: Uint8Array): void {
  const parsed = parseCredentials(Buffer.from(input).toString('latin1'));
  if (parsed.ok) assert.deepEqual(parseCredentials(formatCredentials(parsed.value)), parsed);
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'sip-digest-challenge',
    seeds: [
      Buffer.from(
        'Digest realm="atlanta.com", qop="auth,auth-int", nonce="84a4", opaque="", stale=FALSE, algorithm=MD5',
      ),
      Buffer.from('digest nonce=abc/+=,realm="a \\"b\\"",algorithm=SHA-512-256-sess,,stale=true'),
    ],
    run: challenge,
  },
  {
    name: 'sip-digest-credentials',
    seeds: [
      Buffer.from(
        'Digest username="bob", realm="biloxi.com", nonce="dcd9", uri="sip:bob@biloxi.com", qop=auth, ' +
          'nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc"',
      ),
      Buffer.from('Digest username="a",realm="b",nonce="c",uri="sip:d",response="e",algorithm=SHA-256'),
    ],
    run: credentials,
  },
];
