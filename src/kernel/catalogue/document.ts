import type { Catalogue } from './entry.ts';

/** Errors of edge.yaml and internal.yaml (SLP-DOC-nnnn). */
export const documentErrors = {
  'SLP-DOC-0001': {
    blame: 'operator',
    summary: 'the document has errors, so nothing starts on it',
    remedy:
      'Run sallyport check with the document: it names every error with its line and what to write instead.',
  },
  'SLP-DOC-0002': {
    blame: 'operator',
    summary: 'the changed document has errors; the services go on with the one they have',
    remedy: 'Run sallyport check with the document, correct it, and save it again or send SIGHUP.',
  },
} as const satisfies Catalogue;
