import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import {
  commentedDocument,
  type DocumentFinding,
  type EdgeDocument,
  examineEdge,
  exampleDocument,
  loadEdgeDocument,
} from '#platform/topology';
import { type Answers, documentValues } from './answers.ts';

/** The text of the document that the answers make. */
export function documentText(file: string, answers: Answers): string {
  return commentedDocument(
    'edge',
    [
      `${basename(file)}: what an edge of Sallyport runs. Written by "sallyport init", now yours to change.`,
      'Settings with a # directly before them show the default, or an example where the default is computed.',
      'After a change: sallyport check.',
    ],
    documentValues(answers),
  );
}

export interface Examined {
  /** Undefined when something besides missing files is wrong. */
  readonly document: EdgeDocument | undefined;
  readonly findings: readonly DocumentFinding[];
}

/** What `sallyport check` says about the document, and its value although files that it names are still missing. */
export function examined(file: string, text: string): Examined {
  return {
    document: examineEdge(text, { file, files: 'unread' }).document,
    findings: examineEdge(text, { file }).findings,
  };
}

export interface Judged {
  readonly document: EdgeDocument;
  /** There is no document yet: its addresses are examples. */
  readonly imagined: boolean;
}

/** The document that a host is looked at for: the file, or else the defaults; undefined when the file has errors. */
export function documentToJudgeBy(file: string): Judged | undefined {
  if (!existsSync(file)) return { document: usualDocument(), imagined: true };
  const loaded = loadEdgeDocument(file, { files: 'unread' });
  return loaded.ok ? { document: loaded.value, imagined: false } : undefined;
}

/** What every setting has when nothing else is said; its addresses are examples. */
export function usualDocument(): EdgeDocument {
  const { document } = examineEdge(exampleDocument('edge', []), { file: 'edge.yaml', files: 'unread' });
  if (document === undefined) throw new TypeError('the examples of the schema make a good document');
  return document;
}
