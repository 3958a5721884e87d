import { X509Certificate } from 'node:crypto';
import type { FuzzTarget } from '#tools/fuzz';
import { verifyOcspResponse } from './ocsp-response.ts';
import { findInList, listProblem, readRevocationList } from './revocation-list.ts';
import { AUTHORITY, LEAF, LIST, RESPONSE, SCOPED_LIST } from './testdata/fuzz-seeds.ts';

const issuer = new X509Certificate(AUTHORITY);
const certificate = new X509Certificate(LEAF);
const der = (base64: string) => Buffer.from(base64, 'base64');
const MOST = 50;
/** When the seeds count. */
const AT = Date.UTC(2026, 10, 26, 12, 0, 0);

/** Nothing throws, what is read is bounded, and what the issuer did not sign is never believed. */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'pki/revocation-list',
    seeds: [der(LIST), der(SCOPED_LIST)],
    run(input) {
      const list = readRevocationList(input, { entries: MOST });
      if (!list.ok) return;
      if (list.value.revoked.size > MOST) throw new Error('too many entries');
      for (const serial of list.value.revoked)
        if (!/^([0-9a-f]{2}){1,32}$/.test(serial)) throw new Error(`serial ${serial}`);
      if (!Number.isFinite(list.value.thisUpdate)) throw new Error('no time');
      findInList(list.value, certificate, 'http://crl.test/ca.crl');
      const genuine = [LIST, SCOPED_LIST].some((seed) =>
        der(seed).includes(Buffer.from(list.value.data.signed)),
      );
      const problem = listProblem(list.value, issuer, list.value.thisUpdate);
      if (!genuine && problem !== 'bad-signature' && problem !== 'wrong-issuer')
        throw new Error(`a forged list: ${problem}`);
    },
  },
  {
    name: 'pki/ocsp-response',
    seeds: [der(RESPONSE)],
    run(input) {
      const verdict = verifyOcspResponse(input, { certificate, issuer, at: AT });
      if (!verdict.ok) return;
      if (verdict.value.state !== 'good') throw new Error('a good certificate became another');
      if (!(verdict.value.until > AT)) throw new Error('believed beyond its time');
    },
  },
];
