import { X509Certificate } from 'node:crypto';
import type { FuzzTarget } from '#tools/fuzz';
import { readCertificate } from './certificate.ts';
import { canonicalPresentedName } from './names.ts';

/** Self-signed, ECDSA P-256, with dNSName, iPAddress and URI names and both usages. */
const SEED = `-----BEGIN CERTIFICATE-----
MIIBrzCCAVWgAwIBAgIQaHQm0/XF02zivYedeoRj9jAKBggqhkjOPQQDAjAPMQ0w
CwYDVQQDEwRzZWVkMB4XDTI2MTEyMjEyNDgxOVoXDTI2MTIyMjEzNDgxOVowDzEN
MAsGA1UEAxMEc2VlZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABC0hIyyINvHO
ZUHb+QzBfQDVS045NxgoJqyGPdNB33QUGG2x/ut7G5IGQHHgsqFSyAV3Kx/CcGR0
m+4363BHhUajgZIwgY8wDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYD
VR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMCMFAGA1UdEQRJMEeCDWEuZXhhbXBs
ZS5jb22CDSouZXhhbXBsZS5jb22HBMAAAgGHECABDbgAAAAAAAAAAAAAAAGGD3Np
cDpleGFtcGxlLmNvbTAKBggqhkjOPQQDAgNIADBFAiEAoVWRjBgs3Kk5a6j8einJ
i0nq360voC7/qUEfCnvBL4gCIBAO8X2c24p9RwtEszrUkiaAvdSUERHs432TlKzS
LBA9
-----END CERTIFICATE-----`;

/** Whatever is read must be bounded and canonical; nothing may throw. */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'pki/certificate',
    seeds: [new X509Certificate(SEED).raw],
    run(input) {
      const facts = readCertificate(input, { notBefore: 0, notAfter: 0 });
      if (!facts.ok) return;
      const { names, pathLength, extendedKeyUsages } = facts.value;
      for (const name of names.dns)
        if (canonicalPresentedName(name) !== name)
          throw new Error(`name ${JSON.stringify(name)} is not canonical`);
      if (names.dns.length + names.ip.length + names.uri.length > 1000) throw new Error('too many names');
      if (pathLength !== undefined && !(pathLength >= 0)) throw new Error('impossible path length');
      for (const usage of extendedKeyUsages ?? [])
        if (!/^[0-2](\.\d+)+$/.test(usage)) throw new Error('bad usage');
    },
  },
];
