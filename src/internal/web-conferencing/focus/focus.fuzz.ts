import assert from 'node:assert/strict';
import { SeededRandom } from '#kernel';
import { parseSipMessage, SipRequest, sipLimits } from '#protocols/sip';
import type { FuzzTarget } from '#tools/fuzz';
import { expiresOf, problemOfInvite, problemOfSubscribe } from './answers.ts';
import { callerOf } from './caller.ts';
import { KeyCheck } from './key-check.ts';

const DOMAIN = 'conf.example.com';
const ID = 'abcdefghij234567';
const keys = new KeyCheck({ domain: DOMAIN, keyHash: () => '0'.repeat(64) }, new SeededRandom(1));
const domains = new Set(['example.com']);
const message = (method: string, more: string) =>
  Buffer.from(
    [
      `${method} sip:${ID}@${DOMAIN} SIP/2.0`,
      'Via: SIP/2.0/TLS fe1;branch=z9hG4bK1',
      'From: "Grace" <sip:3f9c@anonymous.invalid>;tag=1',
      `To: <sip:${ID}@${DOMAIN}>`,
      'Call-ID: c',
      `CSeq: 1 ${method}`,
      'Contact: <sip:3f9c@192.0.2.7;transport=ws>;+sip.instance="<urn:uuid:1>"',
      'Sallyport-Asserted-Source: <sip:3f9c@anonymous.invalid>;source=guest;edge=edge1',
      more,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
const credentials = `Authorization: Digest username="${ID}", realm="${DOMAIN}", nonce="AAAA", uri="sip:${ID}@${DOMAIN}", response="${'0'.repeat(64)}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c"`;

export const targets: readonly FuzzTarget[] = [
  {
    name: 'focus-requests',
    seeds: [
      message('INVITE', `Accept: application/vnd.sallyport.conference+json\r\n${credentials}`),
      message(
        'SUBSCRIBE',
        'Event: conference;id=1\r\nExpires: 600\r\nAccept: application/conference-info+xml',
      ),
    ],
    run(input) {
      const parsed = parseSipMessage(Buffer.from(input), sipLimits);
      if (!parsed.ok || !(parsed.value instanceof SipRequest)) return;
      const request = parsed.value;
      const caller = callerOf(request, domains);
      if (caller !== undefined) {
        const { address, kind, outside } = caller;
        assert.equal(domains.has(address.slice(address.lastIndexOf('@') + 1)), kind === 'user');
        assert.ok(outside || kind === 'user');
      }
      for (const problem of [problemOfInvite(request), problemOfSubscribe(request)]) {
        assert.ok(problem === undefined || (problem.status >= 400 && problem.status < 500));
      }
      assert.ok(expiresOf(request) <= 3600);
      // Nobody has this key, and no nonce was ever handed out.
      assert.notEqual(keys.check(request, ID, caller?.address ?? '', 0).outcome, 'right');
    },
  },
];
