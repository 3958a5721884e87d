import assert from 'node:assert/strict';
import { parseCredentials } from '#protocols/sip';
import type { FuzzTarget } from '#tools/fuzz';
import { userNameOf } from './account-name.ts';
import { parseProof } from './credentials.ts';

const SENDER = ['alice', 'alice@example.com'];

/**
 * Whatever somebody writes into Authorization is read or refused, never thrown at; and what a registrar of our own reads
 * is read in the same way here, or refused, so that it is counted for whom it is about.
 */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'access/credentials',
    seeds: [
      Buffer.from('Digest username="bob", realm="r", nonce="n", uri="sip:d", response="e", userhash=false'),
      Buffer.from(`Digest username*=UTF-8''b%6fb, realm="r", nonce="n", uri="sip:d", response=""`),
      Buffer.from(
        'Digest username="CORP\\\\b\\ob", realm=r, nonce=n, uri="sip:d", response=e, qop=auth, nc=00000001, cnonce=x',
      ),
      Buffer.from('NTLM qop="auth", realm="SIP", gssapi-data="TlRMTVNTUAADAAAA", version=4'),
      Buffer.from('Kerberos realm="SIP", response="00", Digest username="bob"'),
      Buffer.from('Basic Ym9iOnNlY3JldA=='),
    ],
    run(input) {
      const text = Buffer.from(input).toString('utf8');
      const proof = parseProof(text, () => SENDER);
      if (proof?.username !== undefined) assert.ok(!/\s/.test(userNameOf(proof.username)?.user ?? ''));
      const read = parseCredentials(text);
      if (!read.ok || proof === undefined) return;
      const { username, realm, response } = read.value;
      assert.ok(
        proof.username === username || SENDER.includes(proof.username ?? ''),
        `${proof.username} ${username}`,
      );
      assert.equal(proof.realm, realm);
      assert.equal(proof.proof, response === '' ? 'nothing' : 'password');
    },
  },
];
