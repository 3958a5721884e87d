import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Directory, newAccount } from '#internal/front-end';
import { FailureError, failure, randomToken, SystemRandom } from '#kernel';
import { LabAuthority } from '#platform/pki';
import { mediaKeyText, type RestCredential, restCredential } from '#protocols/credentials';
import { edgeDocument, internalDocument } from './lab-documents.ts';
import { type Account, type LabPlan, labFiles } from './lab-plan.ts';

/** What the lab made: passwords to sign in with, and relay credentials for clients with a fixed entry. */
export interface LabSecrets {
  readonly passwords: { readonly [account in Account]: string };
  readonly relay: RestCredential;
}

const DAY_MS = 86_400_000;
const RELAY_CREDENTIAL_DAYS = 7;
const PARTNER_DAYS = 7;

/** Makes the lab's folder anew: certification authority, certificates, keys, documents and accounts. */
export async function setUpLab(plan: LabPlan): Promise<LabSecrets> {
  makeRoom(plan);
  mkdirSync(plan.folder, { recursive: true, mode: 0o755 });
  const files = labFiles(plan);
  await issueCertificates(plan);
  writeFileSync(files.mediaKey, mediaKeyText(randomBytes(32)), { mode: 0o600 });
  const secret = randomToken(new SystemRandom(), 40);
  writeFileSync(files.relaySecret, `${secret}\n`, { mode: 0o600 });
  writeFileSync(files.edgeDocument, edgeDocument(plan));
  writeFileSync(files.internalDocument, internalDocument(plan));
  const passwords = { alice: newPassword(), bob: newPassword(), carol: newPassword(), phone: newPassword() };
  addAccounts(plan, passwords);
  const expires = Date.now() + RELAY_CREDENTIAL_DAYS * DAY_MS;
  return { passwords, relay: restCredential(secret, 'phone', expires) };
}

/** Removes the lab of before, and nothing that is none. */
function makeRoom(plan: LabPlan): void {
  if (!existsSync(plan.folder)) return;
  if (readdirSync(plan.folder).length > 0 && !existsSync(labFiles(plan).authority)) {
    throw new FailureError(
      failure('SLP-APP-0009', `${plan.folder} holds something else than a lab; name another folder`),
    );
  }
  rmSync(plan.folder, { recursive: true });
}

/** Certificates of an authority that is made for it; those that were there count no more. */
export async function issueCertificates(plan: LabPlan): Promise<LabAuthority> {
  const files = labFiles(plan);
  const { names } = plan;
  const authority = await LabAuthority.create({ name: 'Sallyport lab CA' });
  await authority.writeCertificate(files.authority);
  await authority.issueTo(files.access, {
    name: names.access,
    hosts: [names.access, names.webConferencing, names.av, plan.domain, plan.access.address],
    usages: plan.externalUsages,
  });
  await authority.issueTo(files.edge, { name: names.edge, hosts: [names.edge] });
  await authority.issueTo(files.frontEnd, {
    name: names.frontEnd,
    hosts: [names.frontEnd, plan.domain, plan.frontEnd.address],
  });
  const { partner } = plan;
  if (partner !== undefined)
    await authority.issueTo(files.partner, {
      name: partner.domain,
      hosts: [partner.domain],
      // It names no revocation list, which the edge lets pass with certificates that live for a few days only.
      notAfter: new Date(Date.now() + PARTNER_DAYS * DAY_MS),
    });
  return authority;
}

function addAccounts(plan: LabPlan, passwords: LabSecrets['passwords']): void {
  const opened = Directory.open(labFiles(plan).database);
  if (!opened.ok) throw new FailureError(opened.error);
  for (const [user, password] of Object.entries(passwords)) {
    const algorithm = plan.accounts[user as Account];
    const account = newAccount({ address: `${user}@${plan.domain}`, password, algorithm }, [plan.domain]);
    if (!account.ok) throw new FailureError(account.error);
    opened.value.save(account.value);
  }
  opened.value.close();
}

function newPassword(): string {
  return randomToken(new SystemRandom(), 16);
}
