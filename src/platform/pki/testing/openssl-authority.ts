import { X509Certificate } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { VerifiedPeer } from '../index.ts';
import { parseTrustAnchors, type TrustAnchors } from '../trust-anchors.ts';
import { verifyChain } from '../verify.ts';
import { OpenSsl } from './test-chains.ts';

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-sha256'];

/** A certification authority made and kept by the openssl command, which we did not write. */
export class OpenSslAuthority {
  readonly openssl: OpenSsl;
  readonly certificate: X509Certificate;
  readonly anchors: TrustAnchors;

  /** @param name its common name */
  constructor(t: TestContext, name = 'Public root') {
    this.openssl = new OpenSsl(t);
    const { folder } = this.openssl;
    mkdirSync(join(folder, 'issued'));
    for (const [file, text] of [
      ['index.txt', ''],
      ['index.txt.attr', 'unique_subject = no\n'],
      ['serial', '1000\n'],
      ['crlnumber', '01\n'],
    ] as const)
      writeFileSync(join(folder, file), text);
    writeFileSync(join(folder, 'ca.cnf'), CONFIGURATION);
    this.openssl.run('req', '-x509', ...CURVE, '-subj', `/CN=${name}`, '-days', '30', '-config', 'ca.cnf',
      '-extensions', 'root', '-keyout', 'ca.key', '-out', 'ca.pem'); // biome-ignore format: one command
    this.certificate = new X509Certificate(this.openssl.text('ca.pem'));
    const anchors = parseTrustAnchors(this.openssl.text('ca.pem'), 'ca.pem');
    if (!anchors.ok) throw new Error(anchors.error.message);
    this.anchors = anchors.value;
  }

  /** A leaf with these extension lines besides the usual ones; its files are `name.pem` and `name.key`. */
  issue(
    name: string,
    lines: readonly string[] = [],
    more: { days?: number; usage?: string } = {},
  ): X509Certificate {
    const { days = 30, usage = 'serverAuth,clientAuth' } = more;
    const section = [
      `[${name}]`,
      'basicConstraints=critical,CA:false',
      'keyUsage=critical,digitalSignature',
      `extendedKeyUsage=${usage}`,
      `subjectAltName=DNS:${name}.test`,
      ...lines,
    ];
    appendFileSync(join(this.openssl.folder, 'ca.cnf'), `\n${section.join('\n')}\n`);
    this.openssl.run('req', '-new', ...CURVE, '-subj', `/CN=${name}`, '-config', 'ca.cnf', '-keyout', `${name}.key`,
      '-out', `${name}.csr`); // biome-ignore format: one command
    this.openssl.run('ca', '-batch', '-notext', '-config', 'ca.cnf', '-extensions', name, '-days', String(days),
      '-in', `${name}.csr`, '-out', `${name}.pem`); // biome-ignore format: one command
    return new X509Certificate(this.openssl.text(`${name}.pem`));
  }

  revoke(name: string): void {
    this.openssl.run('ca', '-config', 'ca.cnf', '-revoke', `${name}.pem`, '-crl_reason', 'keyCompromise');
  }

  /**
   * A revocation list in DER.
   * @param lines of its extensions
   * @param more seconds for which it counts from now, and its age
   */
  list(lines: readonly string[] = [], more: { seconds?: number; age?: number } = {}): Buffer {
    const { seconds = 3600, age = 0 } = more;
    const since = Date.now() - age * 1000;
    const section = `list${Math.random().toString(36).slice(2)}`;
    appendFileSync(join(this.openssl.folder, 'ca.cnf'), `\n[${section}]\n${lines.join('\n')}\n`);
    const extensions = lines.length === 0 ? [] : ['-crlexts', section];
    this.openssl.run(
      'ca',
      '-config',
      'ca.cnf',
      '-gencrl',
      '-crl_lastupdate',
      opensslTime(since),
      '-crl_nextupdate',
      opensslTime(Date.now() + seconds * 1000),
      ...extensions,
      '-out',
      'crl.pem',
    );
    this.openssl.run('crl', '-in', 'crl.pem', '-outform', 'DER', '-out', 'crl.der');
    return readFileSync(join(this.openssl.folder, 'crl.der'));
  }

  /** An OCSP response about a leaf, signed by the authority or by a responder that it issued. */
  ocspResponse(name: string, responder = 'ca', minutes = 60): Buffer {
    this.openssl.run('ocsp', '-index', 'index.txt', '-CA', 'ca.pem', '-rsigner', `${responder}.pem`, '-rkey',
      `${responder}.key`, '-issuer', 'ca.pem', '-cert', `${name}.pem`, '-nmin', String(minutes), '-respout',
      `${name}.ocsp`, '-noverify'); // biome-ignore format: one command
    return readFileSync(join(this.openssl.folder, `${name}.ocsp`));
  }

  /** A leaf of this authority as verification found it. */
  verified(leaf: X509Certificate): VerifiedPeer {
    const peer = verifyChain({
      leaf,
      intermediates: [],
      anchors: this.anchors,
      at: Date.now(),
      purpose: 'server-identity',
    });
    if (!peer.ok) throw new Error(peer.error.problems.join());
    return peer.value;
  }
}

/** `YYYYMMDDHHMMSSZ` */
function opensslTime(time: number): string {
  return `${new Date(time).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
}

const CONFIGURATION = `[ca]
default_ca=authority
[authority]
database=index.txt
serial=serial
crlnumber=crlnumber
new_certs_dir=issued
certificate=ca.pem
private_key=ca.key
default_md=sha256
policy=any
[any]
commonName=supplied
[req]
distinguished_name=dn
[dn]
[root]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
`;
