import { type DocumentKind, exampleDocument } from '#platform/topology';
import { notice } from './notice.ts';

/** docs/reference/edge.example.yaml, internal.example.yaml: every setting with its sentence. */
export function exampleFile(kind: DocumentKind): string {
  return exampleDocument(kind, [
    notice('src/platform/topology'),
    'Settings with a # directly before them show the default, or an example where the default is computed.',
  ]);
}
