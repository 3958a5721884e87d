import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { LabAuthority, type LeafRequest, parseTrustAnchors } from '#platform/pki';
import { type EdgeDocument, parseEdgeDocument } from '#platform/topology';
import { edited, goodEdge } from '../../topology/testing/documents.ts';
import { examineCertificates } from '../examination.ts';

const BOTH_ON = '  features: { federation: true, webConferencing: true }\n  internalNetworks:';

export const GOOD_HOSTS = ['sip.example.com', 'webconf.example.com', 'av.example.com', 'example.com'];

/** A folder with a document and the files that it names: an external chain, an internal one, their keys. */
export class CertificateFiles {
  readonly folder: string;
  readonly root: LabAuthority;
  readonly issuing: LabAuthority;
  readonly internal: LabAuthority;

  private constructor(folder: string, authorities: readonly [LabAuthority, LabAuthority, LabAuthority]) {
    this.folder = folder;
    [this.root, this.issuing, this.internal] = authorities;
  }

  /** Everything is as it should be at first. */
  static async create(t: TestContext): Promise<CertificateFiles> {
    const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const long = { notAfter: new Date(Date.now() + 365 * 86_400_000) };
    const root = await LabAuthority.create({ name: 'Outside Root', ...long });
    const issuing = await root.intermediate({ name: 'Outside Issuing', ...long });
    const internal = await LabAuthority.create({ name: 'Internal Root', ...long });
    const files = new CertificateFiles(folder, [root, issuing, internal]);
    files.write('ca.crt', internal.certificatePem);
    files.write('root.crt', root.certificatePem);
    await files.issue('access', issuing, { hosts: GOOD_HOSTS, usages: ['serverAuth'] });
    await files.issue('internal', internal, { hosts: ['edge1.example.com'] });
    files.write('edge.yaml', edited(goodEdge, '  internalNetworks:', BOTH_ON));
    return files;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text, { mode: 0o600 });
  }

  /** Writes a pair of files; what is not said is as in a good certificate. */
  async issue(name: string, authority: LabAuthority, request: Partial<LeafRequest>): Promise<void> {
    const issued = await authority.issue({
      name: 'leaf',
      notAfter: new Date(Date.now() + 90 * 86_400_000),
      ...request,
    });
    this.write(`${name}.crt`, issued.certificatePem);
    this.write(`${name}.key`, issued.keyPem);
  }

  document(text: string = edited(goodEdge, '  internalNetworks:', BOTH_ON)): EdgeDocument {
    const parsed = parseEdgeDocument(text, { file: join(this.folder, 'edge.yaml'), files: 'unread' });
    if (parsed.ok) return parsed.value;
    throw new Error(JSON.stringify(parsed.error));
  }

  /** Examines the files for outside peers that know the outside root. */
  examine(document: EdgeDocument = this.document()): ReturnType<typeof examineCertificates> {
    const outside = parseTrustAnchors(this.root.certificatePem, 'test');
    if (!outside.ok) throw new Error(outside.error.message);
    return examineCertificates(document, { at: Date.now(), outside: outside.value });
  }

  /** The findings on one line each, file names without their folder, those of revocation left out. */
  said(document?: EdgeDocument): string[] {
    return this.examine(document)
      .findings.filter(({ rule }) => rule !== 'revocation' && rule !== 'usage')
      .map(({ severity, rule, what }) => `${severity} ${rule}: ${what}`.replaceAll(`${this.folder}/`, ''));
  }
}
