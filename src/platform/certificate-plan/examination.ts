import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { catalogue, type Failure, type WallTime } from '#kernel';
import {
  certificateFacts,
  loadTrustAnchors,
  parseCertificates,
  readPemFile,
  type TrustAnchors,
} from '#platform/pki';
import { type Complaint, type EdgeDocument, quote } from '#platform/topology';
import { certificatePlan, type PlannedCertificate } from './certificate-plan.ts';
import { chainFindings } from './examine-chain.ts';
import { dateFindings, keyFindings, revocationFindings, usageFindings } from './examine-leaf.ts';
import { nameFindings } from './examine-names.ts';
import { type PartnerView, partnerView } from './partner-view.ts';
import { type Anchors, day, type Say, type Subject } from './subject.ts';

/** What the examination of one certificate showed. */
export interface ExaminedCertificate {
  readonly id: PlannedCertificate['id'];
  readonly file: string;
  readonly findings: readonly Complaint[];
  /** Undefined when the certificate cannot be read. */
  readonly view: PartnerView | undefined;
}

/** Anchors besides the document's own. */
export interface ExaminationOptions {
  readonly at: WallTime;
  /** Roots that outside peers know. */
  readonly outside: TrustAnchors;
}

const NO_ANCHORS: TrustAnchors = { certificates: [], pem: '' };
/** More certificates in one file are not looked at. */
const LONGEST_CHAIN = 10;

/** Examines the certificates, keys and internal authorities that a document names. Nothing is fetched. */
export function examineCertificates(
  document: EdgeDocument,
  { at, outside }: ExaminationOptions,
): { readonly certificates: readonly ExaminedCertificate[]; readonly findings: readonly Complaint[] } {
  const findings: Complaint[] = [];
  const internal = loadTrustAnchors(document.host.internalCa);
  if (!internal.ok) findings.push(complaintOf(internal.error));
  const anchors = internal.ok ? internal.value : NO_ANCHORS;
  for (const authority of anchors.certificates) {
    findings.push(...authorityDates(authority, document.host.internalCa, at));
  }
  const plan = certificatePlan(document);
  const certificates = plan.certificates.map((planned) => {
    const expected = planned.issuer === 'public' ? outside : anchors;
    return examine(planned, { expected, internal: anchors }, at, document.policy.sipDomains);
  });
  return { certificates, findings: [...findings, ...certificates.flatMap((one) => one.findings)] };
}

function examine(
  planned: PlannedCertificate,
  anchors: Anchors,
  at: WallTime,
  sipDomains: readonly string[],
): ExaminedCertificate {
  const findings: Complaint[] = [];
  const say: Say = (severity, rule, what, instead) => findings.push({ severity, rule, what, instead });
  const read = readSubject(planned, anchors, at, say);
  const base = { id: planned.id, file: planned.files.certificate, findings };
  if (read === undefined) return { ...base, view: undefined };
  nameFindings(read, say);
  dateFindings(read, say);
  usageFindings(read, say);
  keyFindings(read, say);
  revocationFindings(read, say);
  chainFindings(read, say);
  return { ...base, view: partnerView(read, sipDomains) };
}

function readSubject(
  planned: PlannedCertificate,
  anchors: Anchors,
  at: WallTime,
  say: Say,
): Subject | undefined {
  const file = quote(planned.files.certificate);
  const key = readKey(planned.files.key, say);
  const pem = readPemFile(planned.files.certificate);
  if (!pem.ok) {
    sayFailure(pem.error, say);
    return undefined;
  }
  const parsed = parseCertificates(pem.value);
  if (!parsed.ok) {
    say('error', 'unreadable', `${file}: ${parsed.error}`, 'export the certificate again, in PEM form');
    return undefined;
  }
  if (parsed.value.length > LONGEST_CHAIN) {
    const what = `${file} holds ${parsed.value.length} certificates, of which ${LONGEST_CHAIN} are looked at`;
    say('warning', 'chain-long', what, 'leave the certificate and its intermediates in it');
  }
  const chain = parsed.value.slice(0, LONGEST_CHAIN);
  const leaf = leafOf(chain, key, planned, say);
  if (leaf === undefined) return undefined;
  const facts = certificateFacts(leaf);
  if (!facts.ok) {
    say('error', 'unreadable', `${file}: ${facts.error}`, 'have the certificate issued anew');
    return undefined;
  }
  return { planned, file, chain, leaf, facts: facts.value, at, anchors };
}

/** The certificate of the key; the first one if the key is of none. */
function leafOf(
  chain: readonly X509Certificate[],
  key: KeyObject | undefined,
  { files }: PlannedCertificate,
  say: Say,
): X509Certificate | undefined {
  if (key === undefined) return chain[0];
  const index = chain.findIndex((certificate) => isKeyOf(key, certificate));
  const file = quote(files.certificate);
  if (index === -1) {
    const what = `${quote(files.key)} is not the key of ${file}`;
    say(
      'error',
      'key-mismatch',
      what,
      'name the key that the request was made with, or ask for a new certificate',
    );
  } else if (index > 0) {
    const what = `${file}: the certificate of the key stands in place ${index + 1}`;
    say('error', 'leaf-order', what, 'put it first, its intermediates behind it');
  }
  return chain[Math.max(index, 0)];
}

function isKeyOf(key: KeyObject, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    return false;
  }
}

function readKey(file: string, say: Say): KeyObject | undefined {
  const pem = readPemFile(file);
  if (!pem.ok) {
    sayFailure(pem.error, say);
    return undefined;
  }
  try {
    return createPrivateKey(pem.value);
  } catch {
    const what = `${quote(file)} holds no private key that can be used without a passphrase`;
    say('error', 'key-unreadable', what, 'write it in PEM form, unencrypted, and protect it by its mode');
    return undefined;
  }
}

function sayFailure(failure: Failure, say: Say): void {
  const { severity, rule, what, instead } = complaintOf(failure);
  say(severity, rule, what, instead);
}

function complaintOf({ code, message }: Failure): Complaint {
  return { severity: 'error', rule: 'unreadable', what: message, instead: catalogue[code].remedy };
}

function authorityDates(authority: X509Certificate, file: string, at: WallTime): Complaint[] {
  const until = authority.validToDate.getTime();
  if (at <= until) return [];
  const what = `${quote(file)}: the authority ${quote(authority.subject)} expired ${day(until)}`;
  const instead = 'put the current certificate of the authority into the file';
  return [{ severity: 'warning', rule: 'authority-expired', what, instead }];
}
