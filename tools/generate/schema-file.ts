import { type DocumentKind, documentJsonSchema } from '#platform/topology';
import { notice } from './notice.ts';

/** docs/reference/edge.schema.json, internal.schema.json */
export function schemaFile(kind: DocumentKind): string {
  const { $schema, ...schema } = documentJsonSchema(kind);
  return `${JSON.stringify({ $schema, $comment: notice('src/platform/topology'), ...schema }, null, 2)}\n`;
}
