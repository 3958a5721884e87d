import { isDeepStrictEqual } from 'node:util';
import type { FuzzTarget } from '#tools/fuzz';
import { decodeFlowToken, encodeFlowToken } from './flow-token.ts';
import {
  conferencePublicKey,
  conferenceSigningKey,
  nodeOfConferenceToken,
  openConferenceToken,
  sealConferenceToken,
} from './index.ts';
import { openToken, sealToken, type TokenKeys, tokenKey } from './token.ts';

const keys: TokenKeys = {
  current: tokenKey(Buffer.alloc(32, 1)),
  others: [tokenKey(Buffer.alloc(32, 2))],
};
const signing = conferenceSigningKey(Buffer.alloc(32, 3));
const publicKeys = [conferencePublicKey(signing.publicBytes)!];
const conferenceSeed = sealConferenceToken(signing, {
  purpose: 'join',
  node: 'wc1.corp.example',
  conference: 'abcdefghijklmno2',
  participant: 1,
  role: 'attendee',
  serial: '00'.repeat(16),
  expires: 2 ** 47,
});
const flowSeed = encodeFlowToken(keys, { node: 1, worker: 2, connection: 3, nonce: 4 });

/** Whatever is accepted must be exactly what we would have sealed. */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'tokens/open',
    seeds: [Buffer.from(sealToken(keys, 'fuzz', Buffer.from('seed'))), Buffer.from('AAAA')],
    run(input) {
      const token = Buffer.from(input).toString('latin1');
      const opened = openToken(keys, 'fuzz', token);
      if (!opened.ok) return;
      const again = [keys.current, ...(keys.others ?? [])].map((current) =>
        sealToken({ current }, 'fuzz', opened.value),
      );
      if (!again.includes(token)) throw new Error('accepted a token that was never sealed');
    },
  },
  {
    name: 'tokens/flow-payload',
    seeds: [Buffer.from(flowSeed, 'base64url').subarray(17)],
    run(input) {
      if (input.length > 1024) return;
      const token = sealToken(keys, 'flow', input);
      const decoded = decodeFlowToken(keys, token);
      if (decoded.ok && encodeFlowToken(keys, decoded.value) !== token)
        throw new Error('a decoded flow encodes differently');
    },
  },
  {
    name: 'tokens/conference',
    seeds: [Buffer.from(conferenceSeed)],
    run(input) {
      const token = Buffer.from(input).toString('latin1');
      const node = nodeOfConferenceToken(token);
      const opened = openConferenceToken(publicKeys, 'join', token, 0);
      if (!opened.ok) return;
      if (node !== opened.value.node) throw new Error('names another node than it was opened with');
      if (!isDeepStrictEqual(sealConferenceToken(signing, opened.value), token))
        throw new Error('accepted a token that was never sealed');
    },
  },
];
