import type { z } from 'zod';
import { err, ok, type Result } from '#kernel';
import {
  type Complaint,
  type DocumentError,
  type DocumentFinding,
  type Path,
  pathText,
  type Report,
  type Severity,
} from '../finding.ts';
import { tracedEdgeListeners, tracedInternalListeners } from '../plan/listeners.ts';
import { edgeRules } from '../rules/edge.ts';
import { fileRules } from '../rules/files.ts';
import { internalRules } from '../rules/internal.ts';
import { runRules } from '../rules/rule.ts';
import { fillEdgeDefaults, fillInternalDefaults } from '../schema/defaults.ts';
import { type EdgeDocument, edgeSchema } from '../schema/edge-schema.ts';
import { type InternalDocument, internalSchema } from '../schema/internal-schema.ts';
import * as setting from '../schema/setting.ts';
import { type DocumentFiles, hostFiles } from './document-files.ts';
import { DocumentReader, type Draft, type ReadSetting, type RenamedKeys } from './read-document.ts';
import { YamlSource } from './yaml-source.ts';

export interface ParseOptions {
  /** Path of the document: shown in findings, and paths in it are relative to its folder. */
  readonly file: string;
  /** Default: the files of this host. `unread` leaves out the checks of files, such as those that do not exist yet. */
  readonly files?: DocumentFiles | 'unread';
  /** Default: the keys that were renamed so far, none yet. */
  readonly renamed?: RenamedKeys;
  /** A policy part that comes from elsewhere: paths in it are relative to its own folder. */
  readonly policy?: PolicyText | undefined;
}

/** The text of a replicated policy, a mapping with the one key `policy`. */
export interface PolicyText {
  readonly file: string;
  readonly text: string;
}

/** The document, absent when there is an error, and everything there is to say about it, by line. */
export interface Examination<Document> {
  readonly document: Document | undefined;
  readonly findings: readonly DocumentFinding[];
}

/** How one kind of document is read. */
interface Recipe<Document> {
  readonly schema: z.ZodObject;
  fill(draft: Draft<Document>): void;
  judge(draft: Draft<Document>, settings: readonly ReadSetting[], report: Report): void;
  finish(draft: Draft<Document>): z.ZodSafeParseResult<Document>;
}

const edgeRecipe: Recipe<EdgeDocument> = {
  schema: edgeSchema,
  fill: fillEdgeDefaults,
  judge(draft, settings, report) {
    runRules(edgeRules, { draft, settings, listeners: tracedEdgeListeners(draft) }, report);
  },
  finish: (draft) => edgeSchema.safeParse(draft),
};

const internalRecipe: Recipe<InternalDocument> = {
  schema: internalSchema,
  fill: fillInternalDefaults,
  judge(draft, settings, report) {
    runRules(internalRules, { draft, settings, listeners: tracedInternalListeners(draft) }, report);
  },
  finish: (draft) => internalSchema.safeParse(draft),
};

/** Old keys and their new names; a key that is renamed goes in here for good, unless its older form is still read. */
const RENAMED: RenamedKeys = new Map();

/** Examines the text of an edge.yaml. */
export function examineEdge(text: string, options: ParseOptions): Examination<EdgeDocument> {
  return examine(edgeRecipe, text, options);
}

/** What all edges have in common, without the host that it is for. */
const policySchema = setting.section('A policy alone.', { policy: edgeSchema.shape.policy });
export type PolicyDocument = z.output<typeof policySchema>;

/**
 * Examines a policy before it is published: every rule that needs no host. What depends on a host's own addresses and
 * files is examined there, before it takes effect.
 */
export function examinePolicy(text: string, file: string): Examination<PolicyDocument> {
  const recipe: Recipe<PolicyDocument> = {
    schema: policySchema,
    fill: (draft) => fillEdgeDefaults(draft as Draft<EdgeDocument>),
    judge(draft, settings, report) {
      const listeners = tracedEdgeListeners(draft as Draft<EdgeDocument>);
      runRules(edgeRules, { draft: draft as Draft<EdgeDocument>, settings, listeners }, report);
    },
    finish: (draft) => policySchema.safeParse(draft),
  };
  return examine(recipe, text, { file, files: 'unread' });
}

/** Examines the text of an internal.yaml. */
export function examineInternal(text: string, options: ParseOptions): Examination<InternalDocument> {
  return examine(internalRecipe, text, options);
}

/** The value of an edge.yaml with defaults filled in and paths absolute, or every error at once. */
export function parseEdgeDocument(
  text: string,
  options: ParseOptions,
): Result<EdgeDocument, DocumentError[]> {
  return resultOf(examineEdge(text, options));
}

/** The same for an internal.yaml. */
export function parseInternalDocument(
  text: string,
  options: ParseOptions,
): Result<InternalDocument, DocumentError[]> {
  return resultOf(examineInternal(text, options));
}

function resultOf<Document>(examination: Examination<Document>): Result<Document, DocumentError[]> {
  if (examination.document !== undefined) return ok(examination.document);
  return err(
    examination.findings.filter((finding): finding is DocumentError => finding.severity === 'error'),
  );
}

function examine<Document>(
  recipe: Recipe<Document>,
  text: string,
  { file, files = hostFiles, renamed = RENAMED, policy }: ParseOptions,
): Examination<Document> {
  const { joined, place } = join(text, policy);
  const source = new YamlSource(file, joined);
  const told = () => inOrder(source.findings).map(place);
  if (source.broken) return { document: undefined, findings: told() };
  const reader = new DocumentReader(source, renamed, policy?.file);
  const draft = (reader.read(recipe.schema) ?? {}) as Draft<Document>;
  recipe.fill(draft);
  const report: Report = (path, complaint) => source.add(path, complaint);
  recipe.judge(draft, reader.settings, report);
  if (files !== 'unread') runRules(fileRules, { settings: reader.settings, files }, report);
  const wrong = source.findings.some((finding) => finding.severity === 'error');
  const finished = wrong ? undefined : recipe.finish(draft);
  for (const issue of finished?.error?.issues ?? []) report(issue.path as Path, derivedWrong(issue));
  return { document: finished?.data, findings: told() };
}

/** Both parts as one text, and where a finding in it belongs. */
function join(text: string, policy: PolicyText | undefined) {
  if (policy === undefined) return { joined: text, place: (finding: DocumentFinding) => finding };
  const local = text.endsWith('\n') ? text : `${text}\n`;
  const lines = local.split('\n').length - 1;
  return {
    joined: `${local}${policy.text}`,
    place: (finding: DocumentFinding): DocumentFinding =>
      finding.line <= lines ? finding : { ...finding, file: policy.file, line: finding.line - lines },
  };
}

/** All that was written is right: what is wrong now is a default that was taken from it, such as a realm. */
function derivedWrong({ path, message }: z.core.$ZodIssue): Complaint {
  const name = pathText(path as Path);
  const what = `${name} is left out, and what it would be is wrong (${message})`;
  return { severity: 'error', rule: 'derived-default', what, instead: `write ${name}` };
}

const WEIGHT: Readonly<Record<Severity, number>> = { error: 0, warning: 1, instruction: 2 };

function inOrder(findings: readonly DocumentFinding[]): DocumentFinding[] {
  return [...findings].sort(
    (a, b) => a.line - b.line || a.column - b.column || WEIGHT[a.severity] - WEIGHT[b.severity],
  );
}
