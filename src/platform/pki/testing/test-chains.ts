import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { IssuedCertificate, LabAuthority } from '../lab-authority.ts';
import { parseCertificates } from '../pem.ts';
import { parseTrustAnchors, type TrustAnchors } from '../trust-anchors.ts';

export const DAY = 86_400_000;
export const daysFromNow = (days: number) => new Date(Date.now() + days * DAY);

export function certificatesOf(pem: string): X509Certificate[] {
  const certificates = parseCertificates(pem);
  if (!certificates.ok) throw new Error(certificates.error);
  return certificates.value;
}

export function anchorsOf(...authorities: (LabAuthority | IssuedCertificate)[]): TrustAnchors {
  const pem = authorities.map((authority) => authority.certificatePem).join('');
  const anchors = parseTrustAnchors(pem, 'test');
  if (!anchors.ok) throw new Error(anchors.error.message);
  return anchors.value;
}

/** Certificates by the openssl command, which we did not write. */
export class OpenSsl {
  readonly folder: string;
  constructor(t: TestContext) {
    this.folder = mkdtempSync(join(tmpdir(), 'pki-'));
    t.after(() => rmSync(this.folder, { recursive: true }));
  }
  run(...args: string[]): string {
    return execFileSync('openssl', args, {
      cwd: this.folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
  /** A self-signed certificate with these extension lines, or one below `issuer` (name of an earlier one). */
  make(
    name: string,
    extensions: readonly string[],
    more: { issuer?: string; args?: readonly string[] } = {},
  ): X509Certificate {
    const config = `[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=x\n[dn]\nCN=${name}\n[x]\n${extensions.join('\n')}\n`;
    writeFileSync(join(this.folder, `${name}.cnf`), config);
    const issuer =
      more.issuer === undefined ? [] : ['-CA', `${more.issuer}.pem`, '-CAkey', `${more.issuer}.key`];
    const keys = more.args ?? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-sha256'];
    this.run(
      'req',
      '-x509',
      '-nodes',
      '-config',
      `${name}.cnf`,
      '-days',
      '2',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      ...keys,
      ...issuer,
    );
    return new X509Certificate(this.text(`${name}.pem`));
  }
  text(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }
}
