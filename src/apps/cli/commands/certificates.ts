import { type Command, Option } from 'commander';
import { catalogue } from '#kernel';
import {
  type CertificatePlan,
  certificatePlan,
  examineCertificates,
  publicRoots,
  writeRequests,
} from '#platform/certificate-plan';
import { loadTrustAnchors } from '#platform/pki';
import type { EdgeDocument } from '#platform/topology';
import { partnerReport, planReport } from '../certificate-report.ts';
import { plannedDocument } from '../planned-document.ts';
import { exitStatus, printable, printableJson, type Session } from '../terminal.ts';
import { hasErrors, threeLists, threeListsJson } from '../three-lists.ts';

interface CertificateSettings {
  readonly format: 'table' | 'json';
  readonly csr?: string;
  readonly rsa?: true;
  readonly check?: true;
  readonly trust?: string;
}

/** `sallyport certificates FILE` */
export function addCertificates(root: Command, session: Session): void {
  root
    .command('certificates')
    .description('list the certificates that an edge.yaml needs and why, ask for them, or check them')
    .argument('<file>', 'an edge.yaml')
    .addOption(
      new Option('--format <format>', 'how they are printed').choices(['table', 'json']).default('table'),
    )
    .addOption(
      new Option(
        '--csr <folder>',
        'write a request and a new private key for each to this folder, over no file that is there',
      ).conflicts('check'),
    )
    .option('--rsa', 'with --csr: RSA keys of 3072 bits instead of ECDSA keys on P-256')
    .option('--check', 'examine the files that the document names; nothing is fetched')
    .option(
      '--trust <file>',
      'with --check: roots (PEM) that clients and partners know besides the public ones',
    )
    .action(async (file: string, settings: CertificateSettings) => {
      const document = plannedDocument(session, file);
      if (document === undefined) return;
      const plan = certificatePlan(document);
      if (settings.check === true) check(session, document, settings);
      else if (settings.csr !== undefined) await request(session, plan, settings.csr, settings.rsa === true);
      else session.terminal.out(settings.format === 'json' ? planJson(plan) : planReport(plan));
    });
}

function planJson({ certificates, serverNames, instructions }: CertificatePlan): string {
  // JSON has no undefined, and a client without a server name is one of the cases.
  const choice = serverNames.map((one) => ({ ...one, serverName: one.serverName ?? null }));
  return printableJson({ certificates, serverNames: choice, ...threeListsJson(instructions) });
}

function check(session: Session, document: EdgeDocument, { trust, format }: CertificateSettings): void {
  const more = trust === undefined ? undefined : loadTrustAnchors(trust);
  if (more !== undefined && !more.ok) {
    session.terminal.error(printable(more.error.message));
    session.terminal.error(`  ${catalogue[more.error.code].remedy}`);
    session.finish(exitStatus.failed);
    return;
  }
  const { certificates, findings } = examineCertificates(document, {
    at: Date.now(),
    outside: publicRoots(more?.value),
  });
  if (format === 'json') {
    const views = certificates.map(({ id, file, view }) => ({ id, file, view: view ?? null }));
    session.terminal.out(printableJson({ certificates: views, ...threeListsJson(findings) }));
  } else session.terminal.out([...certificates.map(partnerReport), threeLists(findings)].join('\n\n'));
  if (hasErrors(findings)) session.finish(exitStatus.failed);
}

async function request(session: Session, plan: CertificatePlan, folder: string, rsa: boolean): Promise<void> {
  const written = await writeRequests(plan.certificates, folder, rsa ? 'rsa-3072' : 'ecdsa-p256');
  if (!written.ok) {
    session.terminal.error(printable(written.error));
    session.terminal.error('  nothing was written: name a folder without these files');
    session.finish(exitStatus.failed);
    return;
  }
  for (const { certificate, request: csr, key } of written.value) {
    const { files, issuer } = certificate;
    const by = issuer === 'public' ? 'a public authority' : 'your internal authority';
    session.terminal.out(printable(`${csr}: have it signed by ${by}`));
    session.terminal.out(printable(`  put the certificate and its intermediates at ${files.certificate}`));
    session.terminal.out(printable(`${key}: the new private key, readable by you only`));
    session.terminal.out(printable(`  move it to ${files.key}`));
  }
}
