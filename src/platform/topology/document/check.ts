import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { err, type Result } from '#kernel';
import {
  type DocumentError,
  type DocumentFinding,
  formatDocumentError,
  printable,
  type Severity,
} from '../finding.ts';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import type { InternalDocument } from '../schema/internal-schema.ts';
import {
  type Examination,
  examineEdge,
  examineInternal,
  type ParseOptions,
  type PolicyText,
  parseEdgeDocument,
  parseInternalDocument,
} from './document.ts';
import { hostFiles } from './document-files.ts';
import {
  currentReplica,
  hostPart,
  type PolicySource,
  policySource,
  type ReplicaSettings,
} from './policy-source.ts';
import { LONGEST_DOCUMENT } from './yaml-source.ts';

export type DocumentKind = 'edge' | 'internal';

export interface CheckReport {
  /** Lines to print; ends without a line feed. */
  report: string;
  errors: number;
  warnings: number;
  instructions: number;
}

/**
 * Reads an edge.yaml; every error at once, or the value with defaults filled in and paths absolute.
 * @param files `unread` for what is asked before the files that the document names exist
 */
export function loadEdgeDocument(
  file: string,
  { files = hostFiles, policyFile }: LoadOptions = {},
): Result<EdgeDocument, DocumentError[]> {
  const read = readEdge(file, policyFile);
  return 'text' in read ? parseEdgeDocument(read.text, { file, files, policy: read.policy }) : err([read]);
}

export interface LoadOptions extends Pick<ParseOptions, 'files'> {
  /** A replicated policy to try instead of the one that was taken last. */
  readonly policyFile?: string | undefined;
}

/** Text of an edge.yaml, with the replicated policy where it has none of its own. */
function readEdge(
  file: string,
  policyFile?: string,
): { text: string; policy?: PolicyText; source: PolicySource } | DocumentError {
  const text = readDocument(file);
  if (typeof text !== 'string') return text;
  const source = policySource(text, file);
  if (source.kind === 'both') return source.problem;
  if (source.kind === 'local') return { text, source };
  const from = policyFile ?? currentPolicy(source.settings);
  if (from === undefined) {
    const what = 'the policy part is replicated, and nothing was loaded yet';
    const instead = 'config export it inside, and config import the file here';
    return { severity: 'error', rule: 'policy-not-loaded', file, line: 1, column: 1, what, instead };
  }
  const policy = readDocument(from);
  return typeof policy === 'string' ? { text, policy: { file: from, text: policy }, source } : policy;
}

/** Its real path, so that a document keeps the version that it was read with when the next one comes. */
function currentPolicy({ stateDirectory }: ReplicaSettings): string | undefined {
  try {
    return join(realpathSync(currentReplica(stateDirectory)), 'policy.yaml');
  } catch {
    return undefined;
  }
}

/** See {@link hostPart}. */
export function loadEdgeHost(file: string) {
  const text = readDocument(file);
  return typeof text === 'string' ? hostPart(text, file) : undefined;
}

/** Where the policy of an edge.yaml comes from; undefined when it cannot be told because of a mistake in it. */
export function replicaSettings(file: string): ReplicaSettings | undefined {
  const text = readDocument(file);
  if (typeof text !== 'string') return undefined;
  const source = policySource(text, file);
  return source.kind === 'replicated' ? source.settings : undefined;
}

/** Reads an internal.yaml likewise. */
export function loadInternalDocument(file: string): Result<InternalDocument, DocumentError[]> {
  const text = readDocument(file);
  return typeof text === 'string' ? parseInternalDocument(text, { file }) : err([text]);
}

/**
 * What `sallyport check` prints: errors first, one a line, then warnings, then instructions. `kind` is told from
 * the document's sections when left out.
 */
export function checkDocument(file: string, kind?: DocumentKind): CheckReport {
  const text = readDocument(file);
  if (typeof text !== 'string') return reportOf(file, [text]);
  if ((kind ?? kindOf(text)) === 'internal') return reportOf(file, examineInternal(text, { file }).findings);
  const read = readEdge(file);
  if (!('text' in read)) return reportOf(file, [read]);
  const { policy } = read;
  const examination: Examination<unknown> = examineEdge(read.text, { file, policy });
  const report = reportOf(file, examination.findings);
  const source = policy === undefined ? 'local, in this document' : `replicated, ${printable(policy.file)}`;
  return { ...report, report: `${report.report}\npolicy: ${source}` };
}

/** A document with a front end and no policy is an internal one. */
export function kindOf(text: string): DocumentKind {
  return /^["']?frontEnd["']?\s*:/m.test(text) && !/^["']?policy["']?\s*:/m.test(text) ? 'internal' : 'edge';
}

function readDocument(file: string): string | DocumentError {
  const complain = (rule: string, what: string, instead: string): DocumentError => {
    return { severity: 'error', rule, file, line: 1, column: 1, what, instead };
  };
  try {
    const stats = statSync(file);
    if (!stats.isFile()) return complain('file', 'this is not an ordinary file', 'name the document itself');
    if (stats.size > LONGEST_DOCUMENT) {
      return complain('document-size', `the document has ${stats.size} bytes`, 'keep it to 1 MiB at most');
    }
    const bytes = readFileSync(file);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return complain('file', 'there is no such file', 'name an existing document');
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      return complain('encoding', 'the document is not UTF-8', 'save it as UTF-8');
    }
    return complain('file', `the document cannot be read (${code ?? 'unknown'})`, 'let this user read it');
  }
}

const HEADINGS: readonly [Severity, string, string][] = [
  ['error', 'error', 'errors'],
  ['warning', 'warning', 'warnings'],
  ['instruction', 'instruction', 'instructions'],
];

/** The findings as text, errors first. */
export function reportOf(file: string, findings: readonly DocumentFinding[]): CheckReport {
  const lines: string[] = [];
  const counts: Record<Severity, number> = { error: 0, warning: 0, instruction: 0 };
  for (const [severity, one, many] of HEADINGS) {
    const group = findings.filter((finding) => finding.severity === severity);
    counts[severity] = group.length;
    if (group.length === 0) continue;
    lines.push(`${group.length} ${group.length === 1 ? one : many}:`);
    for (const finding of group) lines.push(formatDocumentError(finding));
    lines.push('');
  }
  const shown = printable(file);
  lines.push(counts.error === 0 ? `${shown}: no errors` : `${shown}: nothing starts on this document`);
  const { error: errors, warning: warnings, instruction: instructions } = counts;
  return { report: lines.join('\n'), errors, warnings, instructions };
}
